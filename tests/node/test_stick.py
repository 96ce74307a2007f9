"""Files of a stick: junk beside, pipes and links among them, writes that fail."""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from node import carrying_in
from node import stick as sticks
from node.carrying_in import Fault
from node.carrying_out import Progress
from node.cases import open_case
from node.errors import StickTrouble
from node.lifecycle import State
from node.stick import look, mounts, write_volumes
from node.stick_reader import MOST_FORGED
from sync.bundle import FORMAT, MAGIC, Header
from sync.canonical import encode
from sync.framing import framed
from tests.node.forge import parcel, wrap
from tests.node.nodes import Three, digests, submit
from tests.node.sticks import (
    SMALL,
    carried,
    carry_in,
    carry_out,
    contents,
    from_one,
    new_stick,
    submit_many,
    traffic,
    volumes,
)
from tui.stick_words import carried_in

BAD_NAMES = [
    "CON.txt",
    "a\x1b[31mred.lbb",
    "line\nbreak.lbb",
    "\u202egnp.lbb",
    "\udcff\udcfe.lbb",  # no UTF-8
    "名字" * 40 + ".lbb",
    " .lbb",
    "-rf.lbb",
    "lianban-00000000-00000000-0001-1.lbb",
    ".hidden",
]


def fill_with_rubbish(stick: Path) -> None:
    chance = random.Random(1)
    for name in BAD_NAMES:
        (stick / name).write_bytes(chance.randbytes(300))
    (stick / "empty.lbb").write_bytes(b"")
    (stick / "zeros.lbb").write_bytes(bytes(3_000_000))
    with (stick / "giant.lbb").open("wb") as file:
        file.truncate(200 * 1024**3)
    with (stick / "giant film.mkv").open("wb") as file:
        file.truncate(200 * 1024**3)
    os.mkfifo(stick / "pipe.lbb")
    (stick / "link.lbb").symlink_to("/dev/zero")
    (stick / "loop").symlink_to(stick)
    (stick / "broken.lbb").symlink_to(stick / "nothing")
    (stick / "folder.lbb").mkdir()
    deep = stick
    for _ in range(40):
        deep /= "d"
        deep.mkdir()
    (deep / "deep.lbb").write_bytes(b"x")


@pytest.mark.parametrize("is_first", [True, False])
def test_a_stick_full_of_rubbish_brings_what_is_among_it(
    nodes: Three, tmp_path: Path, is_first: bool
) -> None:
    stick = new_stick(tmp_path)
    submit(nodes.village)
    if is_first:
        fill_with_rubbish(stick)
    carry_out(nodes.village, stick, nodes.town)
    if not is_first:
        fill_with_rubbish(stick)

    came = carry_in(nodes.town, stick)
    home = carry_in(nodes.village, stick)

    assert from_one(came, nodes.village).entries == 1
    assert from_one(came, nodes.village).answer
    assert came.passed >= 4
    assert came.others >= 2
    assert {one.why for one in came.faults} <= {"cut", "damaged"}
    assert traffic(nodes.village, nodes.town).made == ()
    assert from_one(home, nodes.town).bundles == 1


def test_ten_thousand_other_files_are_left_alone(nodes: Three, tmp_path: Path) -> None:
    stick = new_stick(tmp_path)
    photos = stick / "DCIM"
    photos.mkdir()
    for number in range(10_000):
        (photos / f"IMG_{number:05}.JPG").write_bytes(b"\xff\xd8\xff" + b"x" * 20)
    submit(nodes.village)
    carry_out(nodes.village, stick, nodes.town)

    came = carry_in(nodes.town, stick)

    assert from_one(came, nodes.village).entries == 1
    assert came.others == 10_000
    assert came.faults == ()
    assert len(list(photos.iterdir())) == 10_000


def test_what_lies_nearest_is_found_before_looking_has_an_end(
    nodes: Three, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sticks, "MOST_LOOKED_AT", 50)
    stick = new_stick(tmp_path)
    (stick / "a").mkdir()
    for number in range(100):
        (stick / "a" / f"{number}").write_bytes(b"x")
    submit(nodes.village)
    carry_out(nodes.village, stick, nodes.town)

    came = carry_in(nodes.town, stick)

    assert from_one(came, nodes.village).entries == 1
    assert came.passed == 1


@pytest.mark.parametrize(
    "name", ["photo.jpg", "x", "NO_EXT", "a.LBB", "copy of (1).lbb", "v.lbb.part"]
)
def test_a_volume_is_known_by_its_content_wherever_it_lies(
    nodes: Three, tmp_path: Path, name: str
) -> None:
    stick = new_stick(tmp_path)
    submit(nodes.village)
    carry_out(nodes.village, stick, nodes.town)
    (volume,) = volumes(stick)
    (stick / "新建文件夹" / "b").mkdir(parents=True)
    volume.rename(stick / "新建文件夹" / "b" / name)

    assert from_one(carry_in(nodes.town, stick), nodes.village).entries == 1


