"""What comes on a stick and cannot be taken yet."""

from pathlib import Path

import pytest

from node import waiting
from node.wiring import Node
from sync import bundle
from sync.bundle import MAGIC
from sync.canonical import encode
from sync.framing import framed
from tests.node.forge import refusals
from tests.node.nodes import (
    Three,
    shared_digests,
    submit,
    sync,
)
from tests.node.sticks import (
    SMALL,
    carried,
    carry_in,
    carry_out,
    new_stick,
    submit_many,
    traffic,
    volumes,
)


def test_a_newer_format_stays_unopened_until_the_program_is_newer(
    nodes: Three, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = new_stick(tmp_path)
    submit(nodes.village)
    monkeypatch.setattr(bundle, "FORMAT", 2)
    carry_out(nodes.village, stick, nodes.town)
    monkeypatch.undo()

    came = carry_in(nodes.town, stick)
    on_disk = [one.read_bytes() for one in nodes.town.home.waiting.iterdir()]
    monkeypatch.setattr(bundle, "FORMAT", 2)
    monkeypatch.setattr(waiting, "FORMAT", 2)
    upgraded = waiting.retry(nodes.town)

    assert came.newer == (nodes.village.id,)
    assert (came.senders, came.faults) == ((), ())
    assert [framed(one) for one in on_disk] == [volumes(stick)[0].read_bytes()]
    assert (upgraded.entries, upgraded.left) == (1, 0)
    assert traffic(nodes.town, nodes.village).highest == 1


def test_an_upgraded_program_tries_what_waits_without_being_asked(
    nodes: Three, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = new_stick(tmp_path)
    submit(nodes.village)
    monkeypatch.setattr(bundle, "FORMAT", 2)
    carry_out(nodes.village, stick, nodes.town)
    monkeypatch.undo()
    carry_in(nodes.town, stick)

    before = waiting.retry_if_news(nodes.town)
    monkeypatch.setattr(bundle, "FORMAT", 2)
    monkeypatch.setattr(waiting, "FORMAT", 2)
    after = waiting.retry_if_news(nodes.town)

    assert before.entries == 0
    assert after.entries == 1


def test_a_newer_format_for_another_node_is_not_kept(
    nodes: Three, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = new_stick(tmp_path)
    monkeypatch.setattr(bundle, "FORMAT", 2)
    carry_out(nodes.village, stick, nodes.town)
    monkeypatch.undo()

    came = carry_in(nodes.other_village, stick)

    assert [one.recipient for one in came.for_others] == [nodes.town.id]
    assert waiting.count(nodes.other_village) == 0


def newer(recipient: Node, number: int, sender: bytes) -> bytes:
    """Return what says to be a bundle of a format to come."""
    header = encode((9, sender, 1, recipient.id, number))
    return MAGIC + bytes([2]) + len(header).to_bytes(2, "big") + header + bytes(200)


def test_a_newer_format_is_not_tried_again_by_the_same_program(
    nodes: Three, tmp_path: Path
) -> None:
    village, town, stick = nodes.village, nodes.town, new_stick(tmp_path)
    many = (framed(newer(town, number, village.id)) for number in range(20))
    (stick / "x").write_bytes(b"".join(many))

    came = carry_in(town, stick)
    first = refusals(town)
    submit(nodes.other_village)
    sync(nodes.other_village, town)
    retried = waiting.retry_if_news(town)

    assert came.newer == (village.id,)
    assert came.waiting == 0
    assert [cause for cause, _ in first] == ["too-new"]
    assert refusals(town) == first
    assert retried.left == 0
    assert waiting.count(town) == 20


def test_the_oldest_of_what_is_too_new_make_room(
    nodes: Three, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    village, other, town = nodes.village, nodes.other_village, nodes.town
    monkeypatch.setattr(waiting, "MOST_NEWER_OF_ONE", 3)
    monkeypatch.setattr(waiting, "MOST_NEWER", 5)
    theirs = [newer(town, number, village.id) for number in range(6)]
    others = [newer(town, number, other.id) for number in range(4)]

    for some in (theirs[:2], theirs[2:4], others, theirs[4:]):
        stick = new_stick(tmp_path)
        (stick / "x").write_bytes(b"".join(map(framed, some)))
        carry_in(town, stick)
    held = {one.read_bytes() for one in town.home.waiting.iterdir()}

    # Of the third stick the first three, and of the village its last that had room.
    assert held == {*others[:3], *theirs[4:]}


def test_a_newer_format_of_nobody_we_know_is_not_kept(
    nodes: Three, tmp_path: Path
) -> None:
    stick = new_stick(tmp_path)
    (stick / "x").write_bytes(framed(newer(nodes.town, 1, b"s" * 16)))

    came = carry_in(nodes.town, stick)

    assert came.newer == ()
    assert [one.why for one in came.faults] == ["not-trusted"]
    assert waiting.count(nodes.town) == 0


def test_what_is_too_new_for_the_next_program_as_well_waits_on(
    nodes: Three, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = new_stick(tmp_path)
    (stick / "x").write_bytes(framed(newer(nodes.town, 1, nodes.village.id)))
    carry_in(nodes.town, stick)

    monkeypatch.setattr(waiting, "NEWEST_DICTIONARY", 99)
    retried = [waiting.retry_if_news(nodes.town) for _ in range(2)]

    assert [(one.left, one.newer) for one in retried] == [(1, 1), (0, 0)]
    assert waiting.count(nodes.town) == 1


def test_what_waits_has_a_limit_and_loses_nothing_by_it(
    nodes: Three, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    village, town = nodes.village, nodes.town
    stick = new_stick(tmp_path)
    submit_many(village, 24)
    carry_out(village, stick, town, SMALL)
    volumes(stick)[0].unlink()
    monkeypatch.setattr(waiting, "MOST_BYTES_OF_ONE", 2 * SMALL)

    carry_in(town, stick)
    held = sum(one.stat().st_size for one in town.home.waiting.iterdir())
    carried(village, stick, town)

    assert 0 < held <= 2 * SMALL
    assert waiting.count(town) == 0
    assert shared_digests(village, town)


def test_junk_among_what_waits_harms_nothing(nodes: Three, tmp_path: Path) -> None:
    folder = nodes.town.home.waiting
    folder.mkdir()
    (folder / "junk").write_bytes(b"junk" * 100)
    (folder / "empty").write_bytes(b"")
    (folder / "folder").mkdir()
    (folder / "link").symlink_to("/etc/passwd")

    retried = waiting.retry(nodes.town)
    at_town = carried(nodes.village, new_stick(tmp_path), nodes.town)

    assert (retried.entries, retried.left) == (0, 0)
    assert at_town.bundles == 1
