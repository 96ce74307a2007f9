"""Files between nodes, of which one does not mean well or has troubles of its own."""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from node import absorb, attachments, journal, upkeep
from node.attachments import Holding
from node.errors import StoreDamaged
from node.lifecycle import Step
from node.progress import Progress
from node.wiring import Node
from sync.canonical import encode
from sync.pieces import PIECE_BYTES, Piece, Want
from sync.stream import KIND_HOLDING
from tests.node import papers
from tests.node.forge import chunk_of, copy_of, parcel, put_entry, refusals, send
from tests.node.nodes import (
    Three,
    causes,
    clone,
    reopen,
    rows,
    shared_digests,
    step,
    submit,
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
    holders,
    progress_of,
    scan,
    submit_with,
    who,
)

# -- who does not mean well ---------------------------------------------------------


def test_wrong_pieces_are_refused_and_the_file_comes_from_an_honest_one(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit_with(nodes.village, scan(tmp_path), scan(tmp_path, "户口本.pdf"))
    agree(nodes.village, nodes.town)
    town = who(nodes.village, nodes.town)
    owed = list(attachments.unacknowledged(nodes.village, town))
    good = list(attachments.pieces(nodes.village, town, owed))
    bad = [
        replace(good[0], data=bytes(PIECE_BYTES)),
        replace(good[4], following=good[0].following),
        Piece(b"x" * 32, 0, b"", b"never named"),
    ]

    done = attachments.take(nodes.town, [*bad, good[0]])
    assert (done.taken, done.gaps, len(done.refused)) == (1, 1, 2)
    assert all("nothing of that was stored" in said for said in done.refused)

    assert attachments.take(nodes.town, good).whole == 2
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
        for vector in nodes.village.store.vectors.all()
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
