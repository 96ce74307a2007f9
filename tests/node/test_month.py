"""A simulated month: statistics and lapses as an independent count finds them."""

from tests.node.month import Month, differences, plans
from tests.node.nodes import Three


def test_a_month_is_counted_alike_by_town_district_and_independently(
    nodes: Three,
) -> None:
    month = Month(nodes, plans(60, seed=5))

    try:
        month.run()

        assert list(differences(month)) == []
    finally:
        month.close()
