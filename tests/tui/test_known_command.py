"""`case known`, and what `case new` says and takes of a person who has been here."""

import io
import json
from pathlib import Path

import pytest

from node import audit, casework
from node.cases import Case, open_case
from node.lifecycle import Step
from tests.tui.desks import ELDER, ITEM, Desks, submit
from tests.tui.shell import Shell

WHO = {"citizen_id": ELDER["citizen_id"]}


@pytest.fixture
def who(tmp_path: Path) -> str:
    """Return the path of a file that says whom it is about."""
    path = tmp_path / "who.json"
    path.write_text(json.dumps(WHO))
    return str(path)


def accepted(desks: Desks) -> Case:
    case = submit(desks.village)
    desks.up()
    casework.take_step(desks.town, case.id, Step.ACCEPT)
    desks.up()
    return case


def test_what_is_known_is_listed_with_its_sources_and_written_down(
    desks: Desks, lianban: Shell, who: str
) -> None:
    case = accepted(desks)

    said = lianban(desks.village, "case", "known", ITEM, "--fields", who, "--json")

    found = json.loads(said.out)
    offers = {one["key"]: one for one in found["offers"]}
    assert said.code == 0
    assert [one["id"] for one in found["cases"]] == [case.id]
    assert [one["number"] for one in found["open_twins"]] == [case.row.number]
    assert offers["phone"]["answers"] == {"phone": ELDER["phone"]}
    assert offers["phone"]["source"]["number"] == case.row.number
    assert "citizen_id" not in offers
    assert desks.village.store.registry.audits(1)[0].act == audit.LOOK


def test_the_number_comes_from_the_standard_input_as_well(
    desks: Desks, lianban: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted(desks)
    text = io.TextIOWrapper(io.BytesIO(json.dumps(WHO).encode()))
    monkeypatch.setattr("sys.stdin", text)

    said = lianban(desks.village, "case", "known", ITEM, "--fields", "-")

    assert said.code == 0
    assert "phone  联系电话  138 0013 8000" in said.out
    assert "此人在本点办过 1 件" in said.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "没有写对身份证号"),
        ('{"citizen_id": "110105"}', "没有写对身份证号"),
        ('{"citizen_id": "440524188001010014"}', "本点没有此人办过的件"),
    ],
)
def test_who_is_not_known_is_said_to_be_so(
    desks: Desks, lianban: Shell, tmp_path: Path, text: str, words: str
) -> None:
    accepted(desks)
    path = tmp_path / "other.json"
    path.write_text(text)

    said = lianban(desks.village, "case", "known", ITEM, "--fields", str(path))

    assert words in said.err
    assert ELDER["name"] not in said.everything
    assert all(
        one.act != audit.LOOK for one in desks.village.store.registry.audits(100)
    )


def test_a_new_case_takes_over_what_is_named_and_nothing_else(
    desks: Desks, lianban: Shell, who: str
) -> None:
    accepted(desks)

    said = lianban(
        desks.village,
        *("case", "new", ITEM, "--fields", who, "--draft"),
        *("--reuse", "phone", "--reuse", "name"),
    )

    (draft,) = desks.village.store.drafts.all()
    assert said.code == 0
    by_itself = {"ethnicity": "汉族", "matter": "first"}
    taken = {"phone": ELDER["phone"], "name": ELDER["name"]}
    assert draft.answers == WHO | by_itself | taken
    assert "取用 联系电话：来自 老年人优待证办理，单号" in said.err


def test_what_cannot_be_taken_over_stops_the_new_case(
    desks: Desks, lianban: Shell, who: str
) -> None:
    accepted(desks)

    said = lianban(
        desks.village, "case", "new", ITEM, "--fields", who, "--reuse", "telephone"
    )

    assert said.code == 2
    assert "没有这一项可取用" in said.err and "phone" in said.err
    assert ELDER["phone"] not in said.err
    assert desks.village.store.drafts.all() == []


def test_a_second_case_of_the_same_item_is_warned_of_and_still_made(
    desks: Desks, lianban: Shell, tmp_path: Path
) -> None:
    first = submit(desks.village)
    path = tmp_path / "elder.json"
    path.write_text(json.dumps(ELDER))

    said = lianban(desks.village, "case", "new", ITEM, "--fields", str(path))

    number = first.row.number
    assert said.code == 0
    assert "注意：此人另有一件同事项在办" in said.err
    assert f"{number[12:18]}-{number[20:]}" in said.err and "贺村镇" in said.err
    assert open_case(desks.village, said.out.strip()).id != first.id
