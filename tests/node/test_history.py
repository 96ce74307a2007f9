"""What each event changed, who signed it, when it came; on real nodes."""

from pathlib import Path

from node import casework, history, intake, settling
from node.cases import Case, open_case, records_of
from node.corrections import late_faults
from node.history import Edit, Trace
from node.lifecycle import Step
from node.wiring import Node
from tests.node.nodes import ANSWERS, Three, step, submit, sync, sync_all

HOUR_MS = 3600 * 1000


def traced(node: Node, case: str) -> list[Trace]:
    """Return what is known of the events of a case, in the order of its story."""
    found = open_case(node, case)
    traces = history.traces(node, found)
    return [traces[one.id] for one in found.story.happened]


def test_every_event_says_who_signed_it_and_what_it_changed(nodes: Three) -> None:
    case = submit(nodes.village)
    sync_all(nodes)
    step(nodes.town, case.id, Step.RETURN, note="核对电话")
    sync_all(nodes)
    step(nodes.village, case.id, Step.SUBMIT, phone="13700137000")
    sync_all(nodes)

    for node in (nodes.village, nodes.town, nodes.district):
        first, back, again = traced(node, case.id)

        assert first.is_first and {one.key for one in first.edits} >= {"phone", "name"}
        assert all(one.before == () for one in first.edits)
        assert [one.author.name for one in (first, back, again) if one.author] == [
            "上塘村",
            "石门镇",
            "上塘村",
        ]
        assert back.edits == ()
        assert again.edits == (Edit("phone", (ANSWERS["phone"],), "13700137000"),)


def test_what_ended_a_dispute_shows_both_values_before(nodes: Three) -> None:
    case = submit(nodes.village)
    sync_all(nodes)
    step(nodes.village, case.id, Step.AMEND, phone="13700137001")
    step(nodes.town, case.id, Step.AMEND, phone="13700137002")
    sync_all(nodes)

    (open_one,) = open_case(nodes.town, case.id).matters
    settling.settle(nodes.town, case.id, open_one, value="13700137002", note="电话核实")
    sync_all(nodes)

    for node in (nodes.village, nodes.town, nodes.district):
        last = traced(node, case.id)[-1]
        (edit,) = last.edits
        assert set(edit.before) == {"13700137001", "13700137002"}
        assert edit.after == "13700137002"


def test_an_event_tells_when_it_came_here_and_ours_when_it_came_above(
    nodes: Three,
) -> None:
    case = submit(nodes.village)
    (before,) = traced(nodes.village, case.id)
    written_ms = case.story.happened[0].event.at
    nodes.clock.advance(3 * HOUR_MS)
    sync(nodes.village, nodes.town)
    nodes.clock.advance(HOUR_MS)
    sync(nodes.town, nodes.district)

    (ours,) = traced(nodes.village, case.id)
    (theirs,) = traced(nodes.town, case.id)
    (far,) = traced(nodes.district, case.id)

    assert before.receipt is None
    assert ours.receipt and ours.receipt.by and ours.receipt.by.name == "石门镇"
    assert theirs.receipt and theirs.receipt.by is None
    assert far.receipt is not None
    assert 3 * HOUR_MS <= theirs.receipt.at_ms - written_ms < 4 * HOUR_MS
    assert 0 <= ours.receipt.at_ms - theirs.receipt.at_ms < HOUR_MS
    assert far.receipt.at_ms - theirs.receipt.at_ms >= HOUR_MS


def test_a_file_is_told_with_the_event_that_it_came_with(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit(nodes.village)
    file = tmp_path / "证明.txt"
    file.write_bytes(b"x")
    digest, _ = intake.take_in(nodes.village, file, case.package.item)
    casework.take_step(nodes.village, case.id, Step.AMEND, files=[digest])

    first, second = traced(nodes.village, case.id)

    assert (first.files, second.files) == ((), (digest,))


def returned(node: Node, case: Case, **faults: str) -> None:
    facts = {f"fault/{key}": text for key, text in faults.items()}
    casework.take_step(node, case.id, Step.RETURN, note="请补正", facts=facts)


def test_a_fault_that_the_first_notice_left_out_is_marked_at_every_node(
    nodes: Three,
) -> None:
    case = submit(nodes.village)
    sync_all(nodes)
    returned(nodes.town, case, phone="空号", name="错字", home_address="不详")
    sync_all(nodes)
    step(nodes.village, case.id, Step.SUBMIT, phone="13700137000")
    sync_all(nodes)
    returned(nodes.town, case, phone="还是空号", contact_name="没有填全名")
    sync_all(nodes)

    for node in (nodes.village, nodes.town, nodes.district):
        found = open_case(node, case.id)
        late = late_faults(found, records_of(found))

        (event,) = late
        assert event == found.story.happened[-1].id
        assert [one.target for one in late[event]] == ["contact_name"]


def test_who_was_asked_first_stays_whatever_happens_and_wherever_it_is_read(
    nodes: Three,
) -> None:
    case = submit(nodes.village)
    first = case.story.happened[0]
    sync_all(nodes)

    step(nodes.village, case.id, Step.AMEND, phone="13700137001")
    step(nodes.town, case.id, Step.AMEND, phone="13700137002")
    step(nodes.village, case.id, Step.WITHDRAW, "不办了")
    step(nodes.town, case.id, Step.ACCEPT)
    sync_all(nodes)

    for node in (nodes.village, nodes.town, nodes.district):
        found = open_case(node, case.id)
        assert found.row.open_count, "there is a conflict, and it changes nothing here"
        assert found.story.happened[0] == first
