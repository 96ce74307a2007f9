"""No personal data in the clear: every byte of every file, open, killed and closed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from node import casework, drafting, upkeep
from node.errors import FileRefused
from node.lifecycle import Step
from node.wiring import Node
from tests.node.forge import birth, bundle_for, package_of, put_entry
from tests.node.nodes import (
    ELDER,
    NOON_MS,
    OPERATOR,
    PASSWORD,
    Three,
    reopen,
    step,
    submit,
    sync_all,
)
from tests.node.papers import content, taken_in

NAME, PHONE, ADDRESS = "欧阳翠花", "13712345678", "石门镇上塘村桂花巷 77 号"
REASON = "材料里的姓名欧阳翠花写错了"
ID_NUMBER = "330881194503150047"
ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "gb18030", "gbk")


def planted() -> dict[str, str]:
    from forms.citizen_id import expected_check_character

    number = ID_NUMBER[:17] + expected_check_character(ID_NUMBER[:17])
    return {
        "name": NAME,
        "citizen_id": number,
        "sex": "female",
        "phone": PHONE,
        "home_address": ADDRESS,
    }


def needles() -> set[bytes]:
    said = [text for key, text in planted().items() if key != "sex"]
    texts = [*said, REASON, NAME[:3], PASSWORD, "桂花巷"]
    encoded = {text.encode(encoding) for text in texts for encoding in ENCODINGS}
    encoded |= {text.encode().hex().encode() for text in texts}
    return encoded | {
        text.encode("unicode_escape") for text in texts if not text.isascii()
    }


def found_in(folder: Path) -> list[str]:
    wanted = needles()
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [
        f"{path.name}: {needle!r}"
        for path in files
        for needle in wanted
        if needle in path.read_bytes()
        or needle in path.name.encode("utf-8", "surrogateescape")
    ]


def work(nodes: Three) -> None:
    """Let personal data go through everything that there is."""
    drafting.begin_draft(nodes.village, ELDER, planted())
    paper = nodes.path.parent / f"{NAME}.pdf"
    paper.write_bytes((NAME + planted()["citizen_id"]).encode() * 5000)
    case = submit(nodes.village, photo=taken_in(nodes.village, paper), **planted())
    sync_all(nodes)
    (digest,) = case.materials
    assert content(nodes.district, digest) == paper.read_bytes()
    with pytest.raises(FileRefused):
        taken_in(nodes.village, lying_picture(nodes.path.parent))
    step(nodes.town, case.id, Step.RETURN, REASON)
    sync_all(nodes)
    step(nodes.village, case.id, Step.SUBMIT, home_address=ADDRESS + " 旁边")
    document, _, raw = birth(
        nodes.village,
        package_of(nodes.village, ELDER),
        fields={"unknown": NAME, "name": NAME},
    )
    put_entry(nodes.village, document, raw)  # is set aside, and not shown in the clear
    sync_all(nodes)
    step(nodes.town, case.id, Step.ACCEPT)
    casework.forward_batch(nodes.town, [case.id])
    sync_all(nodes)
    upkeep.rebuild(nodes.town)


def lying_picture(folder: Path) -> Path:
    """Return a file that is called a photograph and is none."""
    path = folder / f"{NAME}.jpg"
    path.write_bytes((NAME + planted()["citizen_id"]).encode() * 100)
    return path


def test_the_search_itself_finds_what_lies_in_the_clear(tmp_path: Path) -> None:
    for number, needle in enumerate(sorted(needles())):
        (tmp_path / str(number)).write_bytes(b"x" * 7 + needle + b"y")

    assert len(found_in(tmp_path)) >= len(needles())


def test_no_file_of_an_open_or_closed_home_shows_anybody(nodes: Three) -> None:
    work(nodes)

    assert (nodes.village.home.path / "node.db-wal").exists()
    assert found_in(nodes.path) == []
    for node in nodes:
        node.close()
    assert found_in(nodes.path) == []
    for name in ("district", "town", "village", "other_village"):
        old: Node = getattr(nodes, name)
        setattr(nodes, name, reopen(old.home.path, nodes.clock))


def test_what_travels_shows_nobody(nodes: Three, tmp_path: Path) -> None:
    submit(nodes.village, **planted())

    folder = tmp_path / "stick"
    folder.mkdir()
    (folder / "1.lbb").write_bytes(bundle_for(nodes.village, nodes.town))

    assert found_in(folder) == []


def test_no_error_and_no_refusal_names_anybody(nodes: Three) -> None:
    work(nodes)
    said = []
    for node in nodes:
        said += [f"{q.cause} {q.detail}" for q in node.store.documents.quarantine(99)]
        said += [row[3] for row in node.store.refusals.newest(99)]
        said += upkeep.verify(node).faults
    for wrong in (
        {"phone": PHONE + "1"},
        {"citizen_id": planted()["citizen_id"] + "0"},
    ):
        with pytest.raises(Exception) as caught:
            submit(nodes.village, **(planted() | wrong))
        said.append(str(caught.value))
        said.append(repr(caught.value))

    assert said
    for text in said:
        assert NAME not in text and PHONE not in text
        assert planted()["citizen_id"] not in text


_KILLED = f"""
import sys
from pathlib import Path
from node import drafting
from tests.node.nodes import Clock, ELDER, reopen, submit
from tests.node.test_at_rest import planted
node = reopen(Path(sys.argv[1]), Clock({NOON_MS}))
for _ in range(20):
    submit(node, **planted())
    drafting.begin_draft(node, ELDER, planted())
with node.store.transaction():
    submit(node, **planted())
    print("in the middle", flush=True)
    sys.stdin.read()
"""


def test_no_file_of_a_killed_node_shows_anybody(nodes: Three) -> None:
    root = Path(casework.__file__).parents[1]
    child = subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(nodes.village.home.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "in the middle\n"
    assert found_in(nodes.path) == []
    child.send_signal(signal.SIGKILL)
    child.communicate()

    assert found_in(nodes.path) == []
    assert nodes.village.store.documents.count() == 20
    assert upkeep.verify(nodes.village).faults == ()


def test_a_vault_names_no_operator(nodes: Three) -> None:
    for node in nodes:
        assert OPERATOR.encode() not in node.home.vault.read_bytes()
