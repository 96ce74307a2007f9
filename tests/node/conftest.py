from collections.abc import Iterator
from pathlib import Path

import pytest

from node.store import Store
from node.wiring import Node
from tests.node.nodes import Three, clone, reopen, submit, sync_all, three
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


@pytest.fixture
def copy(nodes: Three) -> Iterator[Node]:
    """A copy of the village's home, made when all knew its first case."""
    submit(nodes.village)
    sync_all(nodes)
    made = reopen(clone(nodes.village, nodes.path / "copy"), nodes.clock)
    yield made
    made.close()
