"""Files given out of the home: under a harmless name, in one folder, over nothing."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from node import audit, export
from node.cases import Case, open_case
from node.errors import DiskFull, NotFound, StoreDamaged
from node.material import _DEVICES, Material, encode_material, safe_name
from node.wiring import Node
from tests.node.forge import copy_of, put_entry
from tests.node.nodes import Three, rows, submit, sync
from tests.node.papers import agree, scan, submit_with

WEIRD = [
    "../../x",
    "..\\..\\x.txt",
    "/etc/passwd",
    "C:\\Windows\\x.dll",
    "CON.txt",
    "con",
    "lpt9.tar.gz",
    "NUL ",
    "aux.",
    "a\x00b.png",
    "a" * 120,
    "字" * 116 + ".pdf",
    "x. . .",
    " .",
    "..",
    "",
    "-rf",
    ".bashrc",
    "\u202egpj.exe",
    "line\nfeed.pdf",
    "a:b|c?d*e.pdf",
    "\ue000",
    "e\u0301" * 40,
]


@given(st.text(max_size=150) | st.sampled_from(WEIRD), st.integers(1, 99))
@example("CON.txt", 1)
@example("字" * 300 + ".jpeg", 1)
@settings(deadline=None, derandomize=True, max_examples=500)
def test_a_safe_name_is_one_on_every_disk(name: str, number: int) -> None:
    made = safe_name(name, number)

    assert 0 < len(made.encode()) <= 130
    assert not set(made) & set('/\\:*?"<>|\x00\n\r\t')
    assert made == made.strip() and not made.endswith(".")
    assert not made.startswith((".", "-"))
    assert made.partition(".")[0].strip().upper() not in _DEVICES
    assert made.isprintable()
    assert Path(made).name == made and Path("folder", made).parent == Path("folder")


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("身份证 正面.jpg", "身份证 正面.jpg"),
        ("../../x", "x"),
        ("CON.txt", "_CON.txt"),
        ("a\x00b.png", "a_b.png"),
        ("..", "材料3"),
        ("合同.pdf. .", "合同.pdf"),
        ("", "材料3"),
    ],
)
def test_a_name_that_is_harmless_stays(name: str, made: str) -> None:
    assert safe_name(name, 3) == made


def case_with_name(nodes: Three, tmp_path: Path, name: str) -> tuple[Case, str]:
    """Return a case at the town whose village has given a file this name."""
    path = scan(tmp_path)
    digest = next(iter(submit_with(nodes.village, path).materials))
    case = submit(nodes.village)
    copy = copy_of(nodes.village, case.id)
    record = encode_material(Material(name, path.stat().st_size))
    raw = copy.write(nodes.village, "amend", more={"materials": {digest: record}})
    put_entry(nodes.village, copy.id, raw)
    sync(nodes.village, nodes.town)
    return open_case(nodes.town, case.id), digest


@pytest.mark.parametrize("name", WEIRD)
def test_a_name_from_elsewhere_leads_nowhere_else(
    nodes: Three, tmp_path: Path, name: str
) -> None:
    case, digest = case_with_name(nodes, tmp_path, name)
    folder = tmp_path / "out"
    folder.mkdir()
    before = everything(tmp_path)

    path = export.save(nodes.town, case, digest, 1, folder)

    assert case.materials[digest].name == name
    assert everything(tmp_path) - before == {path}
    assert path.parent == folder and path.is_file()
    assert path.read_bytes() == (tmp_path / "身份证.pdf").read_bytes()
    assert path.stat().st_mode & 0o077 == 0


def everything(folder: Path) -> set[Path]:
    return {
        path
        for path in folder.rglob("*")
        if path.is_file() and "nodes" not in path.parts
    }


def saved(node: Node, case: Case, folder: Path) -> Path:
    (digest,) = case.materials
    return export.save(node, case, digest, 1, folder)


def test_nothing_that_is_there_is_replaced(nodes: Three, tmp_path: Path) -> None:
    case = submit_with(nodes.village, scan(tmp_path))
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "身份证.pdf").write_bytes(b"mine")
    (folder / "身份证 (2).pdf").symlink_to(tmp_path / "elsewhere")

    paths = [saved(nodes.village, case, folder) for _ in range(2)]

    assert [p.name for p in paths] == ["身份证 (3).pdf", "身份证 (4).pdf"]
    assert (folder / "身份证.pdf").read_bytes() == b"mine"
    assert not (tmp_path / "elsewhere").exists()


def test_what_is_not_here_yet_leaves_no_file(nodes: Three, tmp_path: Path) -> None:
    case = submit_with(nodes.village, scan(tmp_path))
    agree(nodes.village, nodes.town)
    folder = tmp_path / "out"
    folder.mkdir()

    with pytest.raises(NotFound):
        saved(nodes.town, case, folder)

    assert list(folder.iterdir()) == []


def test_who_saves_a_file_elsewhere_is_written_down_and_seen_above(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit_with(nodes.village, scan(tmp_path))

    saved(nodes.village, case, tmp_path)
    agree(nodes.village, nodes.town)

    query = "SELECT node, act, subject, operator FROM audits"
    row = (nodes.village.id, audit.EXPORT, case.row.number, nodes.village.operator)
    assert row in rows(nodes.town, query)


def test_a_damaged_file_leaves_no_half(nodes: Three, tmp_path: Path) -> None:
    case = submit_with(nodes.village, scan(tmp_path))
    sealed = nodes.village.home.attachments / next(iter(case.materials))
    data = bytearray(sealed.read_bytes())
    data[-1] ^= 1
    sealed.write_bytes(data)
    folder = tmp_path / "out"
    folder.mkdir()

    with pytest.raises(StoreDamaged):
        saved(nodes.village, case, folder)

    assert list(folder.iterdir()) == []


def test_a_folder_that_is_none_is_said_to_be_none(nodes: Three, tmp_path: Path) -> None:
    case = submit_with(nodes.village, scan(tmp_path))
    (tmp_path / "file").write_bytes(b"")

    for folder in (tmp_path / "gone", tmp_path / "file"):
        with pytest.raises(NotFound):
            saved(nodes.village, case, folder)


def test_a_paper_goes_where_it_is_named_and_replaces_what_was_there(
    tmp_path: Path,
) -> None:
    named = export.place_in(str(tmp_path / "b.pdf"), "a.pdf")

    export.save_paper(export.place_in(str(tmp_path), "a.pdf"), b"1")
    export.save_paper(named, b"2")
    export.save_paper(named, b"3")

    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {
        "a.pdf": b"1",
        "b.pdf": b"3",
    }


@pytest.mark.parametrize(
    "typed", ["~nobody-here/a.pdf", "/tmp/" + "长" * 200, "a\0b", "\ud800"]
)
def test_what_can_be_no_path_is_not_found(typed: str) -> None:
    with pytest.raises(NotFound):
        export.place_in(typed, "a.pdf")


@pytest.mark.parametrize("name", ["folder", "长" * 84])
def test_a_paper_that_cannot_be_written_is_told_and_leaves_nothing(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(DiskFull):
        export.save_paper(tmp_path / name, b"1")

    assert [one.name for one in tmp_path.iterdir()] == ["folder"]
