"""The child process in which forms are compiled: `forms.author.compile` starts it.

Run as `python -I -m forms.author.worker FILE...`; answers with an `Answer` on a line
of stdout for each of them. It knows no keys and no store.
"""

import resource
import sys
import time
import warnings
from pathlib import Path

import msgspec

from forms.author.build import build
from forms.author.compile import CPU_LIMIT_S, MEMORY_LIMIT_BYTES, Answer
from forms.errors import AUTHOR_MISSING, FormFileRefused, FormProblem


def answer(path: Path) -> Answer:
    """Return the form of a file, or what is wrong with it."""
    try:
        return Answer(build(path))
    except FormFileRefused as refused:
        return Answer(problems=tuple(refused.problems))
    except FileNotFoundError:
        return _problem(f"没有 {path.name[:100]} 这个文件，请核对路径")
    except OSError:
        return _problem(f"{path.name[:100]} 读不出来，请核对权限")
    except RecursionError:
        return _problem("分组或算式套得太深，请减少层数")
    except MemoryError:
        raise  # the limit: said by the parent
    except ModuleNotFoundError:
        return _problem(AUTHOR_MISSING)
    except Exception as error:  # noqa: BLE001 - the last door before a person
        return _problem(
            f"检查程序自己出错了（{type(error).__name__}），请把文件交给技术人员"
        )


def _problem(message: str) -> Answer:
    return Answer(problems=(FormProblem("", 0, "", message),))


def main() -> int:
    """Answer for the files that the command line names."""
    # Of the data, not of the addresses: libraries that are mapped in cost no memory.
    limit = (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES)
    resource.setrlimit(resource.RLIMIT_DATA, limit)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")  # openpyxl tells of features that do not matter
    for name in sys.argv[1:]:
        used_s = int(time.process_time()) + 1
        hard_s = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (used_s + CPU_LIMIT_S, hard_s))
        sys.stdout.buffer.write(msgspec.json.encode(answer(Path(name))) + b"\n")
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
