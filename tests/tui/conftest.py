from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.desks import Desks, joined


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
