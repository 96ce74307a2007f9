"""Volumes on sticks that are cut, damaged, of strangers, or told with odd numbers."""

import random
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace as with_fields

from node import packs, waiting
from node.cases import open_case
from node.errors import NotAllowed
from node.lifecycle import State
from sync import bundle
from sync.bundle import LAST_OF_PACK, MAX_NUMBER, Place
from sync.canonical import encode
from sync.carry import CameWord, Gap, MadeWord, PackWord
from sync.exchange import encode_parcel
from sync.framing import framed
from tests.node.forge import parcel, refusals, revoke, send
from tests.node.nodes import (
    Three,
    digests,
    shared_digests,
    submit,
    sync,
    tamper,
)
from tests.node.sticks import (
    SMALL,
    carried,
    carry_in,
    carry_out,
    from_one,
    new_stick,
    peer_of,
    spread,
    submit_many,
    traffic,
    volumes,
)

# -- volumes ---------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_volumes_come_in_any_order_on_several_sticks_one_of_them_late(
    nodes: Three, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    village, town = nodes.village, nodes.town
    whole, pocket = new_stick(tmp_path), new_stick(tmp_path)
    sticks = [new_stick(tmp_path) for _ in range(3)]
    cases = submit_many(village, 24)
    made = carry_out(village, whole, town, SMALL)
    found_later = chance.choice(volumes(whole))
    shutil.move(found_later, pocket)
    spread(whole, chance, *sticks)
    chance.shuffle(sticks)

    for stick in sticks:
        carry_in(town, stick, with_answers=False)
    missing = traffic(town, village).missing
    last = carry_in(town, pocket)

    assert len(made.volumes) >= 4
    number = int(found_later.stem.rsplit("-", 1)[1])
    is_last = number == len(made.volumes)
    assert missing == (Gap(1, 1, number, 0 if is_last else number),)
    assert traffic(town, village).missing == ()
    assert last.waiting == waiting.count(town) == 0
    assert all(open_case(town, case) for case in cases)
    assert shared_digests(village, town)


def test_no_volume_is_larger_than_allowed(nodes: Three, tmp_path: Path) -> None:
    stick = new_stick(tmp_path)
    submit_many(nodes.village, 20)

    made = carry_out(nodes.village, stick, nodes.town, SMALL)

    assert len(made.volumes) > 3
    assert {one.name: one.size_bytes for one in made.volumes} == {
        one.name: one.stat().st_size for one in volumes(stick)
    }
    assert all(one.size_bytes <= SMALL for one in made.volumes)


def test_a_volume_cut_at_any_byte_gives_what_is_whole_and_is_named(
    nodes: Three, tmp_path: Path
) -> None:
    stick = new_stick(tmp_path)
    submit_many(nodes.village, 9)
    carry_out(nodes.village, stick, nodes.town, 20_000)
    (volume,) = volumes(stick)
    whole = volume.read_bytes()
    chance = random.Random(5)
    cuts = sorted(chance.sample(range(len(whole)), min(500, len(whole))))

    for cut in cuts:
        volume.write_bytes(whole[:cut])
        came = carry_in(nodes.town, stick, with_answers=False)

        if came.senders:
            assert traffic(nodes.town, nodes.village).missing, cut
        assert came.trouble is None
    volume.write_bytes(whole)
    at_last = from_one(carry_in(nodes.town, stick), nodes.village)

    assert at_last.missing == ()
    assert shared_digests(nodes.village, nodes.town)


def test_a_byte_flipped_anywhere_is_never_taken_for_good(
    nodes: Three, tmp_path: Path
) -> None:
    stick = new_stick(tmp_path)
    submit(nodes.village)
    carry_out(nodes.village, stick, nodes.town)
    (volume,) = volumes(stick)
    whole = volume.read_bytes()
    held = digests(nodes.town)
    chance = random.Random(6)

    for at in chance.sample(range(len(whole)), 500):
        hurt = bytearray(whole)
        hurt[at] ^= 1 << chance.randrange(8)
        volume.write_bytes(hurt)
        came = carry_in(nodes.town, stick, with_answers=False)

        assert came.senders == (), at
        assert came.faults or came.newer or came.for_others or came.own_files, at
    assert digests(nodes.town) == held
    volume.write_bytes(whole)
    assert from_one(carry_in(nodes.town, stick), nodes.village).entries == 1


