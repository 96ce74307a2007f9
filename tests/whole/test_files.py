"""Files of cases through the whole program: commands, processes, sockets."""

import json
import random
from pathlib import Path

import pytest

from tests.node.photos import PLACE, photograph, png
from tests.whole.places import ELDER, GOOD, Place, Places, sync


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "papers"
    made.mkdir()
    return made


def paper(folder: Path, name: str = "身份证.pdf", size: int = 100_000) -> Path:
    path = folder / name
    path.write_bytes(b"%PDF-1.7" + random.Random(name).randbytes(size - 8))
    return path


def new_case(place: Place, *arguments: str) -> str:
    done = place.run(
        "case", "new", ELDER, "--fields", "-", *arguments, stdin=json.dumps(GOOD)
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_files_go_from_village_to_district_and_are_saved_there(
    places: Places, folder: Path
) -> None:
    photo = folder / "照片.png"
    photo.write_bytes(photograph(2400, 1600, "PNG", telling=True))
    scan = paper(folder)
    case = new_case(places.village, "--attach", f"photo={photo}", "--attach", str(scan))
    before = places.village.read("case", "show", case)
    sync(places.village)
    sync(places.town)
    sync(places.village)

    shown = {
        place.path.name: place.read("case", "show", case) for place in places.every()
    }
    assert [one["name"] for one in before["materials"]] == sorted(
        ["照片.jpg", "身份证.pdf"],
        key=lambda name: [
            one["digest"] for one in before["materials"] if one["name"] == name
        ],
    )
    assert before["materials_arrived"] == {
        "total": 2,
        "here": 2,
        "town": 0,
        "district": 0,
    }
    assert shown["village"]["materials_arrived"]["district"] == 2
    assert shown["district"]["materials_arrived"]["here"] == 2
    assert all(one["sync"]["town"] for one in shown["village"]["materials"])
    out = folder / "out"
    out.mkdir()
    saved = places.district.read("case", "material", "save", case, "all", str(out))
    contents = {Path(path).name: Path(path).read_bytes() for path in saved["saved"]}
    assert contents["身份证.pdf"] == scan.read_bytes()
    assert PLACE not in contents["照片.jpg"]
    records = places.district.read("audit", "list")["records"]
    assert [one["act"] for one in records].count("export") == 2


def test_a_draft_keeps_the_files_that_came_with_it(
    places: Places, folder: Path
) -> None:
    draft = new_case(places.village, "--draft", "--attach", str(paper(folder)))
    done = places.village.run(
        "case", "submit", draft, "--attach", str(paper(folder, "户口本.pdf"))
    )

    assert done.returncode == 0, done.stderr
    shown = places.village.read("case", "show", draft)
    names = {one["name"] for one in shown["materials"]}
    assert names == {"身份证.pdf", "户口本.pdf"}


def test_what_cannot_be_attached_has_its_sentence_and_leaves_nothing(
    places: Places, folder: Path
) -> None:
    village = places.village
    wrong = {
        "假照片.jpg": (b"MZ" * 99, "名字是照片，内容却不是"),
        "半张.jpg": (photograph(800, 600)[:9000], "照片不完整或已损坏"),
        "炸弹.png": (png(60_000, 60_000, b""), "照片的像素太多"),
        "空.pdf": (b"", "是空的"),
        "大.pdf": (b"%PDF-" + bytes(6 * 2**20), "太大，最多 5.0 MB"),
    }
    good = paper(folder)

    for name, (data, words) in wrong.items():
        path = folder / name
        path.write_bytes(data)
        done = village.run(
            *("case", "new", ELDER, "--fields", "-"),
            *("--attach", str(good), "--attach", str(path)),
            stdin=json.dumps(GOOD),
        )
        assert done.returncode == 1
        assert f"没有附上 {name}：{words}" in done.stderr
        assert "Traceback" not in done.stderr
    for path in (folder, folder / "gone.pdf"):
        done = village.run(
            *("case", "new", ELDER, "--fields", "-", "--attach", str(path)),
            stdin=json.dumps(GOOD),
        )
        assert done.returncode == 1 and "附上" in done.stderr

    assert village.read("case", "list")["cases"] == []
    left = (village.path / "attachments").rglob("*")
    assert [path.name for path in left] == ["arriving"]


def test_a_material_or_a_folder_that_is_not_there_is_said_to_be_none(
    places: Places, folder: Path
) -> None:
    case = new_case(places.village, "--attach", str(paper(folder)))
    save = ("case", "material", "save", case, "--")

    for number in ("0", "3", "x", "-1", "1 ", "²"):
        done = places.village.run(*save, number, str(folder))
        assert done.returncode == 1 and "材料" in done.stderr
    done = places.village.run(*save, "1", str(folder / "no"))
    assert done.returncode == 1 and "文件夹" in done.stderr

    assert [path.name for path in folder.iterdir()] == ["身份证.pdf"]


def test_what_is_not_here_yet_is_said_to_be_on_its_way(
    places: Places, folder: Path
) -> None:
    case = new_case(places.village, "--attach", str(paper(folder)))
    sync(places.village)
    places.town.end()
    with places.town.open() as town:
        digest = town.store.attachments.unnamed(0)
        assert digest == []
        (kept,) = town.store.attachments.all()
        with town.store.transaction():
            town.store.attachments.drop(kept.digest)

    shown = places.town.run("case", "show", case)
    done = places.town.run("case", "material", "save", case, "1", str(folder))

    assert "▲在路上 0%" in shown.stdout
    assert done.returncode == 1 and "还没有传到本机" in done.stderr
