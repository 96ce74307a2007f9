"""Each wrong thing gets its sentence and its exit code, and nothing is lost."""

import json
import re
import resource
import subprocess
from pathlib import Path

import pytest

from tests.whole.places import ELDER, GOOD, Place, Places, submit_some, sync

CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("answers", "label"),
    [
        (GOOD | {"citizen_id": "110105194912310021"}, "身份证号"),
        (GOOD | {"name": ""}, "姓名"),
        (GOOD | {"phone": "12345"}, "联系电话"),
        (GOOD | {"card_type": "age99"}, "优待证类型"),
        (GOOD | {"no_such_field": "x"}, "no_such_field"),
    ],
)
def test_wrong_answers_are_named_and_kept_as_a_draft(
    places: Places, answers: dict[str, str], label: str
) -> None:
    village = places.village

    done = village.run("case", "new", ELDER, "--fields", "-", stdin=json.dumps(answers))

    assert done.returncode == 1
    assert label in done.stderr
    assert "Traceback" not in done.stderr
    drafts = village.read("case", "list", "--state", "draft")["cases"]
    assert len(drafts) == 1
    kept = village.read("case", "show", drafts[0]["id"])["fields"]
    assert {key: text for key, text in answers.items() if text}.items() <= kept.items()


def test_every_refusal_has_a_sentence_and_a_code(
    places: Places, tmp_path: Path
) -> None:
    village, town = places.village, places.town
    made = village.run("case", "new", ELDER, "--fields", "-", stdin=json.dumps(GOOD))
    case = made.stdout.strip()
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong")
    before = village.read("verify")["digests"]

    refused = {
        "unknown item": (village.run("case", "new", "没有这个事项"), 1),
        "unknown case": (village.run("case", "show", "ffffffffffff"), 1),
        "another's step": (village.run("case", "accept", case), 5),
        "no reason": (village.run("case", "withdraw", case), 5),
        "not here yet": (town.run("case", "accept", case), 1),
        "only the district publishes": (town.run("catalog", "publish"), 5),
        "no such command": (village.run("fly"), 2),
        "no json": (village.run("case", "new", ELDER, "--fields", "-", stdin="{"), 2),
        "bad code": (Place(tmp_path / "new").run("join", "AAAA"), 5),
        "no node": (Place(tmp_path / "none").run("status"), 1),
        "taken home": (
            village.run("init", "--division", "330881000000", "--name", "江山市"),
            1,
        ),
        "wrong password": (
            village.run("--password-file", str(wrong), "status"),
            5,
        ),
    }

    for what, (done, code) in refused.items():
        assert done.returncode == code, (what, done.stderr)
        assert CHINESE.search(done.stderr), what
        assert "Traceback" not in done.stderr, what
        assert GOOD["citizen_id"] not in done.stderr, what
    assert village.read("verify")["digests"] == before


def test_an_unreachable_town_loses_nothing(places: Places) -> None:
    village = places.village
    made = village.run("case", "new", ELDER, "--fields", "-", stdin=json.dumps(GOOD))
    case = made.stdout.strip()
    places.town.end()

    done = village.run("sync")
    status = village.read("status")
    places.town.serve("--no-sync")
    again = village.run("sync")

    assert done.returncode == 4
    assert CHINESE.search(done.stderr)
    assert status["not_delivered"] == 1
    assert status["online"] is False
    above = next(n for n in status["neighbours"] if n["above"])
    assert above["last_result"] == "unreachable"
    assert above["waiting_out"]["cases"] == 1
    assert again.returncode == 0
    assert village.read("case", "show", case)["sync"]["town"] is True


def test_a_town_at_another_key_is_not_spoken_to(places: Places, tmp_path: Path) -> None:
    from node import enrol
    from tests.whole.places import CHEAP, OPERATOR, PASSWORD

    village = places.village
    address = places.town.address
    places.town.end()
    enrol.init_district(
        tmp_path / "other" / "impostor",
        division="330882000000",
        name="别处",
        operator=OPERATOR,
        password=PASSWORD,
        cost=CHEAP,
    ).close()
    impostor = Place(tmp_path / "other" / "impostor", address=address)
    impostor.serve("--no-sync")

    try:
        done = village.run("sync")
    finally:
        impostor.end()

    assert done.returncode == 5
    assert CHINESE.search(done.stderr)


def test_a_full_disk_gets_a_sentence_and_loses_nothing(places: Places) -> None:
    village = places.village
    with village.open() as node:
        kept = submit_some(node, 3, seed=7)
    size = (village.path / "node.db").stat().st_size

    def no_more_room() -> None:
        limit = size + 16 * 1024
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    failed = None
    for _ in range(60):
        done = subprocess.run(
            village.command("case", "new", ELDER, "--fields", "-"),
            input=json.dumps(GOOD),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            preexec_fn=no_more_room,
        )
        if done.returncode:
            failed = done
            break
        kept.append(done.stdout.strip())

    assert failed is not None
    assert failed.returncode == 1, failed.stderr
    assert CHINESE.search(failed.stderr)
    assert "Traceback" not in failed.stderr
    listed = {c["id"] for c in village.read("case", "list", "--limit", "1000")["cases"]}
    assert set(kept) <= listed
    again = village.run("case", "new", ELDER, "--fields", "-", stdin=json.dumps(GOOD))
    assert again.returncode == 0
    assert village.read("verify")["clean"]
    sync(village)
