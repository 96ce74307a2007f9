"""The days of cases in lists: kept with the row, reckoned again, counted, ordered."""

from dataclasses import replace
from datetime import date

import pytest

from node import audit, cases, upkeep
from node.calendar_source import known_tables
from node.lifecycle import Step
from node.store import Store
from node.store.cases import CaseRow, Filter, Light, Order
from node.workdays import YearTable
from tests.node.nodes import Three, step, submit, sync_all
from tests.node.stores import case, put

YEARS = known_tables(2025)
DAY_MS = 24 * 3600 * 1000
EMPTY = YearTable(2027, (), (), "通知")


def due(number: int, on: str, warn_on: str, **changed: object) -> CaseRow:
    return case(number, 10 + number, due_on=on, warn_on=warn_on, **changed)


def test_a_case_bears_its_days_on_every_node(nodes: Three) -> None:
    upkeep.publish_calendar(nodes.district, YEARS)
    sync_all(nodes)
    made = submit(nodes.village)  # on Saturday, 2026-11-21
    sync_all(nodes)
    waiting = cases.find_row(nodes.town, made.id)

    step(nodes.town, made.id, Step.ACCEPT)
    sync_all(nodes)

    assert (waiting.received_on, waiting.due_on) == ("2026-11-21", "2026-11-27")
    assert waiting.warn_on == "2026-11-26" and waiting.red_on == "2026-11-28"
    for node in (nodes.village, nodes.town, nodes.district):
        row = cases.find_row(node, made.id)
        assert row.reckoned_to > waiting.reckoned_to
        assert replace(row, changed_at_ms=0, row=0) == replace(
            cases.find_row(nodes.village, made.id), changed_at_ms=0, row=0
        )
        assert upkeep.verify(node).faults == ()


def test_a_table_that_comes_later_moves_the_days_and_is_written_down(
    nodes: Three,
) -> None:
    upkeep.publish_calendar(nodes.district, YEARS[:1])
    sync_all(nodes)
    nodes.clock.at_ms -= 50 * DAY_MS  # 2026-10-02: within National Day
    made = submit(nodes.village)
    sync_all(nodes)
    before = cases.find_row(nodes.town, made.id)

    upkeep.publish_calendar(nodes.district, YEARS)
    sync_all(nodes)

    after = cases.find_row(nodes.town, made.id)
    assert (before.due_on, after.due_on) == ("2026-10-09", "2026-10-13")
    for node in (nodes.village, nodes.town, nodes.district):
        again = [
            row
            for row in node.store.registry.audits(99)
            if row.act == audit.RECKON_AGAIN and row.node == node.id
        ]
        assert [row.note for row in again] == ["1"]
        assert upkeep.verify(node).faults == ()


def test_a_table_that_moves_no_day_is_not_written_down(nodes: Three) -> None:
    upkeep.publish_calendar(nodes.district, YEARS)
    submit(nodes.village)
    sync_all(nodes)

    upkeep.publish_calendar(nodes.district, [EMPTY])

    acts = [row.act for row in nodes.district.store.registry.audits(99)]
    assert audit.RECKON_AGAIN not in acts


def test_what_has_passed_is_known_without_a_word_written(nodes: Three) -> None:
    upkeep.publish_calendar(nodes.district, YEARS)
    made = submit(nodes.village)
    sync_all(nodes)
    nodes.clock.advance(8 * DAY_MS)
    today = nodes.town.today()

    late = Filter(has_lapsed=True, today=today.isoformat())
    (found,) = cases.lapses_of(nodes.town, cases.open_case(nodes.town, made.id), today)
    step(nodes.town, made.id, Step.ACCEPT)

    assert found.key == "accept" and found.ended_on is None
    assert nodes.district.store.cases.count(late) == 1
    assert cases.find_row(nodes.town, made.id).has_lapsed
    case_now = cases.open_case(nodes.town, made.id)
    assert cases.clocks_of(nodes.town, case_now).accepted_on == date(2026, 11, 21)


# -- the store ------------------------------------------------------------------------


def test_amber_and_red_are_counted_and_listed_by_the_day(store: Store) -> None:
    put(
        store,
        due(1, "2026-11-10", "2026-11-06"),
        due(2, "2026-11-20", "2026-11-17"),
        due(3, "2026-11-12", "2026-11-10"),
        due(4, "2026-12-20", "2026-12-10"),
        case(5, 1),
    )
    lists = {
        (light, today): [
            row.due_on
            for row in store.cases.page(
                Filter(light=light, today=today, order=Order.DUE, oldest_first=True),
                None,
                9,
            )
        ]
        for light in Light
        for today in ("2026-11-12", "2026-11-13")
    }

    assert store.cases.count_lights("2026-11-12") == (1, 1)
    assert store.cases.count_lights("2026-11-13") == (0, 2)
    assert store.cases.count_lights("2026-11-17") == (1, 2)
    assert lists[Light.AMBER, "2026-11-12"] == ["2026-11-12"]
    assert lists[Light.RED, "2026-11-13"] == ["2026-11-10", "2026-11-12"]


@pytest.mark.parametrize("size", [1, 2, 5])
def test_urgent_cases_stand_first_in_a_queue_on_every_page(
    store: Store, size: int
) -> None:
    put(
        store,
        *(case(n, 100 - n, is_urgent=n % 3 == 0) for n in range(9)),
        case(9, 1, state="granted", is_urgent=True),
    )
    wanted = Filter(states=("submitted",), order=Order.QUEUE, oldest_first=True)

    whole = store.cases.page(wanted, None, 99)
    pages: list[CaseRow] = []
    while page := store.cases.page(
        wanted, pages[-1].key_in(Order.QUEUE) if pages else None, size
    ):
        pages += page
    before = store.cases.page_before(wanted, whole[-1].key_in(Order.QUEUE), 99)

    assert [row.is_urgent for row in whole] == [True] * 3 + [False] * 6
    for part in (whole[:3], whole[3:]):
        assert [row.changed_at_ms for row in part] == sorted(
            row.changed_at_ms for row in part
        )
    assert pages == whole and before == whole[:-1]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (
            Filter(states=("submitted",), order=Order.QUEUE, oldest_first=True),
            "cases_in_queue",
        ),
        (
            Filter(
                light=Light.RED,
                today="2026-11-12",
                order=Order.DUE,
                oldest_first=True,
            ),
            "cases_by_due",
        ),
        (Filter(is_urgent=True), "urgent_cases"),
    ],
)
def test_lists_by_day_and_queues_walk_along_an_index(
    store: Store, wanted: Filter, index: str
) -> None:
    where, values = store.cases._where(wanted)
    order = "ASC" if wanted.oldest_first else "DESC"
    asked = store.cases._db.execute(
        f"EXPLAIN QUERY PLAN SELECT * FROM cases WHERE {where} "
        f"ORDER BY {wanted.order} {order}, id {order} LIMIT 100",
        values,
    )
    plan = " ".join(row[-1] for row in asked)

    assert index in plan and "TEMP B-TREE" not in plan
