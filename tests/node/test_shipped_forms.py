"""All items that ship, filled in with the real forms and sent to the town."""

from datetime import date

import pytest

from forms import check
from forms.catalog import item_files, shipped
from forms.filled import FilledForm
from node import drafting, upkeep
from node.cases import open_case
from node.reuse import Earlier, applied, offers
from tests.forms.answers import filled
from tests.node.nodes import Three, sync, sync_all
from tests.shipping import all_shipped_packages

PACKAGES = {
    path.stem: package
    for path, package in zip(item_files(shipped()), all_shipped_packages(), strict=True)
}


@pytest.mark.parametrize("name", PACKAGES)
def test_an_application_for_each_item_is_filled_in_and_arrives(
    name: str, nodes: Three
) -> None:
    package = PACKAGES[name]
    upkeep.publish(nodes.district, [package])
    sync_all(nodes)
    form = filled(package, name, nodes.village.today())
    assert list(form.problems()) == []
    by_tier = {"village": nodes.village, "town": nodes.town, "district": nodes.district}
    tier = by_tier[package.item.collect[0]]

    draft = drafting.begin_draft(tier, package.item.code, form.answers)
    case = drafting.submit_draft(tier, draft)

    sync(nodes.village, nodes.town)
    sync(nodes.town, nodes.district)
    there = open_case(nodes.district, case.id)
    assert there.fields == case.fields == form.submitted


@pytest.mark.parametrize("name", PACKAGES)
def test_what_a_form_has_taken_over_from_an_earlier_one_stands_in_it(name: str) -> None:
    package, today = PACKAGES[name], date(2026, 11, 21)
    answers = filled(package, name, today).submitted
    source = Earlier("一号", package.item.name, 1, package, answers, {})

    offered = offers(package, [source], today)
    taken = applied({}, offered)
    form = FilledForm(package, taken, check.noon(today))

    assert offered
    assert {key: form.value(key) for key in taken} == taken
    assert all(answers[key] == text for key, text in taken.items())
