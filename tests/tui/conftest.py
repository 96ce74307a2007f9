from collections.abc import Iterator
from pathlib import Path

import pytest

from node import enrol
from node.wiring import Node
from tests.tui.desks import CHEAP, Desks, joined
from tests.tui.shell import Shell


@pytest.fixture
def anyio_backend() -> str:
    """Textual runs on asyncio only."""
    return "asyncio"


@pytest.fixture
def desks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Desks]:
    """Three real nodes, joined and synced, with the shipped items."""
    made = joined(monkeypatch, tmp_path)
    yield made
    made.close()


@pytest.fixture
def lianban(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Shell:
    """Runs `lianban` for one of the desks."""
    return Shell(capsys, tmp_path)


@pytest.fixture
def trial_node(tmp_path: Path) -> Iterator[Node]:
    """A node as a form is tried out on."""
    made = enrol.init_district(
        tmp_path / "node",
        division="330881000000",
        name="试填",
        operator="admin",
        password="x",
        cost=CHEAP,
    )
    yield made
    made.close()
    made.sandbox.close()