def test_a_file_that_cannot_be_read_hinders_no_other(
    nodes: Three, tmp_path: Path
) -> None:
    stick = new_stick(tmp_path)
    submit(nodes.village)
    carry_out(nodes.village, stick, nodes.town)
    shelf = look(stick)
    (volume,) = volumes(stick)
    (stick / "a.lbb").write_bytes(volume.read_bytes())
    shelf = look(stick)
    (stick / "a.lbb").unlink()
    os.mkfifo(stick / "a.lbb")  # put in its place just now

    names = []
    for one in shelf.volumes:
        try:
            with sticks.opened(one.path) as file:
                names.append((one.name, len(file.read())))
        except OSError:
            names.append((one.name, -1))

    assert sorted(names) == [("a.lbb", -1), (volume.name, volume.stat().st_size)]


def test_what_a_broken_writing_has_left_is_removed_by_the_next(
    nodes: Three, tmp_path: Path
) -> None:
    stick = new_stick(tmp_path)
    submit(nodes.village)
    carry_out(nodes.village, stick, nodes.town)
    (volume,) = volumes(stick)
    ours = stick / (volume.name + ".part")
    ours.write_bytes(volume.read_bytes()[:100])
    theirs = stick / "lianban-00000000-00000000-0001-1.lbb.part"
    theirs.write_bytes(b"somebody else is writing")

    carry_out(nodes.village, stick, nodes.town)

    assert not ours.exists()
    assert theirs.exists()


def test_a_link_in_the_place_of_the_new_file_is_not_followed(
    nodes: Three, tmp_path: Path
) -> None:
    stick = new_stick(tmp_path)
    precious = tmp_path / "precious"
    precious.write_text("keep")
    made = carry_out(nodes.village, stick, nodes.town)
    name = made.volumes[0].name.replace("-0001-", "-0002-")
    (stick / (name + ".part")).symlink_to(precious)
    (stick / name).symlink_to(precious)

    carry_out(nodes.village, stick, nodes.town)

    assert precious.read_text() == "keep"
    assert (stick / name).is_file()
    assert not (stick / name).is_symlink()


def test_a_folder_in_the_place_of_the_new_file_is_told(
    nodes: Three, tmp_path: Path
) -> None:
    stick = new_stick(tmp_path)
    made = carry_out(nodes.village, stick, nodes.town)
    before = contents(stick)
    (stick / made.volumes[0].name.replace("-0001-", "-0002-")).mkdir()

    with pytest.raises(StickTrouble):
        carry_out(nodes.village, stick, nodes.town)

    assert {one.name: one.read_bytes() for one in stick.glob("*-0001-*")} == before
    assert not list(stick.glob("*.part"))


def test_a_stick_that_gives_back_something_else_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick = new_stick(tmp_path)
    honest = os.fsync

    def fsync(handle: int) -> None:
        # What a worn-out stick does between the write and the reading.
        if os.fstat(handle).st_size > 10:
            os.pwrite(handle, b"?", 10)
        honest(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StickTrouble) as raised:
        write_volumes(
            stick, lambda n: f"{n}.lbb", iter([(1, b"x" * 50)]), lambda _: None
        )

    assert raised.value.why == "faulty"
    assert list(stick.iterdir()) == []


def test_bundles_lie_in_their_volumes(tmp_path: Path) -> None:
    stick = new_stick(tmp_path)
    bundles = [(1, b"a" * 9), (1, b"b" * 5), (2, b"c" * 7)]

    done = write_volumes(stick, lambda n: f"{n}.lbb", iter(bundles), lambda _: None)

    assert [(one.name, one.size_bytes) for one in done] == [
        ("1.lbb", 22),
        ("2.lbb", 11),
    ]
    assert (stick / "1.lbb").read_bytes() == framed(b"a" * 9) + framed(b"b" * 5)


# -- real file systems ------------------------------------------------------------


