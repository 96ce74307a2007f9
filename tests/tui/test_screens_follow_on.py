"""A case that builds on the result of another 联动, at the keyboard and by command."""

import json
from pathlib import Path

import pytest
from msgspec import structs

from forms.material import Exemption, Proof
from node import casework, drafting, in_force, upkeep
from node.cases import Case, records_of
from node.lifecycle import Step
from tests.node.nodes import BIRTH_ANSWERS
from tests.tui.desks import BIRTH, ELDER, ITEM, Desks, act, press, screen_text
from tests.tui.test_commands import Shell
from tui import labels
from tui.app import LianbanApp

pytestmark = pytest.mark.anyio


@pytest.fixture
def lianban(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Shell:
    return Shell(capsys, tmp_path)


@pytest.fixture
def linked(desks: Desks) -> Desks:
    """Let the identity card of one item be spared by the result of another."""
    district = desks.district
    birth = in_force.find_package(district, BIRTH)
    package = district.package(in_force.find_package(district, ITEM).digest)
    assert package is not None
    result = Exemption(Proof.RESULT, BIRTH, birth.code)
    materials = tuple(
        structs.replace(one, exempt_by=(*one.exempt_by, result))
        if one.key == "id_card"
        else one
        for one in package.item.materials
    )
    item = structs.replace(package.item, materials=materials)
    upkeep.publish(
        district, [structs.replace(package, version="3000010101", item=item)]
    )
    desks.up()
    return desks


def first_case(desks: Desks, *steps: Step) -> Case:
    village, town = desks.village, desks.town
    draft = drafting.begin_draft(village, BIRTH, BIRTH_ANSWERS)
    case = drafting.submit_draft(village, draft)
    desks.up()
    for one in steps:
        casework.take_step(town, case.id, one, note="符合条件")
    desks.up()
    return case


async def test_n_on_a_granted_case_begins_the_next_and_c_leads_back(
    linked: Desks,
) -> None:
    first = first_case(linked, Step.ACCEPT, Step.GRANT)
    app = LianbanApp(linked.village)

    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter")
        opened = screen_text(app)
        await act(pilot, "n")
        form = screen_text(app)
        assert linked.village.store.drafts.all() == []
        await press(pilot, "f2")
        (draft,) = linked.village.store.drafts.all()
        case = drafting.submit_draft(
            linked.village,
            drafting.save_draft(linked.village, draft, {**draft.answers, **ELDER}),
        )
        await press(pilot, "escape")

    app = LianbanApp(linked.village)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter")
        following = screen_text(app)
        await press(pilot, "c")
        back = screen_text(app)

    assert "N 接着办" in opened
    assert f"接着 {labels.short_number(first.row.number)} 办" in form
    assert BIRTH_ANSWERS["wife_name"] in form
    assert records_of(case).follows == first.row.number
    assert f"接单号 {first.row.number} 办" in following and "C 看前件" in following
    assert BIRTH in back and "N 接着办" in back


async def test_a_case_that_is_not_granted_offers_no_next_one(linked: Desks) -> None:
    first_case(linked, Step.ACCEPT)
    app = LianbanApp(linked.village)

    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "enter")
        opened = screen_text(app)
        await press(pilot, "n")

        assert screen_text(app) == opened
    assert "接着办" not in opened


def test_the_command_names_the_case_that_it_builds_on(
    linked: Desks, lianban: Shell, tmp_path: Path
) -> None:
    first = first_case(linked, Step.ACCEPT, Step.GRANT)
    waiting = first_case(linked)
    answers = tmp_path / "elder.json"
    answers.write_text(json.dumps(ELDER))
    new = ("case", "new", ITEM, "--fields", str(answers), "--from")

    made = lianban(linked.village, *new, first.row.number)
    refused = lianban(linked.village, *new, waiting.id)
    unfit = lianban(linked.village, "case", "new", BIRTH, "--from", first.id)
    shown = lianban(linked.village, "case", "show", made.out.strip())

    assert made.code == 0
    assert f"接着哪一件  {first.row.number}  {BIRTH}  准予" in shown.out
    assert "用前一件的结果" in shown.out
    assert refused.code == 1 and "还没有准予" in refused.err
    assert waiting.row.number in refused.err and "没有新建" in refused.err
    assert unfit.code == 1 and "不收这个事项的结果" in unfit.err
