"""The published working calendar: from the district to every node, by whatever way."""

from collections.abc import Iterable
from datetime import date

import pytest

from node import audit, calendars, upgrade, upkeep
from node.calendar_source import known_tables
from node.errors import NotAllowed
from node.wiring import Node
from node.workdays import Calendar, Day, Due, PublishedTable, YearTable
from sync.canonical import encode
from sync.identity import PUBLIC
from sync.stream import StreamId
from sync.worker import Job, Outcome
from tests.node.forge import chunk_of, parcel, put_entry, refusals, send
from tests.node.nodes import (
    VILLAGE,
    Three,
    causes,
    digests,
    reopen,
    rows,
    sandbox,
    shared_digests,
    submit,
    sync,
    sync_all,
    tamper,
)
from tests.node.test_calendar_file import HOSTILE

TABLES = known_tables(2025)
NEXT = YearTable(2027, (Day(date(2027, 1, 1), "元旦"),), (), "通知")
AUTUMN = date(2026, 11, 21)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, int, int]]:
    """Write down (node, days before, days after) of each change that is told of."""
    heard: list[tuple[bytes, int, int]] = []

    def hear(node: Node, old: Calendar, new: Calendar) -> None:
        assert old != new
        heard.append((node.id, len(old.tables), len(new.tables)))

    monkeypatch.setattr(calendars, "on_change", hear)
    return heard


def versions(node: Node) -> list[tuple[int, int]]:
    return [(r.year, r.version) for r in node.store.registry.current_calendars()]


def test_what_the_district_publishes_is_reckoned_with_everywhere(nodes: Three) -> None:
    before = nodes.village.calendar.add_workdays(date(2026, 2, 10), 5)

    done = upkeep.publish_calendar(nodes.district, TABLES)
    sync_all(nodes)

    assert done == [(2025, 1, True), (2026, 1, True)]
    assert before == Due(date(2026, 2, 17), is_provisional=True)
    for node in nodes:
        after = node.calendar.add_workdays(date(2026, 2, 10), 5)
        assert after == Due(date(2026, 2, 24), is_provisional=False)
        assert node.calendar == Calendar(TABLES)
        assert upkeep.verify(node).faults == ()
    assert shared_digests(nodes.village, nodes.town)


def test_a_later_version_of_a_year_takes_the_place_of_the_earlier(
    nodes: Three,
) -> None:
    upkeep.publish_calendar(nodes.district, [*TABLES, NEXT])
    sync_all(nodes)
    whole = YearTable(2027, (*NEXT.rest, Day(date(2027, 1, 4), "元旦")), (), "更正通知")

    done = upkeep.publish_calendar(nodes.district, [whole])
    sync_all(nodes)

    assert done == [(2027, 2, True)]
    for node in nodes:
        assert versions(node) == [(2025, 1), (2026, 1), (2027, 2)]
        assert node.calendar.add_workdays(AUTUMN, 30).on == date(2027, 1, 5)


def test_which_version_is_in_force_does_not_depend_on_the_way(nodes: Three) -> None:
    other = YearTable(2027, (), (), "甲")
    for version, table in ((2, NEXT), (1, other)):
        payload = encode(PublishedTable(version, table))
        put_entry(nodes.district, b"", payload, kind="calendar", scope=PUBLIC)
    sync_all(nodes)

    assert {n.calendar.tables for n in (nodes.town, nodes.village)} == {(NEXT,)}
    upkeep.rebuild(nodes.district)
    assert nodes.district.calendar.tables == (NEXT,)


def test_publishing_the_same_again_adds_nothing(nodes: Three) -> None:
    upkeep.publish_calendar(nodes.district, TABLES)
    before = digests(nodes.district)

    done = upkeep.publish_calendar(nodes.district, TABLES)

    assert done == [(2025, 1, False), (2026, 1, False)]
    assert digests(nodes.district) == before


