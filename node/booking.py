"""Keeping the ledger: where a case is written, and where the calendar has changed."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from forms.item import Tier
from forms.package import Package
from node import clocks
from node.cases import part
from node.ledger import Line, line
from node.policy import author_prefix
from node.records import records
from node.store.documents import Birth
from node.story import fold
from node.wiring import Node
from node.workdays import Calendar
from sync import seal
from sync.document import Document, Tree
from sync.identity import Roster

HEADS_BYTES = 16
"""Of a hash over the heads: enough that nobody finds two by chance."""


def tiers_of(roster: Roster) -> dict[str, Tier]:
    """Return the tier of each node, by how the ids of its events begin."""
    return {author_prefix(one.node): Tier(one.tier) for one in roster.everyone()}


def make_line(
    document: bytes,
    birth: Birth,
    package: Package,
    tree: Tree,
    heads: Sequence[bytes],
    calendar: Calendar,
    tiers: Mapping[str, Tier],
) -> Line:
    """Return the line of a case from what its document says. Pure."""
    item, story = package.item, fold(part(tree, "events"))
    known = records(item, story)
    return line(
        document,
        seal.sha256(*sorted(heads))[:HEADS_BYTES],
        birth.number,
        birth.taken_in_at,
        item,
        story,
        known,
        clocks.clocks(item, story, known, calendar),
        tiers,
    )


def reckon_again(node: Node, years: Collection[int]) -> None:
    """Make the lines anew whose days may lean on some years of the calendar."""
    _book(node, node.store.ledger.leaning_on(years))


def book_lacking(node: Node) -> None:
    """Make the lines of cases that an older program has kept without one."""
    _book(node, node.store.ledger.lacking())


def _book(node: Node, pages: Iterable[list[bytes]]) -> None:
    tiers = tiers_of(node.roster)
    for page in pages:
        node.store.ledger.put(_line_again(node, one, tiers) for one in page)


def _line_again(node: Node, document: bytes, tiers: Mapping[str, Tier]) -> Line:
    stored = node.store.documents.get(document)
    package = node.package(stored.birth.package) if stored else None
    assert stored is not None and package is not None
    loaded = Document.load(stored.snapshot)
    return make_line(
        document,
        stored.birth,
        package,
        loaded.tree(),
        loaded.heads(),
        node.calendar,
        tiers,
    )
