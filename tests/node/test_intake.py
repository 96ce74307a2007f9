"""Taking files in: what is made smaller, what is refused, and what is left of it."""

import os
import resource
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from forms.item import Item
from node import attachments, casework, drafting, in_force, intake, tidy
from node.errors import AnswersWrong, FileRefused, NodeError, NotFound
from node.lifecycle import Step
from node.material import NAME_LIMIT
from node.pictures import PIXELS_LIMIT, kind_of
from node.wiring import Node
from sync.pieces import FILE_LIMIT_BYTES, PIECE_BYTES
from tests.node.nodes import ANSWERS, ELDER, Three, rows, submit
from tests.node.papers import attach, content, scan, submit_with, taken_in
from tests.node.photos import PLACE, opened, photograph, png


def item_of(node: Node, **changed: int) -> Item:
    package = node.package(in_force.find_package(node, ELDER).digest)
    assert package is not None
    return replace(package.item, **changed)


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def nothing_is_left(node: Node) -> bool:
    files = [path for path in node.home.attachments.rglob("*") if path.is_file()]
    return not files and rows(node, "SELECT * FROM attachments") == []


# -- photographs ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_large_photograph_is_made_smaller_and_tells_nothing_but_its_pixels(
    nodes: Three, tmp_path: Path, kind: str
) -> None:
    data = photograph(2400, 1600, kind, telling=True)
    assert PLACE in data
    path = written(tmp_path, f"证件照.{kind.lower()}", data)

    digest, material = intake.take_in(
        nodes.village, path, item_of(nodes.village, image_side_px=600)
    )

    kept = content(nodes.village, digest)
    assert opened(kept).format == "JPEG" and opened(kept).size == (600, 400)
    assert PLACE not in kept and b"Exif" not in kept and b"Telephone" not in kept
    assert len(kept) < len(data) / 4
    assert (material.size, material.kind) == (len(kept), "image/jpeg")
    assert material.name == ("证件照.jpeg" if kind == "JPEG" else "证件照.jpg")


