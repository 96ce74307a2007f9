"""The stick by the command line: three places without any network; sticks pulled out.

`LIANBAN_KILLS` says how many times a writing is killed; a few in the gate, 50 and more
by hand.
"""

import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node import casework, drafting
from node.lifecycle import State, Step
from tests.whole.places import (
    ELDER,
    GOOD,
    Place,
    Places,
    digests,
    submit_some,
    three_places,
)

KILLS = int(os.environ.get("LIANBAN_KILLS", "6"))
SHARED = "330881105201"
TOWN, DISTRICT, VILLAGE = "朱林镇", "江山市", "三江口村"


@pytest.fixture
def offline(places: Places) -> Places:
    """Three enrolled places, and nobody listens anywhere."""
    for place in places.every():
        place.end()
    return places


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A village for what changes nothing."""
    with three_places(tmp_path_factory.mktemp("idle")) as places:
        yield places.village


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    made = tmp_path / "U 盘"
    made.mkdir()
    return made


def out(place: Place, stick: Path, to: str, *options: str) -> dict[str, Any]:
    return place.read("carry", "out", str(stick), "--to", to, *options)


def in_(place: Place, stick: Path, expected: int = 0) -> dict[str, Any]:
    done = place.run("carry", "in", str(stick), "--json")
    assert done.returncode == expected, done.stderr + done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def packs(place: Place, neighbour: str) -> dict[str, Any]:
    """Return what `status` says of the packs between a place and a neighbour."""
    neighbours = place.read("status")["neighbours"]
    found: dict[str, Any] = next(n for n in neighbours if n["name"] == neighbour)
    packs: dict[str, Any] = found["packs"]
    return packs


def submitted(village: Place, count: int) -> list[str]:
    """Submit cases that are decided at the district."""
    with village.open() as node:
        return [
            drafting.submit_draft(node, drafting.begin_draft(node, ELDER, GOOD)).id
            for _ in range(count)
        ]


def test_a_case_goes_up_and_home_by_stick_and_a_lost_stick_is_named_at_both_ends(
    offline: Places, stick: Path, tmp_path: Path
) -> None:
    village, town, district = offline.village, offline.town, offline.district
    lost, upper = tmp_path / "lost", tmp_path / "upper"
    lost.mkdir()
    upper.mkdir()

    cases = submitted(village, 1)
    out(village, stick, TOWN)
    in_(town, stick)
    in_(village, stick)
    cases += submitted(village, 1)
    out(village, lost, TOWN)  # the courier never arrives
    cases += submitted(village, 1)
    out(village, stick, TOWN)
    at_town = in_(town, stick)
    at_village = in_(village, stick)
    words = village.run("status").stdout

    gap = {
        "pack": 2,
        "last_pack": 2,
        "volume": None,
        "last_volume": None,
        "cut": False,
        "filled_by": 3,
        "open": False,
    }
    assert at_town["senders"][0]["missing"] == [gap]
    assert packs(town, VILLAGE)["in"]["missing"] == [gap]
    assert at_village["senders"][0]["lost"] == [gap]
    assert packs(village, TOWN)["out"]["lost"] == [gap]
    assert "缺 第 2 包；内容已由第 3 包补上" in words

    with town.open() as node:
        for one in cases:
            casework.take_step(node, one, Step.ACCEPT)
        casework.forward_batch(node, cases)
    out(town, upper, DISTRICT)
    in_(district, upper)
    with district.open() as node:
        for one in cases:
            casework.take_step(node, one, Step.GRANT, note="符合条件")
    out(district, upper, TOWN)
    in_(town, upper)
    out(town, stick, VILLAGE)
    in_(village, stick)

    # Before anybody looks at a case: that is written down, and has not travelled yet.
    found = {digests(place)[SHARED] for place in offline.every()}
    assert len(found) == 1
    for one in cases:
        home = village.read("case", "show", one)
        assert home["state"] == State.GRANTED
        assert home["sync"] == {"town": True, "district": True}


def test_what_is_said_to_a_person_names_packs_files_and_answers(
    offline: Places, stick: Path
) -> None:
    village, town, district = offline.village, offline.town, offline.district
    submitted(village, 1)

    went = village.run("carry", "out", str(stick), "--to", TOWN)
    came = town.run("carry", "in", str(stick))
    elsewhere = district.run("carry", "in", str(stick))

    assert went.returncode == came.returncode == 0
    assert f"已拷给{TOWN}：第 1 包，1 卷" in went.stderr
    assert "带 1 件 1 条" in went.stderr
    assert went.stdout.split()[0].startswith(str(stick).split()[0])
    assert f"{VILLAGE}：第 1 包，新收 1 条。" in came.stderr
    assert "回执已写到 U 盘：第 1 包" in came.stderr
    assert elsewhere.returncode == 5
    assert f"有{VILLAGE}给{TOWN}的 1 个文件" in elsewhere.stderr
    assert "没有打开" in elsewhere.stderr


@pytest.mark.parametrize(
    ("arguments", "expected", "words"),
    [
        (("in", "/nowhere"), 1, "没有 /nowhere 这个文件夹"),
        (("out", "/nowhere", "--to", TOWN), 1, "没有 /nowhere 这个文件夹"),
        (("out", "STICK", "--to", "天上"), 1, "没有"),
        (("out", "STICK", "--to", VILLAGE), 5, "不能拷给这个站点"),
        (("out", "STICK"), 2, "--to"),
        (("out", "STICK", "--to", TOWN, "--volume-size", "x"), 2, "写得不对"),
        (("out", "STICK", "--to", TOWN, "--volume-size", "1K"), 2, "太小"),
        (("in",), 2, "目录"),
        (("in", "STICK"), 1, "没有给本站点的数据包"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    idle: Place,
    stick: Path,
    arguments: tuple[str, ...],
    expected: int,
    words: str,
) -> None:
    given = [str(stick) if one == "STICK" else one for one in arguments]

    done = idle.run("carry", *given)

    assert done.returncode == expected, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert list(stick.iterdir()) == []


def test_exit_codes_tell_partly_from_nothing_that_could_be_trusted(
    offline: Places, stick: Path
) -> None:
    village, town = offline.village, offline.town
    with village.open() as node:
        submit_some(node, 400, seed=1)
    made = out(village, stick, TOWN, "--volume-size", "16K")
    names = [one["name"] for one in made["volumes"]]
    whole = (stick / names[0]).read_bytes()

    (stick / names[1]).rename(stick.parent / names[1])
    partly = in_(town, stick, expected=3)
    shutil.copy(stick.parent / names[1], stick / names[1])
    found = in_(town, stick)
    for one in stick.iterdir():
        one.unlink()
    (stick / names[0]).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    in_(town, stick, expected=3)
    (stick / names[0]).write_bytes(whole[:300])
    refused = in_(town, stick, expected=5)

    assert len(names) > 2
    assert partly["senders"][0]["missing"][0]["volume"] == 2
    assert partly["waiting"] > 0
    assert found["senders"][0]["missing"] == []
    assert found["waiting"] == 0
    assert refused["faults"] == [{"file": names[0], "why": "cut", "count": 1}]


def test_a_stick_pulled_out_while_it_is_written_is_written_again_and_complete(
    offline: Places, stick: Path
) -> None:
    """kill -9 at random moments stands for the stick pulled out: what reached it may
    be any beginning of what was written.
    """
    village, town = offline.village, offline.town
    chance = random.Random(4)
    said: list[str] = []
    for round_ in range(KILLS):
        with village.open() as node:
            said += submit_some(node, 30, seed=round_)
        process = subprocess.Popen(
            village.command("carry", "out", str(stick), "--to", TOWN),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _kill_as_it_writes(process, stick, chance)
        halves = list(stick.glob("*.part"))
        for half in halves:
            data = half.read_bytes()
            half.write_bytes(data[: chance.randint(0, len(data))])
        if round_ % 2:
            done = town.run("carry", "in", str(stick), "--json")
            assert done.returncode in (0, 1, 3, 5), done.stderr

    made = out(village, stick, TOWN)
    in_(town, stick)
    in_(village, stick)

    assert not list(stick.glob("*.part"))
    assert made["pack"] > 1
    ours = stick.glob(f"lianban-{village.read('status')['node'][:8]}-*")
    assert len(list(ours)) == 1
    _all_are_there(village, town, said)


def test_a_reader_killed_at_any_moment_takes_it_up_again(
    offline: Places, stick: Path
) -> None:
    village, town = offline.village, offline.town
    chance = random.Random(5)
    with village.open() as node:
        said = submit_some(node, 400, seed=9)
    out(village, stick, TOWN, "--volume-size", "16K")

    for _ in range(KILLS):
        process = subprocess.Popen(
            town.command("carry", "in", str(stick)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(timeout=chance.uniform(0.3, 1.2))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    in_(town, stick)
    in_(village, stick)

    assert packs(town, VILLAGE)["in"]["missing"] == []
    assert packs(village, TOWN)["out"]["not_acknowledged"] == []
    _all_are_there(village, town, said)


def _kill_as_it_writes(
    process: "subprocess.Popen[bytes]", stick: Path, chance: random.Random
) -> None:
    """Kill soon after the first byte has reached the stick, or a little before."""
    before = {one.name for one in stick.iterdir()}
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if {one.name for one in stick.iterdir()} - before:
            break
    try:
        process.wait(timeout=chance.uniform(0, 0.02))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _all_are_there(village: Place, town: Place, said: list[str]) -> None:
    assert digests(village)[SHARED] == digests(town)[SHARED]
    with town.open() as node:
        ids = [row[1].hex() for row in node.store.documents.heads_by_scope()]
        assert len(ids) == len(set(ids))
        assert set(said) <= set(ids)
        assert node.store.documents.counts() == (0, 0)
