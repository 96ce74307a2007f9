"""The chart in ARCHITECTURE.md says what the tables say."""

from pathlib import Path

from tui.lifecycle_chart import chart

ARCHITECTURE = Path(__file__).parents[2] / "ARCHITECTURE.md"


def test_the_chart_of_the_life_cycle_is_the_one_that_the_tables_make() -> None:
    assert chart() in ARCHITECTURE.read_text(encoding="utf-8")
