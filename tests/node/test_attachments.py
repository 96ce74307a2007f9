"""Attachments between real nodes: asked for, given, taken, acknowledged, relayed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node import attachments, casework, drafting, tidy, upkeep
from node.cases import open_case
from node.errors import AnswersWrong
from node.lifecycle import State, Step
from node.progress import Progress, ways
from sync.pieces import PIECE_BYTES, Want
from sync.stream import KIND_HOLDING
from tests.node import papers
from tests.node.forge import bundle_for, refusals
from tests.node.nodes import (
    ELDER,
    NOON_MS,
    OTHER_VILLAGE,
    VILLAGE,
    Three,
    causes,
    enrolled,
    reopen,
    rows,
    step,
    submit,
    three,
)
from tests.node.papers import (
    PIECES,
    SCAN_BYTES,
    agree,
    agree_all,
    asked,
    attach,
    clean,
    content,
    fetch,
    fetch_all,
    progress_of,
    scan,
    submit_with,
    taken_in,
    who,
)

ROOT = Path(upkeep.__file__).parents[1]
# -- the way of a file --------------------------------------------------------------


def test_a_file_travels_up_and_each_end_says_how_far_it_has_come(
    nodes: Three, tmp_path: Path
) -> None:
    path = scan(tmp_path)
    case = submit_with(nodes.village, path)
    (digest,) = case.materials
    assert progress_of(nodes.village, case) == Progress(1, 1, 0, 0)

    agree(nodes.village, nodes.town)
    assert progress_of(nodes.town, case) == Progress(1, 0, None, 0)
    assert asked(nodes.town, nodes.village) == {digest: 0}
    assert fetch(nodes.town, nodes.village).whole == 1

    assert content(nodes.town, digest) == path.read_bytes()
    assert progress_of(nodes.town, case) == Progress(1, 1, None, 0)
    assert asked(nodes.town, nodes.village) == {}
    assert progress_of(nodes.village, case) == Progress(1, 1, 0, 0)
    agree(nodes.village, nodes.town)
    assert progress_of(nodes.village, case) == Progress(1, 1, 1, 0)

    agree(nodes.town, nodes.district)
    assert fetch(nodes.district, nodes.town).whole == 1
    agree_all(nodes)
    assert progress_of(nodes.town, case) == Progress(1, 1, None, 1)
    assert progress_of(nodes.village, case) == Progress(1, 1, 1, 1)
    clean(*nodes)


def test_nobody_is_asked_for_what_he_is_not_known_to_hold(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit_with(nodes.village, scan(tmp_path))
    agree_all(nodes)

    # The district knows the case; the town has not got the file yet.
    assert asked(nodes.district, nodes.town) == {}
    assert asked(nodes.district, nodes.village) == dict.fromkeys(case.materials, 0)
    assert asked(nodes.village, nodes.town) == {}


def test_a_file_that_the_town_adds_goes_down_and_up(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit(nodes.village)
    agree_all(nodes)
    digest = attach(nodes.town, case.id, scan(tmp_path))

    for node in (nodes.village, nodes.district):
        fetch_all(node, nodes.town)

    assert content(nodes.village, digest) == content(nodes.district, digest)
    agree_all(nodes)
    assert progress_of(nodes.village, case) == Progress(1, 1, 1, 1)
    clean(*nodes)


def test_the_files_of_the_oldest_cases_are_asked_for_first_and_not_all_at_once(
    nodes: Three, tmp_path: Path
) -> None:
    digests = [
        next(iter(submit_with(nodes.village, scan(tmp_path, f"{n}.pdf", 40)).materials))
        for n in range(70)
    ]
    agree(nodes.village, nodes.town)

    assert list(asked(nodes.town, nodes.village)) == digests[:64]
    fetch(nodes.town, nodes.village)
    assert list(asked(nodes.town, nodes.village)) == digests[64:]


def test_the_files_of_an_urgent_case_overtake_those_of_older_ones(
    nodes: Three, tmp_path: Path
) -> None:
    village, town = nodes.village, nodes.town
    cases = [
        submit_with(village, scan(tmp_path, f"{number}.pdf", 40)) for number in range(3)
    ]
    agree(village, town)
    facts = {"approver": "林局长"}
    casework.take_step(town, cases[2].id, Step.HURRY, note="住院", facts=facts)
    agree(village, town)
    (urgent,), (oldest,) = (list(one.materials) for one in (cases[2], cases[0]))

    wants = attachments.wants(town, who(town, village))
    owed = list(attachments.unacknowledged(village, who(village, town)))

    for found in (wants, owed):
        assert len(found) == 3
        assert [one.digest.hex() for one in found][:2] == [urgent, oldest]


def test_a_neighbour_gets_the_rest_of_what_it_holds_in_part(
    nodes: Three, tmp_path: Path
) -> None:
    path = scan(tmp_path)
    (digest,) = submit_with(nodes.village, path).materials
    agree(nodes.village, nodes.town)

    for held in range(PIECES):
        assert asked(nodes.town, nodes.village) == {digest: held}
        assert fetch(nodes.town, nodes.village, most=1).taken == 1
        assert asked(nodes.village, nodes.town) == {}

    assert content(nodes.town, digest) == path.read_bytes()


def test_one_file_in_two_cases_is_fetched_once_and_acknowledged_for_both(
    nodes: Three, tmp_path: Path
) -> None:
    path = scan(tmp_path)
    first, second = (submit_with(nodes.village, path) for _ in range(2))
    assert list(first.materials) == list(second.materials)
    agree(nodes.village, nodes.town)

    assert fetch(nodes.town, nodes.village).taken == PIECES
    third = submit_with(nodes.village, path)
    agree(nodes.village, nodes.town)
    assert asked(nodes.town, nodes.village) == {}
    agree(nodes.village, nodes.town)

    for case in (first, second, third):
        assert progress_of(nodes.village, case) == Progress(1, 1, 1, 0)
    clean(nodes.town, nodes.village)


def test_a_file_of_two_villages_is_acknowledged_in_each_one_s_scope(
    nodes: Three, tmp_path: Path
) -> None:
    path = scan(tmp_path)
    here, there = (
        submit_with(nodes.village, path),
        submit_with(nodes.other_village, path),
    )
    agree(nodes.village, nodes.town)
    agree(nodes.other_village, nodes.town)
    fetch(nodes.town, nodes.village)
    agree(nodes.village, nodes.town)
    agree(nodes.other_village, nodes.town)

    assert progress_of(nodes.village, here).town == 1
    assert progress_of(nodes.other_village, there).town == 1
    said = rows(nodes.town, "SELECT scope FROM holders ORDER BY scope")
    assert [row[0] for row in said] == [VILLAGE, OTHER_VILLAGE]
    assert all(
        row[0] == VILLAGE for row in rows(nodes.village, "SELECT scope FROM holders")
    )


def test_a_case_is_decided_while_its_photograph_is_on_its_way(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit_with(nodes.village, scan(tmp_path))
    agree(nodes.village, nodes.town)
    fetch(nodes.town, nodes.village, most=2)
    step(nodes.town, case.id, Step.ACCEPT)
    casework.forward_batch(nodes.town, [case.id])
    agree_all(nodes)
    decided = step(nodes.district, case.id, Step.GRANT)
    agree_all(nodes)

    assert decided.story.state is State.GRANTED
    assert progress_of(nodes.district, case) == Progress(1, 0, None, None)
    (way,) = ways(nodes.town, case.row.document).values()
    assert (way.is_here, way.percent) == (False, 50)
    fetch_all(nodes.town, nodes.village)
    fetch_all(nodes.district, nodes.town)
    assert progress_of(nodes.district, case).is_all_here
    assert open_case(nodes.village, case.id).story.state is State.GRANTED


def test_the_sender_shows_how_much_the_receiver_said_to_have(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit_with(nodes.village, scan(tmp_path))
    agree(nodes.village, nodes.town)
    fetch(nodes.town, nodes.village, most=3)
    assert [w.percent for w in ways(nodes.village, case.row.document).values()] == [0]

    fetch(nodes.town, nodes.village, most=0)

    (way,) = ways(nodes.village, case.row.document).values()
    assert (way.is_here, way.percent, way.town) == (True, 75, False)


def test_what_is_not_acknowledged_is_given_to_a_way_without_questions(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit_with(nodes.village, scan(tmp_path), scan(tmp_path, "户口本.pdf"))
    other = submit_with(nodes.other_village, scan(tmp_path, "别村.pdf"))
    agree(nodes.village, nodes.town)
    agree(nodes.other_village, nodes.town)
    town = who(nodes.village, nodes.town)

    owed = list(attachments.unacknowledged(nodes.village, town))
    assert {want.digest.hex() for want in owed} == set(case.materials)
    pieces = list(attachments.pieces(nodes.village, town, owed))
    done = attachments.take(nodes.town, pieces)

    assert (done.taken, done.whole, done.gaps, done.refused) == (2 * PIECES, 2, 0, [])
    agree(nodes.village, nodes.town)
    assert list(attachments.unacknowledged(nodes.village, town)) == []
    fetch(nodes.town, nodes.other_village)
    # The town owes the district all of them, and no village those of another.
    district = who(nodes.town, nodes.district)
    owed = list(attachments.unacknowledged(nodes.town, district))
    assert {w.digest.hex() for w in owed} == {*case.materials, *other.materials}
    village = who(nodes.town, nodes.village)
    assert list(attachments.unacknowledged(nodes.town, village)) == []


# -- cuts, repetition, disorder -----------------------------------------------------


@given(st.data())
@settings(
    deadline=None,
    derandomize=True,
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_order_any_repetition_and_any_loss_only_cost_time(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("run")
    with three(folder) as nodes:
        paths = [scan(folder, f"{n}.pdf", size) for n, size in enumerate((9, 70_000))]
        case = submit_with(nodes.village, *paths)
        agree(nodes.village, nodes.town)
        town = who(nodes.village, nodes.town)
        pieces = list(
            attachments.pieces(
                nodes.village,
                town,
                list(attachments.unacknowledged(nodes.village, town)),
            )
        )

        for _ in range(data.draw(st.integers(0, 4))):
            some = data.draw(st.lists(st.sampled_from(pieces), max_size=6))
            done = attachments.take(nodes.town, some)
            assert done.refused == []
            clean(nodes.town)
        attachments.take(nodes.town, pieces)

        assert [content(nodes.town, d) for d in case.materials] == [
            content(nodes.village, d) for d in case.materials
        ]
        agree(nodes.village, nodes.town)
        assert progress_of(nodes.village, case) == Progress(2, 2, 2, 0)
        said = rows(nodes.town, "SELECT count(*) FROM holders")
        assert said == [(2,)]
        clean(nodes.town, nodes.village)


def test_pieces_that_come_before_their_case_or_their_turn_are_counted_as_gaps(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit_with(nodes.village, scan(tmp_path))
    town = who(nodes.village, nodes.town)
    owed = list(attachments.unacknowledged(nodes.village, town))
    pieces = list(attachments.pieces(nodes.village, town, owed))

    assert attachments.take(nodes.town, pieces).gaps == PIECES
    agree(nodes.village, nodes.town)
    ahead = attachments.take(nodes.town, pieces[1:])
    assert (ahead.taken, ahead.gaps, ahead.refused) == (0, PIECES - 1, [])
    assert attachments.take(nodes.town, pieces).whole == 1

    assert attachments.take(nodes.town, pieces).taken == 0
    assert progress_of(nodes.town, case).is_all_here
    assert refusals(nodes.town) == []


_RECEIVE = f"""
import sys
from itertools import islice
from pathlib import Path
from tests.node.nodes import Clock, reopen, sandbox
from tests.node.papers import fetch, taken_in
town = reopen(Path(sys.argv[1]), Clock({NOON_MS} + int(sys.argv[3]) * 100_000))
village = reopen(Path(sys.argv[2]), Clock({NOON_MS}))
print("open", flush=True)
while fetch(town, village, most=1).taken:
    print("taken", flush=True)
