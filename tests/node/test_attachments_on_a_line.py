"""Attachments in the exchange: after the entries, up and down, cut anywhere."""

from collections.abc import Iterator
from dataclasses import replace as with_fields
from itertools import count
from pathlib import Path

import pytest
from msgspec.structs import replace

from node import answering, attachments, audit, hearing, talk, upkeep
from node.lifecycle import Step
from node.progress import Progress
from node.wiring import Node
from sync.errors import PeerFault, PeerUnreachable, SyncError
from sync.exchange import LEAST_PACE_BYTES, Parcel, decode_parcel
from sync.pieces import PIECE_BYTES, Want
from tests.node.forge import bundles, parcel, refusals, send, wrap
from tests.node.nodes import VILLAGE, Three, rows, step, submit, sync, sync_all
from tests.node.papers import (
    agree,
    attach,
    content,
    progress_of,
    scan,
    submit_with,
    who,
)


def opened(node: Node, data: bytes) -> Parcel:
    return decode_parcel(hearing.open_bundle(node, data).body)


class Wire:
    """A line on which everything that goes up can be looked at, and be cut."""

    def __init__(self, other: Node) -> None:
        self.other = other
        self.up: list[Parcel] = []
        self.cut_after: int | None = None
        """So many more bundles go up before the line is gone."""

    def __call__(self, run: Iterator[bytes]) -> Iterator[bytes]:
        conversation = answering.Answering(self.other)
        for data in run:
            if self.cut_after is not None:
                self.cut_after -= 1
                if self.cut_after < 0:
                    raise PeerUnreachable("https://test", "the connection was cut")
            self.up.append(opened(self.other, data))
            conversation.take(data)
        yield from conversation.reply()

    def pieces_up(self) -> list[tuple[bytes, int]]:
        return [(p.digest, p.index) for one in self.up for p in one.pieces]


def pace(node: Node, other: Node, size: int = LEAST_PACE_BYTES) -> None:
    """Let `node` believe that the line to another is as slow as can be."""
    with node.store.transaction():
        known = node.store.registry.peer(other.id)
        node.store.registry.set_peer(with_fields(known, pace_bytes=size))


def exchange(node: Node, wire: Wire) -> talk.Report:
    return talk.sync_over(node, who(node, wire.other), wire)


def test_one_sync_brings_the_case_then_its_files_then_the_acknowledgement_home(
    nodes: Three, tmp_path: Path
) -> None:
    path = scan(tmp_path)
    case = submit_with(nodes.village, path, scan(tmp_path, "户口本.pdf"))
    wire = Wire(nodes.town)

    report = exchange(nodes.village, wire)

    # The case goes up, the answer asks, the files go up, the answer acknowledges.
    assert (report.requests, report.sent, report.pieces_out) == (3, 1, 8)
    assert progress_of(nodes.village, case) == Progress(2, 2, 2, 0)
    assert content(nodes.town, next(iter(case.materials))) in (
        path.read_bytes(),
        scan(tmp_path, "户口本.pdf").read_bytes(),
    )
    again = exchange(nodes.village, wire)
    assert (again.requests, again.pieces_out) == (1, 0)
    assert again.bytes_out < 500 and again.bytes_in < 500


def test_everything_comes_home_by_syncing_and_nothing_else(
    nodes: Three, tmp_path: Path
) -> None:
    first = submit_with(nodes.village, scan(tmp_path))
    other = submit_with(nodes.other_village, scan(tmp_path, "别村.pdf"))
    sync_all(nodes)
    digest = attach(nodes.town, first.id, scan(tmp_path, "镇.pdf"))
    sync_all(nodes)

    assert progress_of(nodes.village, first) == Progress(2, 2, 2, 2)
    assert progress_of(nodes.other_village, other) == Progress(1, 1, 1, 1)
    assert content(nodes.village, digest) == content(nodes.district, digest)
    assert not nodes.other_village.store.attachments.many([bytes.fromhex(digest)])
    for node in nodes:
        assert upkeep.verify(node).faults == ()
        assert refusals(node) == []


