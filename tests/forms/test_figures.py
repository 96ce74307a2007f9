import pytest
from msgspec.structs import replace

from forms.figures import compared, figures
from forms.item import Item
from forms.material import Material
from tests.forms.samples import ITEM


def with_papers(count: int, code: str = "1", **changes: object) -> Item:
    papers = tuple(Material(f"m{n}", f"材料{n}") for n in range(count))
    return replace(ITEM, code=code, materials=papers, **changes)


@pytest.mark.parametrize(
    ("legal", "promise", "is_short"),
    [
        (20, 7, True),
        (20, 8, False),
        (180, 63, True),  # 35 % exactly; as a product with 0.35 it would be too much
        (180, 64, False),
        (1, 1, False),
    ],
)
def test_a_promise_of_35_percent_of_the_legal_limit_is_short(
    legal: int, promise: int, is_short: bool
) -> None:
    item = replace(ITEM, legal_workdays=legal, promise_workdays=promise)

    assert [one.is_short for one in figures([item])] == [is_short]


def test_what_is_decided_at_once_is_short_whatever_the_law_allows() -> None:
    item = replace(ITEM, legal_workdays=1, promise_workdays=1, same_day=True)

    assert figures([item])[0].is_short


def test_papers_of_two_versions_are_compared_by_code() -> None:
    before = [with_papers(25, "1", name="旧名"), with_papers(99, "2")]
    now = [with_papers(6, "1"), with_papers(10, "2"), with_papers(3, "3")]

    found = figures(now, before)

    assert [(one.materials_before, one.materials) for one in found] == [
        *((25, 6), (99, 10), (None, 3)),
    ]
    assert compared(found) == (2, 124, 16)
    assert compared(figures(now)) == (0, 0, 0)