sandbox().close()
print("done", flush=True)
"""


def test_a_receiver_that_is_killed_goes_on_where_it_was(
    nodes: Three, tmp_path: Path
) -> None:
    paths = [scan(tmp_path, f"{n}.pdf", 40 * PIECE_BYTES + n) for n in range(3)]
    case = submit_with(nodes.village, *paths)
    agree(nodes.village, nodes.town)
    homes = [str(node.home.path) for node in (nodes.town, nodes.village)]
    nodes.town.close()

    taken = kills = 0
    for number in range(60):
        child = subprocess.Popen(
            [sys.executable, "-c", _RECEIVE, *homes, str(number)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert child.stdout is not None
        lines = []
        for line in child.stdout:
            lines.append(line.strip())
            if len(lines) > 2 + number % 23:
                break
        child.send_signal(signal.SIGKILL)
        rest, _ = child.communicate()
        lines += rest.split()
        taken += lines.count("taken")
        if "done" in lines:
            break
        kills += 1

    nodes.town = reopen(Path(homes[0]), nodes.clock)
    assert kills >= 5
    assert [content(nodes.town, digest) for digest in case.materials] == [
        content(nodes.village, digest) for digest in case.materials
    ]
    # At most one piece was taken and not said to be, each time.
    count = sum(-(-path.stat().st_size // PIECE_BYTES) for path in paths)
    assert count - kills <= taken <= count
    agree(nodes.village, nodes.town)
    assert progress_of(nodes.village, case) == Progress(3, 3, 3, 0)
    clean(nodes.town)
    assert tidy.sweep(nodes.town) == 0


def test_a_file_that_was_whole_when_the_program_ended_is_taken_up(
    nodes: Three, tmp_path: Path
) -> None:
    path = scan(tmp_path)
    case = submit_with(nodes.village, path)
    (digest,) = case.materials
    agree(nodes.village, nodes.town)
    files = attachments.files_of(nodes.town)
    with path.open("rb") as source, files.alone():
        files.name_new(files.seal_new(source, SCAN_BYTES))

    # Named on disk, and no row of it: as if killed between the two.
    assert asked(nodes.town, nodes.village) == {}
    assert content(nodes.town, digest) == path.read_bytes()
    agree(nodes.village, nodes.town)
    assert progress_of(nodes.village, case).town == 1
    clean(nodes.town)


def test_two_processes_that_receive_at_once_say_it_once(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit_with(nodes.village, scan(tmp_path))
    agree(nodes.village, nodes.town)
    beside = nodes.town.another_connection()
    town = who(nodes.village, nodes.town)
    owed = list(attachments.unacknowledged(nodes.village, town))
    pieces = list(attachments.pieces(nodes.village, town, owed))

    for piece in pieces:
        for node in (beside, nodes.town):
            attachments.take(node, [piece])
    beside.close()

    assert progress_of(nodes.town, case).is_all_here
    said = rows(nodes.town, "SELECT count(*) FROM entries WHERE kind = ?", KIND_HOLDING)
    assert said == [(1,)]
    clean(nodes.town)


# -- what a step may name -------------------------------------------------------------


def test_a_file_that_is_not_here_cannot_be_named(nodes: Three) -> None:
    draft = drafting.begin_draft(
        nodes.village, ELDER, papers.ANSWERS | {"photo": "ab" * 32}
    )

    with pytest.raises(AnswersWrong) as wrong:
        drafting.submit_draft(nodes.village, draft)

    assert wrong.value.problems[0][1] == "材料"
    assert nodes.village.store.drafts.get(draft.document) == draft


def test_an_answer_that_names_a_file_brings_it_along(
    nodes: Three, tmp_path: Path
) -> None:
    digest = taken_in(nodes.village, scan(tmp_path))

    case = submit(nodes.village, photo=digest)

    assert case.materials[digest].name == "身份证.pdf"
    assert case.materials[digest].kind == "application/pdf"
    assert case.materials[digest].size == SCAN_BYTES


def test_the_same_file_is_written_into_a_case_once(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit_with(nodes.village, scan(tmp_path))
    (digest,) = case.materials

    again = casework.take_step(
        nodes.village, case.id, Step.AMEND, answers={"photo": digest}, files=[digest]
    )
    agree(nodes.village, nodes.town)

    assert again.materials == case.materials
    assert causes(nodes.town) == []


def test_a_node_of_another_town_knows_nothing_of_a_file(
    nodes: Three, tmp_path: Path
) -> None:
    other = enrolled(nodes.district, tmp_path / "town2", "town", "330881106000", "别镇")
    case = submit_with(nodes.village, scan(tmp_path))
    (digest,) = case.materials
    fetch_all(nodes.town, nodes.village)
    fetch_all(nodes.district, nodes.town)
    agree(other, nodes.district)
    want = Want(bytes.fromhex(digest), 0)

    assert papers.given(nodes.district, other, [want]) == []
    assert (
        list(attachments.unacknowledged(nodes.district, who(nodes.district, other)))
        == []
    )
    assert len(refusals(nodes.district)) == 1
    other.close()


def test_bundles_without_files_are_as_they_were(nodes: Three) -> None:
    submit(nodes.village)

    assert len(bundle_for(nodes.village, nodes.town)) < 4096
