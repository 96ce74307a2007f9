"""What has come of packs, and what is lacking: from any order, any repetition."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.bundle import LAST_OF_PACK, LAST_OF_VOLUME, Place
from sync.canonical import encode
from sync.carry import (
    MAX_PACK_SPANS,
    MAX_SPANS,
    MAX_VOLUMES,
    Gap,
    PackParts,
    gaps,
    is_name_of,
    retired,
    volume_name,
    with_part,
)

SENDER, RECIPIENT = bytes(range(16)), bytes(range(16, 32))


def places(pack: int, *parts_of_volumes: int) -> list[Place]:
    """Return all places of a pack whose volumes have so many parts each."""
    found = []
    for volume, parts in enumerate(parts_of_volumes, 1):
        for part in range(1, parts + 1):
            last = 0
            if part == parts:
                is_end = volume == len(parts_of_volumes)
                last = LAST_OF_PACK if is_end else LAST_OF_VOLUME
            found.append(Place(pack, volume, part, last))
    return found


def come(*found: Place, is_all: bool = True) -> dict[int, PackParts]:
    packs: dict[int, PackParts] = {}
    for place in found:
        packs[place.pack] = with_part(
            packs.get(place.pack, PackParts()), place, is_taken=True, is_all=is_all
        )
    return packs


def lacking(
    packs: dict[int, PackParts],
    floor: int = 0,
    settled: int = 0,
    gone: tuple[int, ...] = (),
) -> list[Gap]:
    return list(gaps(packs, floor, settled, gone))


def test_nothing_is_lacking_of_packs_that_came_whole() -> None:
    packs = come(*places(1, 3), *places(2, 1, 2, 4))

    assert lacking(packs) == []
    assert all(one.fills for one in packs.values())


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_parts_does_not_matter(chance: random.Random) -> None:
    parts = [*places(1, 2, 3), *places(2, 4), *places(4, 1, 1)]
    parts = [one for one in parts if chance.random() < 0.8]
    shuffled = parts * 2
    chance.shuffle(shuffled)

    assert come(*shuffled) == come(*parts)


def test_a_pack_that_never_came_is_named_and_the_next_whole_one_fills_it() -> None:
    before = lacking(come(*places(1, 1), *places(3, 2)[:1]))
    after = lacking(come(*places(1, 1), *places(3, 2)))

    assert before == [Gap(2, 2), Gap(3, 3, 1, 1, is_cut=True)]
    assert after == [Gap(2, 2, filled_by=3)]
    assert before[0].is_open
    assert not after[0].is_open


def test_packs_in_a_row_are_one_gap() -> None:
    assert lacking(come(*places(41, 1))) == [Gap(1, 40, filled_by=41)]


def test_a_pack_that_a_small_stick_has_cut_short_fills_nothing() -> None:
    assert lacking(come(*places(2, 1), is_all=False)) == [Gap(1, 1)]


@pytest.mark.parametrize(
    ("lost", "expected"),
    [
        ({1}, [Gap(1, 1, 1, 1)]),
        ({2}, [Gap(1, 1, 2, 2)]),
        ({2, 3}, [Gap(1, 1, 2, 3)]),
        ({1, 3}, [Gap(1, 1, 1, 1), Gap(1, 1, 3, 3)]),
        ({4}, [Gap(1, 1, 4, 0)]),  # nobody knows how many there were
        ({3, 4}, [Gap(1, 1, 3, 0)]),
    ],
)
def test_volumes_that_did_not_come_are_named(
    lost: set[int], expected: list[Gap]
) -> None:
    parts = [one for one in places(1, 2, 1, 3, 1) if one.volume not in lost]

    assert lacking(come(*parts)) == expected


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_volume_without_one_of_its_parts_is_cut(lost: int) -> None:
    parts = [one for one in places(1, 3, 2) if (one.volume, one.part) != (1, lost)]

    assert lacking(come(*parts)) == [Gap(1, 1, 1, 1, is_cut=True)]


def test_what_waits_is_here_but_fills_nothing() -> None:
    packs = come(*places(1, 1), *places(3, 2)[:1])
    waits = with_part(packs[3], places(3, 2)[1], is_taken=False, is_all=True)
    taken = with_part(waits, places(3, 2)[1], is_taken=True, is_all=True)

    assert lacking(packs | {3: waits}) == [Gap(2, 2)]
    assert lacking(packs | {3: taken}) == [Gap(2, 2, filled_by=3)]


def test_what_the_sender_has_taken_back_is_not_lacking() -> None:
    packs = come(*places(1, 1), *places(2, 3)[:1], *places(4, 1))

    assert lacking(packs, gone=(2, 3)) == []
    assert lacking(packs, gone=(2, 3, 9)) == []


def test_what_the_sender_knows_to_have_arrived_is_not_open() -> None:
    packs = come(*places(1, 1), *places(3, 3)[:2])

    found = lacking(packs, settled=2)

    assert found == [
        Gap(2, 2, is_settled=True),
        Gap(3, 3, 1, 1, is_cut=True),
    ]
    assert [one.is_open for one in found] == [False, True]


def test_below_the_floor_nothing_is_asked() -> None:
    packs = come(*places(5, 1), *places(8, 2)[:1])

    assert lacking(packs, floor=8) == []
    assert lacking(packs, floor=5) == [Gap(6, 7), Gap(8, 8, 1, 1, is_cut=True)]


def test_the_floor_rises_past_what_is_filled_and_stops_before_what_is_open() -> None:
    filled = gaps(come(*places(1, 1), *places(3, 1)), 0, 0, ())
    still_open = gaps(come(*places(1, 1), *places(3, 2)[:1]), 0, 0, ())

    assert retired(filled, 0, 3) == 3
    assert retired(still_open, 0, 3) == 1
    assert retired((), 7, 3) == 7


def test_numbers_without_measure_cost_nothing() -> None:
    huge = 2**31 - 1
    packs = come(Place(huge, huge, huge, LAST_OF_PACK), Place(1, 1, 1, 0))

    found = lacking(packs)

    assert Gap(2, huge - 1) in found
    assert Gap(huge, huge, 1, huge - 1) in found
    assert len(found) == 4


def test_what_is_noted_of_a_pack_has_a_limit() -> None:
    odd = [Place(1, 1, 2 * n + 1) for n in range(MAX_SPANS + 50)]
    many = [Place(2, n + 1, 1, LAST_OF_VOLUME) for n in range(MAX_VOLUMES + 50)]

    packs = come(*odd, *many)

    assert len(packs[1].volumes[0].taken) == MAX_SPANS
    assert len(packs[2].volumes) == MAX_VOLUMES
    assert not packs[1].fills
    assert not packs[2].fills


def test_what_is_noted_of_a_pack_stays_readable_with_gaps_in_all_its_volumes() -> None:
    far = 2**30
    odd = [Place(1, far + v, far + 2 * n) for n in range(3) for v in range(MAX_VOLUMES)]

    (noted,) = come(*odd).values()

    spans = sum(len(one.taken) for one in noted.volumes)
    assert (len(noted.volumes), spans) == (MAX_VOLUMES, MAX_VOLUMES + MAX_PACK_SPANS)
    assert len(encode(noted)) < 64 * 1024


def test_a_name_says_from_whom_for_whom_and_which() -> None:
    name = volume_name(SENDER, RECIPIENT, 41, 2)

    assert name == "lianban-00010203-10111213-0041-2.lbb"
    assert is_name_of(name, SENDER, RECIPIENT)
    assert not is_name_of(name, RECIPIENT, SENDER)
    assert not is_name_of(name + ".part", SENDER, RECIPIENT)
    assert not is_name_of("../" + name, SENDER, RECIPIENT)
    assert is_name_of(volume_name(SENDER, RECIPIENT, 123456, 12), SENDER, RECIPIENT)