def mount(where: Path, *options: str) -> bool:
    done = subprocess.run(
        ["mount", "-t", "tmpfs", *options, "none", str(where)],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A medium of 64 KB, where this machine lets us mount one."""
    where = new_stick(tmp_path)
    if not mount(where, "-o", "size=64k"):
        pytest.skip("only root may mount here")
    yield where
    subprocess.run(["umount", "-l", str(where)], check=False, capture_output=True)


def test_a_full_stick_is_told_and_nothing_half_is_left(
    nodes: Three, small_disk: Path
) -> None:
    submit(nodes.village)
    (small_disk / "films").write_bytes(bytes(64 * 1024))

    with pytest.raises(StickTrouble) as raised:
        carry_out(nodes.village, small_disk, nodes.town)
    left = [one.name for one in small_disk.iterdir()]
    (small_disk / "films").unlink()
    at_town = carried(nodes.village, small_disk, nodes.town)

    assert raised.value.why == "full"
    assert left == ["films"]
    assert at_town.entries == 1
    assert at_town.missing == ()


def test_a_stick_too_full_for_the_answer_still_brings_its_content(
    nodes: Three, small_disk: Path
) -> None:
    submit(nodes.village)
    carry_out(nodes.village, small_disk, nodes.town)
    room = os.statvfs(small_disk)
    (small_disk / "films").write_bytes(bytes(room.f_bavail * room.f_frsize))

    came = carry_in(nodes.town, small_disk)

    assert came.trouble is not None
    assert came.trouble.why == "full"
    assert from_one(came, nodes.village).entries == 1


def test_a_stick_pulled_out_while_it_is_read_is_taken_up_again(
    nodes: Three, small_disk: Path, tmp_path: Path
) -> None:
    village, town = nodes.village, nodes.town
    submit_many(village, 24)
    carry_out(village, small_disk, town, SMALL)
    copy = new_stick(tmp_path)
    for one in volumes(small_disk):
        shutil.copy(one, copy)
    bundles = 0

    def pull_out(_: Progress) -> None:
        nonlocal bundles
        bundles += 1
        if bundles == 3:
            subprocess.run(["umount", "-l", str(small_disk)], check=True)

    came = carrying_in.carry_in(town, small_disk, on_progress=pull_out)
    again = carry_in(town, copy)

    assert came.trouble is not None
    assert came.trouble.why == "gone"
    assert 0 < from_one(came, village).entries < 24
    assert list(small_disk.iterdir()) == []  # no answer beside the stick
    assert from_one(again, village).missing == ()
    assert from_one(came, village).entries + from_one(again, village).entries == 24


def test_a_read_only_stick_is_taken_in_and_told(nodes: Three, small_disk: Path) -> None:
    submit(nodes.village)
    carry_out(nodes.village, small_disk, nodes.town)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    came = carry_in(nodes.town, small_disk)
    with pytest.raises(StickTrouble) as raised:
        carry_out(nodes.village, small_disk, nodes.town)

    assert from_one(came, nodes.village).entries == 1
    assert came.trouble is not None
    assert came.trouble.why == "read-only"
    assert raised.value.why == "read-only"


def test_mounted_media_are_listed_with_what_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "media" / "张 三 U盘"
    place.mkdir(parents=True)
    table = tmp_path / "mounts"
    escaped = str(place).replace(" ", "\\040")
    table.write_text(
        f"/dev/sda1 / ext4 rw 0 0\n/dev/sdb1 {escaped} vfat rw 0 0\n"
        f"/dev/sdc1 {tmp_path}/media/gone vfat rw 0 0\n"
    )
    monkeypatch.setattr(sticks, "_MOUNTED_UNDER", (f"{tmp_path}/media/",))

    (found,) = mounts(table)

    assert found.path == place
    assert found.free_bytes > 0
    assert found.is_writable


def test_no_table_of_mounts_means_no_media(tmp_path: Path) -> None:
    assert mounts(tmp_path / "nothing") == []


def test_the_state_of_the_receiver_does_not_depend_on_rubbish(
    nodes: Three, tmp_path: Path
) -> None:
    stick = new_stick(tmp_path)
    fill_with_rubbish(stick)
    held = digests(nodes.town)

    came = carry_in(nodes.town, stick)

    assert came.senders == ()
    assert digests(nodes.town) == held


# -- sticks that a stranger has prepared ------------------------------------------


def test_a_file_of_forged_bundles_is_left_and_refused_once(
    nodes: Three, tmp_path: Path
) -> None:
    village, town, stick = nodes.village, nodes.town, new_stick(tmp_path)
    good = wrap(village, town, parcel())
    (stick / "forged").write_bytes(framed(good[:-64] + bytes(64)) * 100)
    case = submit(village)
    carry_out(village, stick, town)

    came = carry_in(town, stick)

    assert came.faults == (Fault("forged", "not-trusted", MOST_FORGED),)
    assert town.store.refusals.count() == 1
    assert open_case(town, case.id).story.state is State.SUBMITTED


def test_bundles_for_others_are_told_by_who_they_are_for(
    nodes: Three, tmp_path: Path
) -> None:
    town, stick = nodes.town, new_stick(tmp_path)
    for_nobody = b"".join(
        framed(address_of(bytes([n]) * 16, bytes([n + 1]) * 16)) for n in range(50)
    )
    for_village = framed(address_of(bytes(16), nodes.village.id)) * 2
    (stick / "x").write_bytes(for_nobody + for_village)

    came = carry_in(town, stick)

    assert [(one.sender, one.recipient, one.files) for one in came.for_others] == [
        (b"", b"", 1),
        (bytes(16), nodes.village.id, 1),
    ]
    assert len(carried_in(came, town.roster.latest)) == 2


def address_of(sender: bytes, recipient: bytes) -> bytes:
    """Return how a bundle begins that says to be from and for somebody."""
    header = encode(Header(1, sender, 1, recipient, 0, 0, 0, 1, 1, 1, 0))
    return MAGIC + bytes([FORMAT]) + len(header).to_bytes(2, "big") + header + bytes(8)
