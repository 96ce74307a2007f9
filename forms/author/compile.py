"""Files of forms compiled in a child process, with limits. The rim: runs a program.

What a workbook or an expression of somebody else does to a parser, it does to the
child: it may take no more than some seconds and some memory, and then it is gone.
"""

import subprocess
import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from forms.errors import FormFileRefused, FormProblem
from forms.xform import Definition

TIME_LIMIT_S = 5.0
CPU_LIMIT_S = 5
MEMORY_LIMIT_BYTES = 300 * 1024 * 1024

SUFFIXES = (".xlsx", ".xlsm", ".xls", ".csv", ".md", ".xml")

MISSING_LIBRARY = 3
"""How the child says that this computer has no pyxform."""


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
    if not path.is_file():
        raise _refused(f"没有这个文件：{path.name[:100]}")
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-m", "forms.author.worker", str(path.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            timeout=TIME_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _refused(_TOO_MUCH) from error
    if done.returncode == MISSING_LIBRARY:
        raise _refused("这台电脑没有装表单编制组件，请安装 lianban[author] 后再试")
    try:
        answer = _DECODER.decode(done.stdout)
    except msgspec.DecodeError as error:
        raise _refused(_TOO_MUCH) from error
    if answer.definition is None:
        raise FormFileRefused(answer.problems)
    return answer.definition


_TOO_MUCH = (
    f"检查这个文件用的时间超过 {TIME_LIMIT_S:.0f} 秒，"
    f"或内存超过 {MEMORY_LIMIT_BYTES // 1024 // 1024} MB，已经停下；"
    "请减少行数、选项和相互引用，分成几张表单"
)


def _refused(message: str) -> FormFileRefused:
    return FormFileRefused([FormProblem("", 0, "", message)])
