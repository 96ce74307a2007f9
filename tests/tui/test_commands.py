"""Commands as a person runs them, in this process: what they say, and what they do."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from node import roster
from node.wiring import Node
from sync.errors import Revoked
from tests.tui.desks import Desks
from tui import labels
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


@pytest.fixture
def lianban(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Shell:
    return Shell(capsys, tmp_path)


def put_out(desks: Desks) -> None:
    """Revoke the village, and let it hear so."""
    roster.revoke(desks.district, desks.village.certificate, "电脑被偷")
    desks.sync(desks.town)
    with pytest.raises(Revoked):
        desks.sync(desks.village)


def test_a_revoked_desk_is_told_so_wherever_it_looks(
    desks: Desks, lianban: Shell, tmp_path: Path
) -> None:
    put_out(desks)
    stick = tmp_path / "stick"
    stick.mkdir()

    status = lianban(desks.village, "status")
    carried = lianban(desks.village, "carry", "in", str(stick))
    at_town = lianban(desks.town, "status")

    assert labels.REVOKED_HERE in status.out
    assert labels.REVOKED_HERE in carried.err
    (line,) = [one for one in at_town.out.splitlines() if "耀里村" in one]
    assert line.split() == ["耀里村", "已停用"]
