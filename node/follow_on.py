"""A case that builds on the result of another 联动: what may follow, and what is said.

The result is no copy: the new case names the number of the other, and the paper for
which its result stands is said to be so. Who receives it looks the other case up where
it lies, or asks for the paper where it does not.
"""

from contextlib import suppress

from forms.item import Item
from forms.material import Proof
from forms.package import Package
from node.cases import Case, open_case, records_of
from node.errors import Ambiguous, NotFound, ResultUnusable
from node.lifecycle import State
from node.wiring import Node

REUSED = "reused"
"""The state of a paper for which another case's result stands, see `facts`."""

CARRIED_ROLES = ("applicant_name", "applicant_id", "applicant_phone")
"""Who applies goes over by itself. Other answers may mean another thing in the new
form, as the number of the old certificate: the form offers them with their source.
"""


def materials_from(item: Item, code: str) -> tuple[str, ...]:
    """Return the keys of the papers of `item` for which the result of the item `code`
    may stand.
    """
    return tuple(
        one.key
        for one in item.materials
        if any(e.kind is Proof.RESULT and e.item == code for e in one.exempt_by)
    )


def is_granted(case: Case) -> bool:
    """Say whether a case has a result to build on, and nobody disputes it."""
    return case.story.outcome == State.GRANTED and not case.story.choices


def source(node: Node, item: Item, name: str) -> Case:
    """Return the case on whose result a new one of `item` is to build.

    Args:
        node: where.
        item: of the new case.
        name: id or number of the other, as `open_case` takes it.

    Raises:
        NotFound, Ambiguous: no case, or more than one, is called so.
        ResultUnusable: it was not granted, or `item` does not take its result.
    """
    case = open_case(node, name)
    other = case.package.item
    why = "" if materials_from(item, other.code) else "not-taken"
    if not is_granted(case):
        why = "not-granted"
    if why:
        raise ResultUnusable(case.row.number, other.name, item.name, why)
    return case


def source_here(node: Node, name: str) -> Case | None:
    """Return the case that is called so, or None: it is not here.

    Raises:
        Ambiguous: what was written fits more than one.
    """
    try:
        return open_case(node, name)
    except NotFound:
        return None


def source_of(node: Node, case: Case) -> Case | None:
    """Return the case that another follows, where it lies here; None where it follows
    none, or what was typed names none or several of those that are here.
    """
    name = records_of(case).follows
    with suppress(Ambiguous):
        return source_here(node, name) if name else None
    return None


def facts_from(item: Item, case: Case) -> dict[str, str]:
    """Return what an intake says of the case on whose result it builds."""
    keys = materials_from(item, case.package.item.code)
    return {"follows": case.row.number, **{f"material/{key}": REUSED for key in keys}}


def answers_from(package: Package, case: Case) -> dict[str, str]:
    """Return who applies, as the new form asks it."""
    found = {}
    for role in CARRIED_ROLES:
        asked, told = package.field_of(role), case.package.field_of(role)
        if asked and told and asked.kind == told.kind and case.fields.get(told.key):
            found[asked.key] = case.fields[told.key]
    return found
