"""A joint package on the screen: its items, their papers, and a department's desk."""

import pytest
from msgspec import structs

from forms.service import Member
from node import casework, drafting, in_force, upkeep
from node.cases import Case, records_of
from node.lifecycle import Step
from node.wiring import Node
from tests.tui.desks import ELDER, ITEM, Desks, enrolled, screen_text, submit
from tui.app import LianbanApp

pytestmark = pytest.mark.anyio

FIRST, SECOND = "公安局", "医疗保障局"


def joint_case(desks: Desks) -> Case:
    """Return a case of a package of two items that lies with two departments."""
    package = desks.district.package(in_force.find_package(desks.village, ITEM).digest)
    assert package is not None
    members = (
        Member("1", "户口登记", FIRST, ("id_card",)),
        Member("2", "医保参保", SECOND),
    )
    item = structs.replace(package.item, members=members)
    changed = structs.replace(package, format=3, version="3000010101", item=item)
    upkeep.publish(desks.district, [changed])
    desks.up()
    draft = drafting.begin_draft(desks.village, ITEM, ELDER)
    case = drafting.submit_draft(
        desks.village, draft, {"material/id_card": "original_seen"}
    )
    desks.up()
    casework.take_step(desks.town, case.id, Step.ACCEPT)
    casework.forward_batch(desks.town, [case.id])
    desks.up()
    return case


def department(desks: Desks, name: str) -> Node:
    """Return the node of a department, with the district's entries."""
    node = enrolled(
        desks.district,
        desks.district.home.path.parent / "department",
        "district",
        "330881000000",
        name,
        "王民警",
        department=name,
    )
    for _ in range(2):
        desks.sync(node)
    return node


async def test_a_department_finds_first_what_waits_for_its_own_word(
    desks: Desks,
) -> None:
    case = joint_case(desks)
    submit(desks.village, "别的事")
    node = department(desks, FIRST)
    app = LianbanApp(node)

    try:
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            before = screen_text(app)
            facts = {"branch": "1", "result": "agree"}
            casework.take_step(node, case.id, Step.ADVISE, facts=facts)
            app.screen.data_changed()  # type: ignore[attr-defined]
            await pilot.pause()
            after = screen_text(app)
            await pilot.press("2")
            await pilot.pause()
            everything = screen_text(app)
    finally:
        node.close()
        node.sandbox.close()

    assert "1本部门 1" in before and "欧阳建国" in before
    assert "本部门都办完了" in after and "欧阳建国" not in after
    assert "欧阳建国" in everything


async def test_each_item_of_a_package_shows_what_was_handed_in_once(
    desks: Desks,
) -> None:
    case = joint_case(desks)
    app = LianbanApp(desks.district)

    async with app.run_test(size=(80, 50)) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("3")
        await pilot.pause()
        papers = screen_text(app)

    first, second = (
        next(line for line in papers.splitlines() if name in line)
        for name in ("户口登记（公安局）", "医保参保（医疗保障局）")
    )
    assert "居民身份证 已核原件" in first and "户口簿" not in first
    assert "居民身份证 已核原件" in second and "户口簿" in second
    assert records_of(case).papers.keys() == {"id_card"}
