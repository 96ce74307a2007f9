"""Attachments between real nodes: asked for, given, taken, acknowledged, relayed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from node import absorb, attachments, casework, journal, tidy, upkeep
from node.attachments import Holding
from node.cases import open_case
from node.errors import AnswersWrong, StoreDamaged
from node.lifecycle import State, Step
from node.progress import Progress, ways
from node.wiring import Node
from sync.canonical import encode
from sync.pieces import PIECE_BYTES, Piece, Want
from sync.stream import KIND_HOLDING
from tests.node import papers
from tests.node.forge import (
    bundle_for,
    chunk_of,
    copy_of,
    parcel,
    put_entry,
    refusals,
    send,
)
from tests.node.nodes import (
    ELDER,
    NOON_MS,
    OTHER_VILLAGE,
    VILLAGE,
    Three,
    causes,
    clone,
    enrolled,
    reopen,
    rows,
    shared_digests,
    step,
    submit,
    three,
)
from tests.node.papers import (
    SCAN_BYTES,
    agree,
    agree_all,
    asked,
    attach,
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
PIECES = 4


def holders(node: Node, digest: str) -> set[bytes]:
    """Return who is known to hold a file, in any case."""
    found = rows(
        node, "SELECT node FROM holders WHERE digest = ?", bytes.fromhex(digest)
    )
    return {row[0] for row in found}


def clean(*nodes: Node) -> None:
    for node in nodes:
        assert upkeep.verify(node).faults == ()


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
    done = attachments.take(nodes.town, who(nodes.town, nodes.village), pieces)

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
        town, village = who(nodes.village, nodes.town), who(nodes.town, nodes.village)
        pieces = list(
            attachments.pieces(
                nodes.village,
                town,
                list(attachments.unacknowledged(nodes.village, town)),
            )
        )

        for _ in range(data.draw(st.integers(0, 4))):
            some = data.draw(st.lists(st.sampled_from(pieces), max_size=6))
            done = attachments.take(nodes.town, village, some)
            assert done.refused == []
            clean(nodes.town)
        attachments.take(nodes.town, village, pieces)

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
    town, village = who(nodes.village, nodes.town), who(nodes.town, nodes.village)
    owed = list(attachments.unacknowledged(nodes.village, town))
    pieces = list(attachments.pieces(nodes.village, town, owed))

    assert attachments.take(nodes.town, village, pieces).gaps == PIECES
    agree(nodes.village, nodes.town)
    ahead = attachments.take(nodes.town, village, pieces[1:])
    assert (ahead.taken, ahead.gaps, ahead.refused) == (0, PIECES - 1, [])
    assert attachments.take(nodes.town, village, pieces).whole == 1

    assert attachments.take(nodes.town, village, pieces).taken == 0
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
    town, village = who(nodes.village, nodes.town), who(nodes.town, nodes.village)
    owed = list(attachments.unacknowledged(nodes.village, town))
    pieces = list(attachments.pieces(nodes.village, town, owed))

    for piece in pieces:
        for node in (beside, nodes.town):
            attachments.take(node, village, [piece])
    beside.close()

    assert progress_of(nodes.town, case).is_all_here
    said = rows(nodes.town, "SELECT count(*) FROM entries WHERE kind = ?", KIND_HOLDING)
    assert said == [(1,)]
    clean(nodes.town)


# -- who does not mean well ---------------------------------------------------------


def test_wrong_pieces_are_refused_and_the_file_comes_from_an_honest_one(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit_with(nodes.village, scan(tmp_path), scan(tmp_path, "户口本.pdf"))
    agree(nodes.village, nodes.town)
    town, village = who(nodes.village, nodes.town), who(nodes.town, nodes.village)
    owed = list(attachments.unacknowledged(nodes.village, town))
    good = list(attachments.pieces(nodes.village, town, owed))
    bad = [
        replace(good[0], data=bytes(PIECE_BYTES)),
        replace(good[4], following=good[0].following),
        Piece(b"x" * 32, 0, b"", b"never named"),
    ]

    done = attachments.take(nodes.town, village, [*bad, good[0]])
    assert (done.taken, done.gaps, len(done.refused)) == (1, 1, 2)
    assert all("nothing of that was stored" in said for said in done.refused)

    assert attachments.take(nodes.town, village, good).whole == 2
    assert progress_of(nodes.town, case).is_all_here
    clean(nodes.town)


def test_a_file_of_a_case_that_is_not_shared_is_not_given_and_the_asking_is_kept(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit_with(nodes.village, scan(tmp_path))
    mine = submit_with(nodes.other_village, scan(tmp_path, "别村.pdf"))
    for village in (nodes.village, nodes.other_village):
        agree(village, nodes.town)
        fetch(nodes.town, village)
    wants = [Want(bytes.fromhex(d), 0) for d in (*case.materials, *mine.materials)]

    given = papers.given(nodes.town, nodes.other_village, [*wants, Want(bytes(32), 0)])

    assert {piece.digest.hex() for piece in given} == set(mine.materials)
    kept = refusals(nodes.town)
    assert len(kept) == 2 and {cause for cause, _ in kept} == {"attachment"}
    assert all("no case that both share" in said for _, said in kept)


def test_a_count_beyond_the_end_gives_nothing(nodes: Three, tmp_path: Path) -> None:
    (digest,) = submit_with(nodes.village, scan(tmp_path)).materials
    agree(nodes.village, nodes.town)

    for count in (PIECES, PIECES + 1, 640):
        want = Want(bytes.fromhex(digest), count)
        assert papers.given(nodes.village, nodes.town, [want]) == []


@pytest.mark.parametrize("size", [SCAN_BYTES - 1, SCAN_BYTES + 1, 1, 5 * 2**20])
def test_whoever_lies_about_the_size_of_a_file_only_keeps_his_own_from_arriving(
    nodes: Three, tmp_path: Path, size: int
) -> None:
    path = scan(tmp_path)
    (digest,) = submit_with(nodes.other_village, path).materials
    case = submit(nodes.village)
    copy = copy_of(nodes.village, case.id)
    record = f'{{"name":"a","size":{size}}}'
    raw = copy.write(nodes.village, "amend", more={"materials": {digest: record}})
    put_entry(nodes.village, copy.id, raw)
    agree(nodes.village, nodes.town)
    assert asked(nodes.town, nodes.village) == {digest: 0}
    agree(nodes.other_village, nodes.town)

    assert fetch(nodes.town, nodes.other_village).whole == 1

    assert content(nodes.town, digest) == path.read_bytes()
    clean(nodes.town)


def holding(*files: tuple[str, str]) -> bytes:
    pairs = tuple((bytes.fromhex(case), bytes.fromhex(d)) for case, d in files)
    return encode(Holding(pairs))


def test_what_others_claim_to_hold_harms_nobody(nodes: Three, tmp_path: Path) -> None:
    case = submit_with(nodes.village, scan(tmp_path))
    (digest,) = case.materials
    agree(nodes.village, nodes.town)
    claims = (
        holding((case.id, digest)),  # in its own scope, of another's case
        holding(("ab" * 16, digest)),  # of a case that is nowhere
        holding((case.id, "cd" * 32)),  # of a file that is not in the case
        b"\x91\x90",  # nothing at all
        b"rubbish",
        encode(((b"x" * 33, bytes(32)),)),
    )
    for payload in claims:
        put_entry(nodes.other_village, b"", payload, kind=KIND_HOLDING)
    agree(nodes.other_village, nodes.town)
    agree_all(nodes)

    assert causes(nodes.town) == causes(nodes.district) == ["holding"] * 3
    assert asked(nodes.town, nodes.other_village) == {}
    assert progress_of(nodes.village, case) == Progress(1, 1, 0, 0)
    assert fetch(nodes.town, nodes.village).whole == 1
    agree(nodes.village, nodes.town)
    assert progress_of(nodes.village, case) == Progress(1, 1, 1, 0)
    clean(nodes.district, nodes.town, nodes.village)
    before = rows(nodes.town, "SELECT * FROM holders")
    upkeep.rebuild(nodes.town)
    assert rows(nodes.town, "SELECT * FROM holders") == before


def test_what_an_author_says_to_hold_of_cases_that_are_nowhere_has_an_end(
    nodes: Three, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "MOST_AHEAD", 2)
    case = submit_with(nodes.village, scan(tmp_path))
    (digest,) = case.materials
    agree(nodes.village, nodes.town)
    for number in range(5):
        for payload in (
            holding((f"{number:032x}", digest)),  # of a case that is nowhere
            holding((case.id, f"{number:064x}")),  # of a file that is not in the case
        ):
            put_entry(nodes.other_village, b"", payload, kind=KIND_HOLDING)

    agree(nodes.other_village, nodes.town)
    fetch_all(nodes.town, nodes.village)

    assert causes(nodes.town) == ["holding"] * 8
    assert nodes.town.store.attachments.count_ahead(nodes.other_village.id) == 2
    assert nodes.town.store.attachments.count_ahead(nodes.town.id) == 0
    clean(nodes.town)


def test_whoever_says_to_hold_a_file_and_has_none_is_asked_in_vain(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit_with(nodes.village, scan(tmp_path))
    (digest,) = case.materials
    agree_all(nodes)
    put_entry(
        nodes.town,
        b"",
        holding((case.id, digest)),
        kind=KIND_HOLDING,
        scope=case.scope,
    )
    agree(nodes.town, nodes.district)

    assert asked(nodes.district, nodes.town) == {digest: 0}
    assert fetch(nodes.district, nodes.town).taken == 0
    assert fetch(nodes.district, nodes.village).whole == 1


def test_an_acknowledgement_that_comes_before_its_case_counts_when_the_case_comes(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit_with(nodes.village, scan(tmp_path))
    (digest,) = case.materials
    fetch_all(nodes.town, nodes.village)
    own = journal.own_stream(nodes.town, case.scope)
    send(nodes.town, nodes.district, parcel([chunk_of(nodes.town, own)]))
    assert holders(nodes.district, digest) == {nodes.town.id}
    assert asked(nodes.district, nodes.town) == {}
    agree(nodes.town, nodes.district)

    assert asked(nodes.district, nodes.town) == {digest: 0}
    clean(nodes.district)


# -- this node's own troubles ---------------------------------------------------------


def test_a_node_that_may_not_write_says_later_what_it_holds(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit_with(nodes.village, scan(tmp_path))
    agree(nodes.village, nodes.town)
    step(nodes.town, case.id, Step.ACCEPT)
    old = clone(nodes.town, tmp_path / "old")
    step(nodes.town, case.id, Step.WITHDRAW, "申请人不办了")
    agree(nodes.village, nodes.town)
    nodes.town.close()
    nodes.town = reopen(old, nodes.clock)
    # Its own signed word comes back, and not yet what it is about.
    signed = [
        vector.signed
        for vector in nodes.village.store.journal.vectors()
        if vector.holder == nodes.town.id
    ]
    absorb.absorb(nodes.town, parcel([], signed), nodes.village.certificate)

    assert fetch(nodes.town, nodes.village).whole == 1
    assert rows(nodes.town, "SELECT count(*) FROM holders") == [(0,)]
    assert asked(nodes.town, nodes.village) == {}
    clean(nodes.town)
    for _ in range(2):
        agree(nodes.village, nodes.town)  # until its own entry has come home
    assert asked(nodes.town, nodes.village) == {}
    agree(nodes.village, nodes.town)

    assert progress_of(nodes.village, case).town == 1
    assert nodes.village.store.branches.forks() == []
    clean(nodes.town, nodes.village)


def test_a_restored_node_gets_back_the_files_that_it_had(
    nodes: Three, tmp_path: Path
) -> None:
    before = submit(nodes.village)
    agree(nodes.village, nodes.town)
    old = clone(nodes.village, tmp_path / "old")
    path = scan(tmp_path)
    case = submit_with(nodes.village, path)
    (digest,) = case.materials
    fetch_all(nodes.town, nodes.village)
    added = attach(nodes.town, before.id, scan(tmp_path, "镇.pdf"))
    fetch_all(nodes.village, nodes.town)
    nodes.village.close()

    nodes.village = reopen(old, nodes.clock)
    fetch_all(nodes.village, nodes.town)

    # Both that of which it was the author, and that which it has said to hold.
    assert content(nodes.village, digest) == path.read_bytes()
    assert content(nodes.village, added) == content(nodes.town, added)
    clean(nodes.village)


@pytest.mark.parametrize("damage", ["gone", "short", "flipped"])
def test_a_damaged_file_is_found_and_got_again(
    nodes: Three, tmp_path: Path, damage: str
) -> None:
    path = scan(tmp_path)
    case = submit_with(nodes.village, path)
    (digest,) = case.materials
    fetch_all(nodes.town, nodes.village)
    sealed = nodes.village.home.attachments / digest
    data = bytearray(sealed.read_bytes())
    if damage == "gone":
        sealed.unlink()
    else:
        data[70_000] ^= 1
        sealed.write_bytes(data[:70_000] if damage == "short" else data)

    assert any(digest in fault for fault in upkeep.verify(nodes.village).faults)
    with pytest.raises(StoreDamaged):
        content(nodes.village, digest)

    assert asked(nodes.village, nodes.town) == {digest: 0}
    assert fetch(nodes.village, nodes.town).whole == 1
    assert content(nodes.village, digest) == path.read_bytes()
    clean(nodes.village)


def test_a_rebuild_lets_a_lost_file_be_asked_for(nodes: Three, tmp_path: Path) -> None:
    case = submit_with(nodes.village, scan(tmp_path))
    (digest,) = case.materials
    fetch_all(nodes.town, nodes.village)
    (nodes.town.home.attachments / digest).unlink()

    upkeep.rebuild(nodes.town)

    assert progress_of(nodes.town, case).here == 0
    assert asked(nodes.town, nodes.village) == {digest: 0}
    assert fetch(nodes.town, nodes.village).whole == 1
    clean(nodes.town)


def test_a_rebuild_makes_the_same_of_files_again(nodes: Three, tmp_path: Path) -> None:
    here = submit_with(nodes.village, scan(tmp_path), scan(tmp_path, "户口本.pdf"))
    fetch_all(nodes.town, nodes.village)
    attach(nodes.town, here.id, scan(tmp_path, "镇.pdf"))
    later = submit_with(nodes.village, scan(tmp_path, "后.pdf"))
    agree_all(nodes)
    tables = ("materials", "holders", "missing", "attachments")

    for node in nodes:
        before = [rows(node, f"SELECT * FROM {table}") for table in tables]
        upkeep.rebuild(node)
        assert [rows(node, f"SELECT * FROM {table}") for table in tables] == before

    assert progress_of(nodes.town, later).here == 0
    assert shared_digests(nodes.village, nodes.town)
    clean(*nodes)


def test_an_exchange_with_nothing_new_looks_at_nothing_that_is_held(
    nodes: Three, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        submit_with(nodes.village, scan(tmp_path, f"{number}.pdf", 50))
    fetch_all(nodes.town, nodes.village)
    opened: list[str] = []
    monkeypatch.setattr(os, "open", lambda path, *_: opened.append(str(path)))
    begun = nodes.town.store.journal.count_entries()

    assert asked(nodes.town, nodes.village) == {}
    assert papers.given(nodes.town, nodes.village, []) == []

    assert opened == []
    assert nodes.town.store.journal.count_entries() == begun
    assert rows_of_plan(nodes.town) == []


def rows_of_plan(node: Node) -> list[tuple[object, ...]]:
    """Return what is missing: all that such an exchange walks through."""
    return [
        *node.store.attachments.unsaid(9),
        *node.store.attachments.missing_held_by(node.id, 9),
    ]


# -- what a step may name -------------------------------------------------------------


def test_a_file_that_is_not_here_cannot_be_named(nodes: Three) -> None:
    draft = casework.begin_draft(
        nodes.village, ELDER, papers.ANSWERS | {"photo": "ab" * 32}
    )

    with pytest.raises(AnswersWrong) as wrong:
        casework.submit_draft(nodes.village, draft)

    assert wrong.value.problems[0][1] == "材料"
    assert nodes.village.store.cases.draft(draft.document) == draft


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
