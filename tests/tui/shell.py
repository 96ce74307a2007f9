"""Commands as a person runs them, in this process: what they say."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from node.wiring import Node
from tui.cli import run


@dataclass
class Said:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def everything(self) -> str:
        return self.out + self.err


class Shell:
    """Runs commands for one of the desks."""

    def __init__(self, capsys: pytest.CaptureFixture[str], path: Path) -> None:
        self._capsys = capsys
        self._password = path / "password"
        self._password.write_text("x")

    def __call__(self, node: Node, *arguments: str) -> Said:
        self._capsys.readouterr()
        code = run(
            [
                *("--home", str(node.home.path), "--as", node.operator),
                *("--password-file", str(self._password), *arguments),
            ]
        )
        said = self._capsys.readouterr()
        return Said(code, said.out, said.err)
