"""What is said in an exchange, and what is not said again."""

from collections.abc import Iterator
from itertools import count, repeat
from pathlib import Path

import pytest
from msgspec.structs import replace

from node import answering, casework, hearing, peers, talk
from node.lifecycle import Step
from sync.exchange import Parcel, decode_parcel
from sync.pieces import Want
from sync.stream import StreamId
from sync.vector import Head
from tests.node.forge import claim, parcel, wrap
from tests.node.nodes import VILLAGE, Three, step, submit, sync, sync_all
from tests.node.papers import scan, submit_with


def test_what_a_neighbour_has_just_said_is_not_said_back_to_it(nodes: Three) -> None:
    village, town = nodes.village, nodes.town
    case = submit(village)
    sync_all(nodes)
    step(town, case.id, Step.ACCEPT)
    casework.forward_batch(town, [case.id])
    sync(town, nodes.district)
    said: list[list[bytes]] = []

    def listening(run: Iterator[bytes]) -> Iterator[bytes]:
        bundles = list(run)
        parcels = [
            decode_parcel(hearing.open_bundle(town, one).body) for one in bundles
        ]
        said.append([v.read().holder for one in parcels for v in one.vectors])
        return answering.answer(town, bundles)

    talk.sync_over(village, peers.find_neighbour(village), listening)

    assert said == [[], [village.id]]


def _says(nodes: Three, answers: Iterator[Parcel]) -> tuple[talk.Report, int]:
    """Let the village sync with a town that hears everything and takes in nothing;
    return the report and how many runs it has heard.
    """
    heard = 0

    def transport(run: Iterator[bytes]) -> Iterator[bytes]:
        nonlocal heard
        heard += len(list(run)) > 0
        yield wrap(nodes.town, nodes.village, next(answers))

    peer = peers.find_neighbour(nodes.village, nodes.town.id.hex())
    return talk.sync_over(nodes.village, peer, transport), heard


def test_a_neighbour_that_always_says_more_is_left_alone(nodes: Three) -> None:
    submit(nodes.village)

    _, rounds = _says(nodes, repeat(replace(parcel(), more=True)))

    assert rounds == talk.IDLE_ROUNDS


def test_a_neighbour_whose_word_goes_up_and_down_is_left_alone(nodes: Three) -> None:
    village, town = nodes.village, nodes.town
    for _ in range(2):
        submit(village)
    sync(village, town)
    sync(village, town)
    submit(village)

    def up_and_down() -> Iterator[Parcel]:
        for counter in count(2**50):
            sequence = 1 + counter % 2
            hash_there = village.store.journal.hash_at(
                StreamId(village.id, 1, VILLAGE), sequence
            )
            assert hash_there is not None
            head = Head(village.id, 1, sequence, hash_there)
            yield parcel(vectors=[claim(town, VILLAGE, [head], counter)])

    _, rounds = _says(nodes, up_and_down())

    assert rounds <= 2 + 2 * talk.IDLE_ROUNDS


def test_a_neighbour_that_asks_for_another_end_of_a_file_each_time_is_left_alone(
    nodes: Three, tmp_path: Path
) -> None:
    (digest,) = submit_with(nodes.village, scan(tmp_path)).materials
    wants = (Want(bytes.fromhex(digest), number % 2) for number in count())

    report, rounds = _says(nodes, (replace(parcel(), wants=(one,)) for one in wants))

    assert rounds <= 2 + talk.IDLE_ROUNDS and report.pieces_out <= 4 * rounds


@pytest.mark.parametrize(
    ("said", "grown"),
    [
        ([(5, 0, {})], [False]),
        ([(6, 0, {}), (6, 1, {}), (6, 1, {})], [True, True, False]),
        # It was put back, and gets again what it had.
        ([(2, 0, {}), (4, 0, {}), (5, 0, {})], [True, True, True]),
        # Twice is no accident.
        ([(2, 0, {}), (5, 0, {}), (2, 0, {}), (5, 0, {})], [True, True, False, False]),
        ([(5, 0, {b"a": 0}), (5, 0, {b"a": 2}), (5, 0, {b"a": 1})], [0, 1, 0]),
    ],
)
def test_an_exchange_goes_on_where_something_is_further_than_ever(
    said: list[tuple[int, int, dict[bytes, int]]], grown: list[bool]
) -> None:
    progress = talk.Progress(proven=5)

    assert [progress.has_grown(*one) for one in said] == grown