def test_publishing_is_written_down_with_year_and_source(nodes: Three) -> None:
    upkeep.publish_calendar(nodes.district, [NEXT, NEXT])

    found = [
        (row.subject, row.note, row.by)
        for row in nodes.district.store.registry.audits(99)
        if row.act == audit.PUBLISH_CALENDAR
    ]
    assert found == [("2027", "通知", "operator")]


def test_only_the_district_may_publish_a_calendar(nodes: Three) -> None:
    for node in (nodes.town, nodes.village):
        with pytest.raises(NotAllowed):
            upkeep.publish_calendar(node, TABLES)
        assert node.calendar == Calendar()


def test_a_town_that_publishes_all_the_same_is_refused_by_everybody(
    nodes: Three,
) -> None:
    payload = encode(PublishedTable(1, NEXT))
    put_entry(nodes.town, b"", payload, kind="calendar", scope=PUBLIC)
    chunk = chunk_of(nodes.town, StreamId(nodes.town.id, 1, PUBLIC))

    send(nodes.town, nodes.district, parcel([chunk]))

    assert "may not publish to all" in refusals(nodes.district)[0][1]
    assert nodes.district.calendar == Calendar()


def test_a_calendar_outside_the_public_stream_is_none(nodes: Three) -> None:
    payload = encode(PublishedTable(1, NEXT))
    put_entry(nodes.village, b"", payload, kind="calendar")

    sync_all(nodes)

    assert [node.calendar.tables for node in nodes] == [()] * 4
    assert causes(nodes.town) == []


@pytest.mark.parametrize(
    "payload",
    [
        *(encode(PublishedTable(1, table)) for table in HOSTILE.values()),
        encode(PublishedTable(0, NEXT)),
        encode(PublishedTable(2**40, NEXT)),
        encode((1, (2027, (("2027-02-30", "x"),), (), "x"))),
        encode((1, (2027, (), (), "x" * 20_000))),
        b"",
        b"\xc1",
    ],
)
def test_a_table_that_cannot_be_is_set_aside_and_the_others_stay(
    nodes: Three, payload: bytes
) -> None:
    upkeep.publish_calendar(nodes.district, TABLES)

    put_entry(nodes.district, b"", payload, kind="calendar", scope=PUBLIC)
    upkeep.publish_calendar(nodes.district, [NEXT])
    sync_all(nodes)

    for node in (nodes.town, nodes.village):
        assert causes(node) == ["calendar"]
        assert node.calendar == Calendar([*TABLES, NEXT])


def test_the_table_is_made_again_from_the_entries(nodes: Three) -> None:
    upkeep.publish_calendar(nodes.district, TABLES)
    sync_all(nodes)
    town = nodes.town
    kept = rows(town, "SELECT * FROM calendars ORDER BY entry")
    tamper(town, "DELETE FROM calendars WHERE year = 2026")
    town = nodes.town = reopen(town.home.path, nodes.clock)
    assert not town.calendar.knows(2026)
    assert any("calendars" in fault for fault in upkeep.verify(town).faults)

    upkeep.rebuild(town)

    assert rows(town, "SELECT * FROM calendars ORDER BY entry") == kept
    assert town.calendar == Calendar(TABLES)
    assert upkeep.verify(town).faults == ()


