from collections.abc import Iterator
from pathlib import Path

import pytest

from node.store import Store
from tests.node.nodes import Three, three
from tests.node.stores import KEY


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Three]:
    with three(tmp_path) as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "node.db", KEY)
    yield made
    made.close()
