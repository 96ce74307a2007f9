"""Fixtures of the whole program."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.places import Places, three_places


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    """Three enrolled places; district and town are served."""
    with three_places(tmp_path) as found:
        yield found