def test_a_publication_that_is_cut_off_has_changed_nothing(
    nodes: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    upkeep.publish_calendar(nodes.district, TABLES)
    before = digests(nodes.district)

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as power:
        power.setattr(calendars, "on_change", cut)
        with pytest.raises(KeyboardInterrupt):
            upkeep.publish_calendar(nodes.district, [NEXT])

    assert nodes.district.calendar == Calendar(TABLES)
    assert digests(nodes.district) == before


# -- what leans on it is told ---------------------------------------------------------


def test_a_change_is_told_once_on_every_node_and_not_by_a_rebuild(
    nodes: Three, told: list[tuple[bytes, int, int]]
) -> None:
    upkeep.publish_calendar(nodes.district, TABLES)
    upkeep.publish_calendar(nodes.district, TABLES)
    for _ in range(3):
        sync_all(nodes)
    for node in nodes:
        upkeep.rebuild(node)
        assert upkeep.verify(node).faults == ()

    for node in nodes:
        heard = [(before, after) for who, before, after in told if who == node.id]
        assert heard == [(0, 1), (1, 2)], node.certificate.name


def test_who_only_kept_a_table_takes_it_up_after_the_upgrade(
    nodes: Three, told: list[tuple[bytes, int, int]]
) -> None:
    """A town whose program knew of no calendar has stored and forwarded it."""
    upkeep.publish_calendar(nodes.district, [NEXT])
    sync_all(nodes)
    town = nodes.town
    tamper(town, "UPDATE entries SET verdict = 'kept' WHERE kind = 'calendar'")
    tamper(town, "DELETE FROM calendars")
    tamper(town, "UPDATE settings SET value = x'31' WHERE key = 'judge_version'")
    town.close()
    told.clear()

    nodes.town = reopen(town.home.path, nodes.clock)

    assert nodes.town.store.registry.setting(upgrade.VERSION_SETTING) != b"1"
    assert nodes.town.calendar == Calendar([NEXT])
    assert told == [(town.id, 0, 1)]


def test_a_table_that_comes_while_the_node_is_open_is_seen_at_once(
    nodes: Three,
) -> None:
    """Another process of this home has taken it in."""
    before = nodes.village.calendar
    other = nodes.village.another_connection()
    try:
        upkeep.publish_calendar(nodes.district, TABLES)
        sync(nodes.town, nodes.district)
        sync(other, nodes.town)
    finally:
        other.close()

    assert before == Calendar()
    assert nodes.village.calendar == Calendar(TABLES)
    assert VILLAGE in digests(nodes.village)


def test_a_table_that_comes_while_a_case_is_judged_counts_for_its_row_and_line(
    nodes: Three,
) -> None:
    village, district = nodes.village, nodes.district
    case = submit(village)
    free = YearTable(2026, (Day(date(2026, 11, 24), "停"),), (), "通知")
    process = reopen(district.home.path, nodes.clock)

    class Meanwhile:
        """Another process publishes while the child judges the case."""

        def run(self, jobs: Iterable[Job]) -> list[Outcome]:
            asked = list(jobs)
            district.sandbox = sandbox()
            upkeep.publish_calendar(process, [free])
            return sandbox().run(asked)

    district.sandbox = Meanwhile()  # type: ignore[assignment]
    born = chunk_of(village, StreamId(village.id, 1, VILLAGE))
    try:
        send(village, district, parcel([born]))
    finally:
        process.close()

    row = district.store.cases.get(bytes.fromhex(case.id))
    assert row is not None and row.due_on == "2026-11-30"  # on Friday without the table
    assert upkeep.verify(district).faults == ()


@pytest.mark.parametrize(
    ("today", "year"),
    [
        ("2026-11-15", 0),
        ("2026-11-16", 2027),
        ("2026-12-31", 2027),
        ("2025-12-31", 0),
        ("2027-01-01", 2027),
        ("2024-12-31", 2024),
    ],
)
def test_next_year_is_missed_after_the_middle_of_november(
    today: str, year: int
) -> None:
    found = calendars.missing_year(Calendar(TABLES), date.fromisoformat(today))

    assert found == year


def test_items_that_would_be_due_beyond_the_calendar_are_counted(nodes: Three) -> None:
    upkeep.publish_calendar(nodes.district, TABLES)
    promises = [
        package.item.promise_workdays
        for row in nodes.district.store.registry.current_packages()
        if (package := nodes.district.package(row.digest))
    ]

    spring = calendars.items_beyond(nodes.district, date(2026, 3, 2))
    eve = calendars.items_beyond(nodes.district, date(2026, 12, 31))

    assert spring == 0
    assert eve == len(promises) == 3
