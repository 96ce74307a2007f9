from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.nodes import Three, three


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Three]:
    with three(tmp_path) as made:
        yield made