@pytest.mark.parametrize("side", [300, 5000])
def test_a_photograph_is_turned_as_it_was_held(
    nodes: Three, tmp_path: Path, side: int
) -> None:
    # Red above, blue below, and a mark that says: turn it to the right to look at it.
    path = written(tmp_path, "a.jpg", photograph(400, 200, turned=True))

    digest, _ = intake.take_in(
        nodes.village, path, item_of(nodes.village, image_side_px=side)
    )

    seen = opened(content(nodes.village, digest)).convert("RGB")
    assert seen.size == ((150, 300) if side == 300 else (200, 400))
    left, right = (
        seen.getpixel((int(seen.width * part), seen.height // 2)) for part in (0.1, 0.9)
    )
    assert isinstance(left, tuple) and isinstance(right, tuple)
    assert left[2] > 150 > left[0] and right[0] > 150 > right[2]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_is_small_and_plain_stays_as_it_is(
    nodes: Three, tmp_path: Path, kind: str
) -> None:
    mode = "1" if kind == "PNG" else "RGB"  # a scan of a paper, black on white
    data = photograph(1600, 1200, kind, mode=mode, quality=80)
    assert len(data) > PIECE_BYTES

    digest = taken_in(nodes.village, written(tmp_path, f"a.{kind.lower()}", data))

    assert content(nodes.village, digest) == data


@pytest.mark.parametrize(
    "data",
    [
        photograph(800, 600, telling=True, quality=75),
        photograph(800, 600, "PNG", telling=True),
        photograph(800, 600, quality=100),
    ],
    ids=["tells a place", "tells a place in a PNG", "heavier than it need be"],
)
def test_a_small_picture_that_tells_or_weighs_too_much_is_written_anew(
    nodes: Three, tmp_path: Path, data: bytes
) -> None:
    digest = taken_in(nodes.village, written(tmp_path, "a.jpg", data))

    kept = content(nodes.village, digest)
    assert PLACE not in kept and len(kept) < len(data)
    assert opened(kept).size == (800, 600)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16", "CMYK"])
def test_every_kind_of_pixel_becomes_a_photograph(
    nodes: Three, tmp_path: Path, mode: str
) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    data = photograph(700, 500, kind, mode=mode)

    digest, _ = intake.take_in(
        nodes.village,
        written(tmp_path, "a", data),
        item_of(nodes.village, image_side_px=300),
    )

    assert opened(content(nodes.village, digest)).size == (300, 214)


def test_what_shines_through_becomes_white(nodes: Three, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGBA", (400, 400), (0, 0, 0, 0)).save(tmp_path / "印章.png")

    digest, _ = intake.take_in(
        nodes.village, tmp_path / "印章.png", item_of(nodes.village, image_side_px=200)
    )

    assert opened(content(nodes.village, digest)).getpixel((9, 9)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("合同.pdf", b"%PDF-1.7\n", "application/pdf"),
        ("表.xlsx", b"PK\x03\x04", ""),
        ("说明", "办件说明".encode(), ""),
    ],
)
def test_what_is_no_picture_stays_as_it_is(
    nodes: Three, tmp_path: Path, name: str, head: bytes, kind: str
) -> None:
    data = head + os.urandom(70_000)

    digest, material = intake.take_in(
        nodes.village, written(tmp_path, name, data), item_of(nodes.village)
    )

    assert content(nodes.village, digest) == data
    assert (material.name, material.kind) == (name, kind)


def test_a_picture_is_known_by_its_content_and_not_by_its_name(
    nodes: Three, tmp_path: Path
) -> None:
    path = written(tmp_path, "扫描.pdf", photograph(2400, 1600))

    digest, material = intake.take_in(nodes.village, path, item_of(nodes.village))

    assert (material.name, material.kind) == ("扫描.jpg", "image/jpeg")
    side = item_of(nodes.village).image_side_px
    assert opened(content(nodes.village, digest)).size[0] == side


# -- what is refused ------------------------------------------------------------------

_JPEG = photograph(800, 600)
_PNG = photograph(800, 600, "PNG")
_ENDLESS = zlib.compress(bytes(200_000_000))
REFUSED: dict[str, tuple[str, bytes, str]] = {
    "half a photograph": ("a.jpg", _JPEG[: len(_JPEG) // 2], "picture-damaged"),
    "its head only": ("a.jpg", _JPEG[:40], "picture-damaged"),
    "without its end": ("a.jpg", _JPEG[:-2], "picture-damaged"),
    "half a scan": ("a.png", _PNG[: len(_PNG) // 2], "picture-damaged"),
    "rubbish behind a mark": ("a.jpg", b"\xff\xd8\xff" + bytes(999), "picture-damaged"),
    "a mark only": ("a.png", b"\x89PNG\r\n\x1a\n", "picture-damaged"),
    "no picture": ("a.jpg", b"MZ" + bytes(999), "no-picture"),
    "no scan": ("a.PNG", b"%PDF-1.7", "no-picture"),
    "a billion pixels": ("a.png", png(60_000, 60_000, b""), "picture-too-large"),
    "just too many": ("a.png", png(PIXELS_LIMIT + 1, 1, b""), "picture-too-large"),
    "fewer rows than said": ("a.png", png(9000, 9000, bytes(99)), "picture-damaged"),
    "no size at all": ("a.png", png(0, 0, b""), "picture-damaged"),
    "an endless text": (
        "a.png",
        png(9, 9, bytes(999), (b"zTXt", b"a\x00\x00" + _ENDLESS)),
        "picture-damaged",
    ),
    "nothing": ("a.pdf", b"", "empty"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_a_material_is_refused_and_leaves_nothing(
    nodes: Three, tmp_path: Path, what: str
) -> None:
    name, data, why = REFUSED[what]
    path = written(tmp_path, name, data)
    began = time.monotonic()

    with pytest.raises(FileRefused) as refused:
        taken_in(nodes.village, path)

    assert (refused.value.why, refused.value.name) == (why, name)
    assert time.monotonic() - began < 10
    assert nothing_is_left(nodes.village)


def test_a_bomb_costs_this_process_nothing(nodes: Three, tmp_path: Path) -> None:
    name, data, _ = REFUSED["an endless text"]
    path = written(tmp_path, name, data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(FileRefused):
        taken_in(nodes.village, path)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "a.pdf")
    return folder / "a.pdf"


def _folder(folder: Path) -> Path:
    (folder / "a.pdf").mkdir()
    return folder / "a.pdf"


@pytest.mark.parametrize(
    "make",
    [
        _pipe,
        _folder,
        lambda _: Path("/dev/zero"),
        lambda folder: folder / "gone.pdf",
        lambda folder: folder / "a\x00b.pdf",
        lambda folder: folder / ("长" * 300),
    ],
    ids=["pipe", "folder", "device", "nothing", "zero byte", "long"],
)
def test_what_is_no_file_is_refused_at_once(
    nodes: Three, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    with pytest.raises((FileRefused, NotFound)):
        taken_in(nodes.village, make(tmp_path))

    assert nothing_is_left(nodes.village)


@pytest.mark.parametrize(
    ("size", "is_taken"), [(40 * 1024, True), (40 * 1024 + 1, False)]
)
def test_an_item_says_how_large_a_file_may_be(
    nodes: Three, tmp_path: Path, size: int, is_taken: bool
) -> None:
    item = item_of(nodes.village, file_limit_kib=40)
    path = scan(tmp_path, size=size)

    if is_taken:
        digest, _ = intake.take_in(nodes.village, path, item)
        assert content(nodes.village, digest) == path.read_bytes()
        return
    with pytest.raises(FileRefused) as refused:
        intake.take_in(nodes.village, path, item)
    assert (refused.value.why, refused.value.limit) == ("too-large", 40 * 1024)
    assert nothing_is_left(nodes.village)


def test_a_photograph_is_weighed_after_it_was_made_smaller(
    nodes: Three, tmp_path: Path
) -> None:
    data = photograph(2400, 1600, quality=95)
    item = item_of(nodes.village, file_limit_kib=60, image_side_px=400)
    assert len(data) > 2 * item.file_limit_bytes

    _, material = intake.take_in(nodes.village, written(tmp_path, "a.jpg", data), item)

    assert material.size <= item.file_limit_bytes


def test_no_item_allows_more_than_travels(nodes: Three, tmp_path: Path) -> None:
    with pytest.raises(FileRefused):
        taken_in(nodes.village, scan(tmp_path, size=FILE_LIMIT_BYTES + 1))

    assert nothing_is_left(nodes.village)


def test_the_error_itself_does_not_tell_what_the_file_is_called(
    nodes: Three, tmp_path: Path
) -> None:
    path = written(tmp_path, "欧阳翠花身份证.jpg", b"no picture")

    with pytest.raises(FileRefused) as refused:
        taken_in(nodes.village, path)

    assert "欧阳翠花" not in str(refused.value) + repr(refused.value)


@pytest.mark.parametrize(
    "name",
    [
        b"\xff\xfe\x80.pdf",
        "第一行\n第二行.pdf".encode(),
        "\u202egnp.pdf".encode(),
        b"a" * 250 + b".pdf",
        ("字" * 80 + ".pdf").encode(),
    ],
)
def test_any_name_can_be_kept(nodes: Three, tmp_path: Path, name: bytes) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.write_bytes(b"%PDF-1.7 x")

    case = submit_with(nodes.village, path)

    (material,) = case.materials.values()
    assert len(material.name) <= NAME_LIMIT and material.name.endswith(".pdf")
    material.name.encode()


# -- what a case may hold -----------------------------------------------------------


def limited(nodes: Three, **limits: int) -> None:
    """Let the village's item have other limits, as its package would say."""
    digest = in_force.find_package(nodes.village, ELDER).digest
    package = nodes.village.package(digest)
    assert package is not None
    item = replace(package.item, **limits)
    nodes.village._packages[digest] = replace(package, item=item)


def test_the_files_of_a_case_are_limited_together(nodes: Three, tmp_path: Path) -> None:
    limited(nodes, file_limit_kib=60, case_limit_kib=100)
    first, second = (scan(tmp_path, f"{n}.pdf", 60 * 1024) for n in range(2))
    case = submit_with(nodes.village, first)

    with pytest.raises(AnswersWrong) as wrong:
        attach(nodes.village, case.id, second)

    assert "合计最多" in wrong.value.problems[0][2]
    attach(nodes.village, case.id, scan(tmp_path, "small.pdf", 40 * 1024))


def test_a_draft_keeps_its_files_until_it_is_submitted(
    nodes: Three, tmp_path: Path
) -> None:
    digest = taken_in(nodes.village, scan(tmp_path))
    draft = drafting.begin_draft(nodes.village, ELDER, ANSWERS, files=[digest])
    other = taken_in(nodes.village, scan(tmp_path, "户口本.pdf"))
    draft = drafting.save_draft(nodes.village, draft, ANSWERS, files=[other])
    drafting.save_draft(nodes.village, draft, ANSWERS | {"name": "张三"})

    found = nodes.village.store.drafts.get(draft.document)
    assert found is not None and found.files == (digest, other)
    case = drafting.submit_draft(nodes.village, found)
    assert set(case.materials) == {digest, other}


# -- what nobody needs --------------------------------------------------------------


def held(node: Node) -> set[str]:
    lying = {digest.hex() for digest in attachments.files_of(node).whole()}
    assert lying == {
        row[0].hex() for row in rows(node, "SELECT digest FROM attachments")
    }
    return lying


def test_a_draft_that_is_thrown_away_takes_its_files_along(
    nodes: Three, tmp_path: Path
) -> None:
    own, named, shared = (
        taken_in(nodes.village, scan(tmp_path, name)) for name in "abc"
    )
    drafting.begin_draft(nodes.village, ELDER, ANSWERS, files=[shared])
    draft = drafting.begin_draft(
        nodes.village, ELDER, ANSWERS | {"photo": named}, files=[own, shared]
    )

    drafting.drop_draft(nodes.village, draft)

    assert held(nodes.village) == {shared}


def test_what_nobody_names_goes_after_a_week_and_what_is_named_stays(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit_with(nodes.village, scan(tmp_path, "case"))
    in_draft = taken_in(nodes.village, scan(tmp_path, "draft"))
    drafting.begin_draft(nodes.village, ELDER, ANSWERS | {"photo": in_draft})
    in_correction = taken_in(nodes.village, scan(tmp_path, "correction"))
    with nodes.village.store.transaction():
        nodes.village.store.registry.set_setting(
            f"correction/{case.id}", f'{{"photo": "{in_correction}"}}'.encode()
        )
    forgotten = taken_in(nodes.village, scan(tmp_path, "forgotten"))

    assert tidy.sweep(nodes.village) == 0
    assert forgotten in held(nodes.village)
    nodes.clock.advance(tidy.UNNAMED_FOR_MS)
    assert tidy.sweep(nodes.village) == 1

    assert held(nodes.village) == {*case.materials, in_draft, in_correction}
    with pytest.raises(NotFound):
        content(nodes.village, forgotten)


def test_what_was_cut_off_is_swept_away(nodes: Three, tmp_path: Path) -> None:
    package = item_of(nodes.village)
    prepared = intake.prepare(
        nodes.village.home, nodes.village.keys, scan(tmp_path), package
    )
    assert tidy.sweep(nodes.village) == 0  # this process is still at work with it

    os.close(prepared.sealed.handle)
    stray = nodes.village.home.attachments / ("ab" * 32)
    stray.write_bytes(b"a file without a row")

    assert tidy.sweep(nodes.village) == 2
    assert held(nodes.village) == set()


def test_a_file_that_comes_twice_is_kept_once_under_its_last_name(
    nodes: Three, tmp_path: Path
) -> None:
    data = scan(tmp_path).read_bytes()
    first = taken_in(nodes.village, written(tmp_path, "甲.pdf", data))
    second = taken_in(nodes.village, written(tmp_path, "乙.pdf", data))

    assert first == second and held(nodes.village) == {first}
    record = intake.record_of(nodes.village, first)
    assert record is not None and record.name == "乙.pdf"


def test_a_step_that_names_no_file_of_this_home_is_refused(nodes: Three) -> None:
    case = submit(nodes.village)

    with pytest.raises(NodeError):
        casework.take_step(nodes.village, case.id, Step.AMEND, files=["cd" * 32])


def test_kinds_are_told_by_their_first_bytes() -> None:
    assert kind_of(photograph(40, 40)[:12]) == "image/jpeg"
    assert kind_of(photograph(40, 40, "PNG")[:12]) == "image/png"
    assert kind_of(photograph(40, 40, "WEBP")[:12]) == "image/webp"
    assert kind_of(b"RIFF\x00\x00\x00\x00WAVE") == kind_of(b"") == ""
