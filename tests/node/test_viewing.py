"""Who has seen a person's numbers: written down once a day, in nobody's way."""

import pytest

from forms.citizen_id import expected_check_character
from node import audit, viewing
from node.cases import open_case
from node.lifecycle import Step
from node.store.registry import AuditRow
from node.wiring import Node
from tests.node.forge import put_back
from tests.node.nodes import ANSWERS, Three, step, submit, sync_all

DAY_MS = 24 * 3600 * 1000
MEN = ("33088119450315003", "33088119450315005")


def views(node: Node) -> list[AuditRow]:
    """Return what is written down of views, the oldest first."""
    rows = node.store.registry.audits(999)
    return [row for row in rows[::-1] if row.act in viewing.SEEN]


def test_a_view_is_written_down_once_for_a_case_an_operator_and_a_day(
    nodes: Three,
) -> None:
    town = nodes.town
    cases = [submit(nodes.village) for _ in range(2)]
    sync_all(nodes)
    before = len(views(town))

    for _ in range(3):
        for case in cases:
            viewing.seen(town, open_case(town, case.id), audit.VIEW)
    of_the_day = views(town)[before:]
    town.operator = "another"
    viewing.seen(town, cases[0], audit.VIEW)
    nodes.clock.advance(DAY_MS)
    viewing.seen(town, cases[0], audit.VIEW)
    viewing.seen(town, cases[0], audit.VIEW)
    viewing.seen(town, cases[0], audit.VIEW_WHOLE)

    assert [row.subject for row in of_the_day] == [one.row.number for one in cases]
    later = views(town)[before + 2 :]
    assert [(row.by, row.act) for row in later] == [
        ("another", audit.VIEW),
        ("another", audit.VIEW),
        ("another", audit.VIEW_WHOLE),
    ]


def test_a_view_is_told_above_and_names_nobody(nodes: Three) -> None:
    case = submit(nodes.village)
    viewing.seen(nodes.village, case, audit.VIEW_WHOLE)

    sync_all(nodes)

    (row,) = views(nodes.district)
    assert (row.node, row.subject) == (nodes.village.id, case.row.number)
    assert (row.note, row.peer, row.by) == ("", b"", nodes.village.operator)
    text = "".join((row.subject, row.note, row.by))
    assert not any(ANSWERS[key] in text for key in ("name", "citizen_id", "phone"))


def test_a_case_is_shown_all_the_same_where_nothing_can_be_written(
    nodes: Three,
) -> None:
    case = submit(nodes.village)
    put_back(nodes.village)

    viewing.seen(nodes.village, case, audit.VIEW)

    assert views(nodes.village) == []


@pytest.mark.parametrize("act", viewing.SEEN)
def test_a_case_without_such_answers_is_no_view(nodes: Three, act: str) -> None:
    case = submit(nodes.village)
    for key in list(case.fields):
        field = case.package.question(key)
        if field is not None and field.kind in viewing.SEEN[act]:
            del case.fields[key]

    viewing.seen(nodes.village, case, act)

    assert views(nodes.village) == []


def test_two_id_numbers_to_choose_from_are_seen_in_full(nodes: Three) -> None:
    case = submit(nodes.village)
    sync_all(nodes)
    for node, number in ((nodes.village, MEN[0]), (nodes.town, MEN[1])):
        step(node, case.id, Step.AMEND, citizen_id=whole(number))
    viewing.opened(nodes.village, open_case(nodes.village, case.id))
    sync_all(nodes)
    viewing.opened(nodes.town, open_case(nodes.town, case.id))

    acts = {row.node: row.act for row in views(nodes.town)}

    assert acts == {nodes.village.id: audit.VIEW, nodes.town.id: audit.VIEW_WHOLE}


def whole(number: str) -> str:
    return number + expected_check_character(number)
