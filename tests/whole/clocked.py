"""`lianban` on a clock that a test sets: `python -m tests.whole.clocked`.

Nobody can wait for a limit to pass, or put a machine's clock two years ahead. So the
time of the device, and nothing else, is read from the file that `LIANBAN_TEST_CLOCK`
names: milliseconds since 1970, read anew each time, so that a service follows as well.
"""

import os
from itertools import count
from pathlib import Path

from node import wiring
from tui.cli import main

_reads = count()


def now_ms() -> int:
    """Return the time in the file; a millisecond more with every reading."""
    return int(Path(os.environ["LIANBAN_TEST_CLOCK"]).read_text()) + next(_reads)


if __name__ == "__main__":
    wiring.system_ms = now_ms
    main()