def test_a_large_file_goes_down_in_as_many_answers_as_it_needs(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit(nodes.village)
    sync_all(nodes)
    pace(nodes.town, nodes.village)
    path = scan(tmp_path, size=50 * PIECE_BYTES)
    digest = attach(nodes.town, case.id, path)

    report = sync(nodes.village, nodes.town)

    assert report.pieces_in == 50
    assert report.requests >= 50 // answering.MOST_REPLIES
    assert content(nodes.village, digest) == path.read_bytes()
    assert nodes.town.store.attachments.held_by(
        nodes.village.id, [case.row.document]
    ) == {(case.row.document, bytes.fromhex(digest))}


def test_all_entries_go_before_any_piece(
    nodes: Three, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = submit_with(nodes.village, scan(tmp_path, size=20 * PIECE_BYTES))
    pace(nodes.village, nodes.town)
    wire = Wire(nodes.town)
    later: list[str] = []

    def write_one(_: talk.Report) -> None:
        # While the file is on its way, a clerk takes in another case.
        if len(wire.pieces_up()) == 3 and not later:
            later.append(submit(nodes.village).id)

    monkeypatch.setattr(talk, "RUN_S", 0.0)  # a run is one bundle
    talk.sync_over(nodes.village, who(nodes.village, nodes.town), wire, write_one)

    content_of = ["case" if one.chunks else "file" for one in wire.up]
    assert content_of[0] == "case" and content_of.count("case") == 2
    second = content_of.index("case", 1)
    assert len([p for one in wire.up[:second] for p in one.pieces]) <= 5
    assert progress_of(nodes.village, early).town == 1
    assert nodes.town.store.cases.get(bytes.fromhex(later[0])) is not None


@pytest.mark.parametrize("cut_after", range(1, 26, 3))
def test_a_line_that_is_cut_again_and_again_sends_one_piece_twice_at_most(
    nodes: Three, tmp_path: Path, cut_after: int
) -> None:
    pieces = 20
    case = submit_with(nodes.village, scan(tmp_path, size=pieces * PIECE_BYTES))
    wire, cuts = Wire(nodes.town), 0

    for _ in range(60):
        pace(nodes.village, nodes.town)
        wire.cut_after = cut_after + 1
        try:
            exchange(nodes.village, wire)
        except PeerUnreachable:
            cuts += 1
        else:
            break

    assert progress_of(nodes.village, case) == Progress(1, 1, 1, 0)
    assert len(set(wire.pieces_up())) == pieces
    assert len(wire.pieces_up()) <= pieces + cuts
    assert cuts == 0 or cut_after < pieces


def test_a_case_waits_for_no_file(nodes: Three, tmp_path: Path) -> None:
    case = submit_with(nodes.village, scan(tmp_path, size=40 * PIECE_BYTES))
    pace(nodes.village, nodes.town)
    wire = Wire(nodes.town)
    wire.cut_after = 6
    with pytest.raises(PeerUnreachable):
        exchange(nodes.village, wire)

    found = progress_of(nodes.town, case)
    assert (found.total, found.here) == (1, 0)
    step(nodes.town, case.id, Step.ACCEPT)
    sync(nodes.village, nodes.town)
    assert progress_of(nodes.town, case).is_all_here


def test_wrong_pieces_in_a_true_bundle_harm_nothing(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit_with(nodes.village, scan(tmp_path))
    owed = list(attachments.owed(nodes.village, who(nodes.village, nodes.town)))
    agree(nodes.village, nodes.town)
    wrong = replace(owed[0], data=bytes(PIECE_BYTES))

    send(nodes.village, nodes.town, replace(parcel(), pieces=(wrong, *owed[1:])))

    ((cause, said),) = refusals(nodes.town)
    assert cause == "attachment" and "not what was named" in said
    assert progress_of(nodes.town, case).here == 0
    sync(nodes.village, nodes.town)
    assert progress_of(nodes.town, case).is_all_here
    assert upkeep.verify(nodes.town).faults == ()


def test_whoever_asks_for_a_file_of_others_gets_nothing_for_it(
    nodes: Three, tmp_path: Path
) -> None:
    (digest,) = submit_with(nodes.village, scan(tmp_path)).materials
    sync(nodes.village, nodes.town)
    asking = replace(parcel(), wants=(Want(bytes.fromhex(digest), 0),))

    answer = send(nodes.other_village, nodes.town, asking)

    assert opened(nodes.other_village, answer).pieces == ()
    ((cause, said),) = refusals(nodes.town)
    assert cause == "attachment" and "no case that both share" in said
    query = "SELECT act, subject, peer FROM audits WHERE act = ?"
    records = rows(nodes.town, query, audit.SCOPE_REFUSED)
    assert records == [(audit.SCOPE_REFUSED, VILLAGE, nodes.other_village.id)]


def test_a_neighbour_that_always_asks_for_the_same_is_left_alone(
    nodes: Three, tmp_path: Path
) -> None:
    (digest,) = submit_with(nodes.village, scan(tmp_path)).materials
    want = Want(bytes.fromhex(digest), 0)
    rounds = count()

    def transport(run: Iterator[bytes]) -> Iterator[bytes]:
        next(rounds)
        list(run)
        yield wrap(nodes.town, nodes.village, replace(parcel(), wants=(want,)))

    report = talk.sync_over(nodes.village, who(nodes.village, nodes.town), transport)

    assert next(rounds) == 2 and report.pieces_out == 4


def test_a_file_that_the_sender_has_lost_ends_the_asking(
    nodes: Three, tmp_path: Path
) -> None:
    (digest,) = submit_with(nodes.village, scan(tmp_path)).materials
    (nodes.village.home.attachments / digest).unlink()

    report = sync(nodes.village, nodes.town)

    assert report.pieces_out == 0 and report.requests <= 3
    assert nodes.village.store.attachments.get(bytes.fromhex(digest)) is None


def test_more_pieces_or_wants_than_allowed_are_no_parcel(
    nodes: Three, tmp_path: Path
) -> None:
    (digest,) = submit_with(nodes.village, scan(tmp_path)).materials
    sync(nodes.village, nodes.town)
    wants = (Want(bytes.fromhex(digest), 0),) * 65

    with pytest.raises(PeerFault):
        send(nodes.village, nodes.town, replace(parcel(), wants=wants))


def test_pieces_of_a_case_that_has_not_come_are_gaps_and_come_later(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit_with(nodes.village, scan(tmp_path))
    owed = tuple(attachments.owed(nodes.village, who(nodes.village, nodes.town)))
    data = wrap(nodes.village, nodes.town, replace(parcel(), pieces=owed))

    taken = hearing.take(nodes.town, data)
    assert (taken.received.gaps, taken.received.pieces) == (len(owed), 0)
    sync(nodes.village, nodes.town)
    assert progress_of(nodes.town, case).is_all_here
    assert rows(nodes.town, "SELECT count(*) FROM refusals") == [(0,)]


def test_a_stick_holds_the_entries_and_then_the_pieces(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit_with(nodes.village, scan(tmp_path), scan(tmp_path, "户口本.pdf"))
    stick = list(bundles(nodes.village, who(nodes.village, nodes.town)))

    gaps = [hearing.take(nodes.town, data).received.gaps for data in stick]

    assert gaps == [0] * len(stick)
    assert progress_of(nodes.town, case).is_all_here
    answer = list(bundles(nodes.town, who(nodes.town, nodes.village)))
    for data in answer:
        hearing.take(nodes.village, data)
    assert progress_of(nodes.village, case) == Progress(2, 2, 2, 0)
    assert list(attachments.owed(nodes.village, who(nodes.village, nodes.town))) == []


def test_a_failing_line_leaves_what_has_come(nodes: Three, tmp_path: Path) -> None:
    case = submit_with(nodes.village, scan(tmp_path, size=8 * PIECE_BYTES))
    pace(nodes.village, nodes.town)
    wire = Wire(nodes.town)
    wire.cut_after = 4
    with pytest.raises(SyncError):
        exchange(nodes.village, wire)
    held = attachments.files_of(nodes.town).held(
        bytes.fromhex(next(iter(case.materials))), {8 * PIECE_BYTES}
    )

    assert held == len(wire.pieces_up()) > 0
