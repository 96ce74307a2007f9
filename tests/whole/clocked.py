"""Places whose clocks a test sets: nobody can wait for a limit to pass, or put the
clock of a machine two years ahead.

The time of a place, and nothing else, is read from a file beside its home, so that
its service follows as well: `python -m tests.whole.clocked` is `lianban` on that
clock. Commands are run in this process, since a story has many of them.
"""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from itertools import count
from pathlib import Path
from unittest import mock

from node import wiring
from node.wiring import Node
from tests.whole.places import Place
from tui.cli import main, run

CLOCK = "LIANBAN_TEST_CLOCK"

_reads = count()


class ClockedPlace(Place):
    """A place with a clock of its own."""

    @property
    def clock(self) -> Path:
        """The file that says what time it is: milliseconds since 1970."""
        return self.path.with_suffix(".clock")

    def run(
        self, *arguments: str, stdin: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        """Run `lianban` for this home, in this process."""
        out, err = io.StringIO(), io.StringIO()
        given = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
        words = super().command(*arguments)[3:]
        with (
            _clock_of(self.clock),
            redirect_stdout(out),
            redirect_stderr(err),
            mock.patch.object(sys, "stdin", given),
        ):
            code = run(words)
        return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of a service."""
        self.environment[CLOCK] = str(self.clock)
        python, module, _, *rest = super().command(*arguments)
        return [python, module, __name__, *rest]

    @contextmanager
    def open(self) -> Iterator[Node]:
        """Open the node in this process."""
        with _clock_of(self.clock), super().open() as node:
            yield node


@contextmanager
def _clock_of(file: Path) -> Iterator[None]:
    with mock.patch.object(wiring, "system_ms", partial(_now_ms, file)):
        yield


def _now_ms(file: Path) -> int:
    """Return the time in a file; a millisecond more with every reading."""
    return int(file.read_text()) + next(_reads)


if __name__ == "__main__":
    with _clock_of(Path(os.environ[CLOCK])):
        main()
