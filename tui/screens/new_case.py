"""Choosing what to apply for, and, where it is not for here, for which place."""

from dataclasses import dataclass

from forms.package import Package
from node import in_force, places, rights
from node.errors import PackageDamaged
from node.follow_on import materials_from
from node.lifecycle import State, Step
from node.rights import Side
from tui.messages import sentence
from tui.screens.choose import Choose, Look, Option
from tui.screens.guide import GuidePage
from tui.screens.page import Page

EMPTY = "还没有事项。请先同步一次（F5），事项由区里发布"
NOT_FOUND = "没有这样的事项。换个说法，或输入部门、拼音首字母"
ELSEWHERE = Option("elsewhere", "替别处收件…", "全市通办")


@dataclass(frozen=True, slots=True)
class Chosen:
    """An item, and the division that the case is for; "" is our own."""

    package: Package
    division: str = ""


def takes_in(page: Page) -> list[Package]:
    """Return the present items that this tier may take in, by name of department; one
    that is damaged is named, and leaves the others as they are.
    """
    node = page.node
    packages: list[Package] = []
    for row in in_force.packages(node):
        try:
            package = node.package(row.digest)
        except PackageDamaged as damage:
            page.say(f"! {sentence(damage)}", "problem")
            continue
        if package is not None:
            packages.append(package)
    return [
        package
        for package in packages
        if not rights.why_not(
            Step.SUBMIT, node.tier, package.item, State.DRAFT, "", Side.COMPETENT
        )
    ]


async def choose_new(page: Page) -> Chosen | None:
    """Ask which item is applied for, at another place if the user says so; None when
    he went back.
    """
    packages = {package.item.code: package for package in takes_in(page)}
    goes_out = [
        package
        for package in packages.values()
        if places.known_places(page.node, package.item)
    ]
    code = await _ask_item(
        page,
        "新建：办什么事项？",
        list(packages.values()),
        (ELSEWHERE,) if goes_out else (),
    )
    if code != ELSEWHERE.value:
        return Chosen(packages[code]) if code else None
    code = await _ask_item(page, "替别处收件：办什么事项？", goes_out)
    if not code:
        return None
    division = await _ask_place(page, packages[code])
    return Chosen(packages[code], division) if division else None


def next_items(page: Page, code: str) -> list[Package]:
    """Return the items taken in here that take the result of the item `code` for one
    of their papers 联动.
    """
    return [one for one in takes_in(page) if materials_from(one.item, code)]


async def choose_next(page: Page, code: str) -> Package | None:
    """Ask which item goes on from the result of the item `code`; a single one is not
    asked for. None when the user went back, or there is none.
    """
    packages = {one.item.code: one for one in next_items(page, code)}
    if len(packages) == 1:
        return next(iter(packages.values()))
    question = "接着办什么？用这一件的结果作材料"
    chosen = await _ask_item(page, question, list(packages.values()))
    return packages[chosen] if chosen else None


async def _ask_item(
    page: Page, question: str, packages: list[Package], more: tuple[Option, ...] = ()
) -> str | None:
    used = page.node.store.cases.counts_by_item()
    # The usual ones first: they have a number each.
    ordered = sorted(packages, key=lambda one: -used.get(one.item.code, 0))
    options = [
        Option(
            one.item.code,
            one.item.name,
            one.item.department,
            (*one.item.keywords, one.item.code),
        )
        for one in ordered
    ]
    by_code = {one.item.code: one for one in packages}

    def show_guide(code: str) -> None:
        if code in by_code:  # 替别处收件 has none
            page.app.push_screen(GuidePage(page.node, by_code[code]))

    empty = NOT_FOUND if packages else EMPTY
    return await page.app.push_screen_wait(
        Choose(
            question,
            [*options, *more],
            columns=("事项", "部门"),
            empty=empty,
            look=Look("办事指南", show_guide),
        )
    )


async def _ask_place(page: Page, package: Package) -> str | None:
    options = [
        Option(one.division, one.name, f"{one.division} {one.above}".strip())
        for one in places.known_places(page.node, package.item)
    ]
    return await page.app.push_screen_wait(
        Choose(
            f"{package.item.name}：替哪里收件？",
            options,
            columns=("办理地", "区划代码"),
            detail_cells=24,
            numbered=0,
        )
    )
