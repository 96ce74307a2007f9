"""For which places a case can be taken in here 全市通办. Reads the roster, asks nobody.

A place needs no node of its own: a village is served by its town's. What counts is
that somebody there may accept the item.
"""

from dataclasses import dataclass

from forms.item import Item
from node.errors import Ambiguous, NotFound
from node.wiring import Node
from sync.identity import TIER_DIGITS, Certificate, covers, is_division


@dataclass(frozen=True, slots=True)
class Place:
    """A division that has a node. `above` is what its town is called, or ""."""

    division: str
    name: str
    above: str


def place_names(node: Node) -> dict[str, str]:
    """Return the names of all divisions that have a node."""
    return {one.division: one.name for one in node.roster.everyone()}


def known_places(node: Node, item: Item) -> list[Place]:
    """Return the places beside and below our own for which `item` can be taken in,
    each once, by division.
    """
    everyone = _standing(node)
    here = node.certificate.division
    towns = {one.division: one.name for one in everyone if one.tier == "town"}
    found = {
        one.division: Place(one.division, one.name, _town_of(one, towns))
        for one in everyone
        if not covers(one, here) and _is_served(everyone, item, one.division)
    }
    return list(found.values())


def find_place(node: Node, item: Item, text: str) -> str:
    """Return the division that a person means by a code or a name; ours by "".

    Raises:
        NotFound: nobody known here accepts `item` for such a place.
        Ambiguous: more than one place is called so.
    """
    wanted = text.strip()
    if wanted in ("", node.certificate.division, node.certificate.name):
        return node.certificate.division
    if is_division(wanted):
        if not _is_served(_standing(node), item, wanted):
            raise NotFound("place", wanted)
        return wanted
    places = known_places(node, item)
    fitting = [one for one in places if one.name == wanted]
    fitting = fitting or [one for one in places if wanted in one.name]
    if not fitting:
        raise NotFound("place", wanted[:40])
    if len(fitting) > 1:
        raise Ambiguous("place", wanted[:40], len(fitting))
    return fitting[0].division


def _standing(node: Node) -> list[Certificate]:
    roster = node.roster
    return [one for one in roster.everyone() if not roster.is_revoked(one.node)]


def _is_served(everyone: list[Certificate], item: Item, division: str) -> bool:
    """Say whether anybody may accept `item` for a place."""
    return any(one.tier == item.accept and covers(one, division) for one in everyone)


def _town_of(one: Certificate, towns: dict[str, str]) -> str:
    if one.tier == "town":
        return ""
    return towns.get(one.division[: TIER_DIGITS["town"]].ljust(12, "0"), "")