def test_one_bad_bundle_harms_only_itself(nodes: Three, tmp_path: Path) -> None:
    village, town = nodes.village, nodes.town
    stick = new_stick(tmp_path)
    submit_many(village, 24)
    carry_out(village, stick, town, SMALL)
    hurt = volumes(stick)[2]
    data = bytearray(hurt.read_bytes())
    data[len(data) // 2] ^= 1
    hurt.write_bytes(data)

    came = carry_in(town, stick)
    missing = from_one(came, village).missing
    next_pack = carried(village, new_stick(tmp_path), town)

    assert [(one.file, one.why) for one in came.faults] == [
        (hurt.name, came.faults[0].why)
    ]
    assert missing == (Gap(1, 1, 3, 3, is_cut=True),)
    assert next_pack.missing == (Gap(1, 1, 3, 3, is_cut=True, filled_by=2),)
    assert waiting.count(town) == 0
    assert shared_digests(village, town)


# -- trust ----------------------------------------------------------------------


def test_a_stranger_is_not_trusted_and_leaves_nothing(
    nodes: Three, tmp_path: Path
) -> None:
    stick = new_stick(tmp_path)
    submit(nodes.village)
    carry_out(nodes.village, stick, nodes.town)
    (volume,) = volumes(stick)
    data = volume.read_bytes().replace(nodes.village.id, bytes(16))
    volume.write_bytes(data)
    held = digests(nodes.town)

    came = carry_in(nodes.town, stick)

    assert [one.why for one in came.faults] == ["not-trusted"]
    assert came.senders == ()
    assert digests(nodes.town) == held
    assert nodes.town.store.refusals.count() == 0


def test_a_revoked_node_is_not_heard_and_nothing_is_carried_to_it(
    nodes: Three, tmp_path: Path
) -> None:
    stick = new_stick(tmp_path)
    submit(nodes.village)
    carry_out(nodes.village, stick, nodes.town)
    revoke(nodes, nodes.village, 1)
    sync(nodes.town, nodes.district)

    came = carry_in(nodes.town, stick)

    assert [one.why for one in came.faults] == ["not-trusted"]
    with pytest.raises(NotAllowed):
        carry_out(nodes.town, stick, nodes.village)


def test_nothing_is_carried_to_oneself(nodes: Three, tmp_path: Path) -> None:
    with pytest.raises(NotAllowed):
        carry_out(nodes.town, new_stick(tmp_path), nodes.town)


def test_a_pack_of_one_volume_in_anothers_name_stays_what_its_bundles_say(
    nodes: Three, tmp_path: Path
) -> None:
    stick = new_stick(tmp_path)
    submit(nodes.village)
    carry_out(nodes.village, stick, nodes.town)
    (volume,) = volumes(stick)
    volume.rename(stick / "lianban-00000000-ffffffff-9999-7.lbb")

    at_town = from_one(carry_in(nodes.town, stick), nodes.village)

    assert at_town.packs == (1,)
    assert at_town.missing == ()


def test_a_file_that_only_bears_our_name_is_not_removed(
    nodes: Three, tmp_path: Path
) -> None:
    stick = new_stick(tmp_path)
    carry_out(nodes.village, stick, nodes.town)
    (volume,) = volumes(stick)
    volume.write_bytes(b"somebody's own file")

    carry_out(nodes.village, stick, nodes.town)

    assert volume.read_bytes() == b"somebody's own file"


# -- numbers that nobody counts to -------------------------------------------------


@pytest.mark.parametrize("epoch", [2**31, 2**63, 2**64 - 1])
def test_an_epoch_beyond_all_counting_harms_only_its_own_bundle(
    nodes: Three, tmp_path: Path, epoch: int
) -> None:
    village, town = nodes.village, nodes.town
    stick = new_stick(tmp_path)
    case = submit(village)
    carry_out(village, stick, town)
    (volume,) = volumes(stick)
    bad = bundle.wrap(
        encode_parcel(parcel()),
        sender=with_fields(village.certificate, epoch=epoch),
        sign_key=village.secrets.sign_key,
        recipient=peer_of(village, town),
        roster_version=1,
        place=Place(1, 1, 1, LAST_OF_PACK),
    )
    volume.write_bytes(framed(bad) + volume.read_bytes())

    came = carry_in(town, stick)

    assert [one.why for one in came.faults] == ["damaged"]
    assert from_one(came, village).entries == 1
    assert open_case(town, case.id).story.state is State.SUBMITTED


@pytest.mark.parametrize(
    "word",
    [
        PackWord(MadeWord(1, 0, (), 2**63 - 1, 0), None),
        PackWord(MadeWord(1, 0, (), 2**64 - 1, 0), None),
        PackWord(MadeWord(1, 0, (), -1, 0), None),
        PackWord(MadeWord(1, 2**31, (), 0, 0), None),
        PackWord(None, CameWord(1, -(2**63), 0, ())),
        PackWord(None, CameWord(1, 0, 2**64 - 1, ())),
        PackWord(None, CameWord(1, 0, 0, (Gap(1, 1, filled_by=2**64 - 1),))),
    ],
)
def test_a_word_about_packs_with_such_a_number_is_refused_and_nothing_else(
    nodes: Three, tmp_path: Path, word: PackWord
) -> None:
    village, town = nodes.village, nodes.town
    content = with_fields(parcel(), extras=((packs.EXTRA, encode(word)),))

    send(village, town, content)
    at_town = carried(village, new_stick(tmp_path), town)

    assert [cause for cause, _ in refusals(town)] == ["packs"]
    assert at_town.refused == ()
    assert traffic(town, village).highest == 1


def test_one_who_has_heard_the_last_number_is_told_it_and_goes_on(
    nodes: Three, tmp_path: Path
) -> None:
    village, town = nodes.village, nodes.town
    word = PackWord(MadeWord(1, 0, (), MAX_NUMBER - 1, 0), None)
    send(village, town, with_fields(parcel(), extras=((packs.EXTRA, encode(word)),)))

    carried(village, new_stick(tmp_path), town)
    case = submit(village)
    sync(village, town)

    assert town.store.packs.heard(village.id).count == MAX_NUMBER - 1
    assert open_case(town, case.id).story.state is State.SUBMITTED
    assert refusals(town) == refusals(village) == []


def test_a_row_of_a_pack_that_cannot_be_read_counts_as_empty(
    nodes: Three, tmp_path: Path
) -> None:
    village, town = nodes.village, nodes.town
    carried(village, new_stick(tmp_path), town)
    junk = bytes(1_000_000)
    tamper(town, "UPDATE packs_come SET body = ?", junk)
    tamper(town, "UPDATE pack_words SET made = ?, came = ?", junk, junk)

    seen = traffic(town, village)
    filled = carried(village, new_stick(tmp_path), town)

    assert seen.missing == (Gap(1, 1, 1, 0),)
    assert not any(one.is_open for one in filled.missing)
