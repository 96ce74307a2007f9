"""Choosing what to apply for."""

from forms.package import Package
from node import rights
from node.lifecycle import State, Step
from tui.screens.choose import Choose, Option
from tui.screens.page import Page

EMPTY = "还没有事项。请先同步一次（F5），事项由区里发布"


def takes_in(page: Page) -> list[Package]:
    """Return the present items that this tier may take in, by name of department."""
    node = page.node
    packages = [
        package
        for row in node.store.registry.current_packages()
        if (package := node.package(row.digest)) is not None
    ]
    return [
        package
        for package in packages
        if not rights.why_not(Step.SUBMIT, node.tier, package.item, State.DRAFT, "")
    ]


async def choose_item(page: Page) -> Package | None:
    """Ask which item is applied for; None when the user went back."""
    packages = {package.item.code: package for package in takes_in(page)}
    options = [
        Option(code, package.item.name, package.item.department)
        for code, package in packages.items()
    ]
    code = await page.app.push_screen_wait(
        Choose(
            "新建：办什么事项？",
            options,
            columns=("事项", "部门"),
            empty=EMPTY,
        )
    )
    return packages[code] if code else None
