"""The child process in which a form is compiled: `forms.author.compile` starts it.

Run as `python -I -m forms.author.worker FILE`; answers with an `Answer` on stdout. It
knows no keys and no store.
"""

import resource
import sys
import warnings
from pathlib import Path

import msgspec

from forms.author.build import build
from forms.author.compile import (
    CPU_LIMIT_S,
    MEMORY_LIMIT_BYTES,
    MISSING_LIBRARY,
    Answer,
)
from forms.errors import FormFileRefused, FormProblem


def answer(path: Path) -> Answer:
    """Return the form of a file, or what is wrong with it."""
    try:
        return Answer(build(path))
    except FormFileRefused as refused:
        return Answer(problems=tuple(refused.problems))
    except OSError as error:
        message = f"读不出来（{error.strerror}），请核对权限"
        return Answer(problems=(FormProblem("", 0, "", message),))
    except RecursionError:
        message = "分组或算式套得太深，请减少层数"
        return Answer(problems=(FormProblem("", 0, "", message),))


def main() -> int:
    """Answer for the file that the command line names."""
    # Of the data, not of the addresses: libraries that are mapped in cost no memory.
    limit = (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES)
    resource.setrlimit(resource.RLIMIT_DATA, limit)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")  # openpyxl tells of features that do not matter
    try:
        said = answer(Path(sys.argv[1]))
    except ModuleNotFoundError:
        return MISSING_LIBRARY
    sys.stdout.buffer.write(msgspec.json.encode(said))
    return 0


if __name__ == "__main__":
    sys.exit(main())
