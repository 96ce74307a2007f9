"""Files of forms compiled in a child process, with limits. The rim: runs a program.

What a workbook or an expression of somebody else does to a parser, it does to the
child: for each file it may take no more than some seconds and some memory, and then it
is gone.
"""

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from forms.errors import FormFileRefused, FormProblem
from forms.xform import Definition

CPU_LIMIT_S = 4
TIME_LIMIT_S = 20.0
"""Only for a child that waits: a machine with much else to do is no fault of a file."""
MEMORY_LIMIT_BYTES = 300 * 1024 * 1024

SUFFIXES = (".xlsx", ".xlsm", ".xls", ".csv", ".md", ".xml")
"""What a file of a form may end in; .xml is an XForm."""

_TOO_MUCH = (
    f"检查这个文件用的时间超过 {CPU_LIMIT_S} 秒，"
    f"或内存超过 {MEMORY_LIMIT_BYTES // 1024 // 1024} MB，已经停下；"
    "请减少行数、选项和相互引用，或分成几张表单"
)


class Answer(Struct, frozen=True):
    """What the child says: a form, or what is wrong with its file."""

    definition: Definition | None = None
    problems: tuple[FormProblem, ...] = ()


_DECODER = msgspec.json.Decoder(Answer)


def compile_form(path: Path) -> Definition:
    """Return the form that a file describes, with the lists of the files beside it.

    Raises:
        FormFileRefused: anything is wrong with it; all that was found is listed.
    """
    compiled = next(compile_forms([path]))
    if isinstance(compiled, FormFileRefused):
        raise compiled
    return compiled


def compile_forms(paths: Sequence[Path]) -> Iterator[Definition | FormFileRefused]:
    """Give the form of each file, or why there is none, in the order of the files."""
    left = list(paths)
    while left:
        # One child does many files, since it takes half a second to begin; the file
        # that kills it is known by the answer that does not come.
        for answer in _answers(left):
            yield answer
            left.pop(0)
        if left:
            left.pop(0)
            yield _refused()


def _answers(paths: Sequence[Path]) -> Iterator[Definition | FormFileRefused]:
    """Give answers as long as the child lives."""
    names = [str(path.resolve()) for path in paths]
    child = subprocess.Popen(
        [sys.executable, "-I", "-m", "forms.author.worker", *names],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
    )
    assert child.stdout is not None
    try:
        for _ in names:
            timer = threading.Timer(TIME_LIMIT_S, child.kill)
            timer.start()
            line = child.stdout.readline()
            timer.cancel()
            try:
                answer = _DECODER.decode(line)
            except msgspec.DecodeError:
                return
            yield answer.definition or FormFileRefused(answer.problems)
    finally:
        child.kill()
        child.stdout.close()
        child.wait()


def _refused() -> FormFileRefused:
    return FormFileRefused([FormProblem("", 0, "", _TOO_MUCH)])
