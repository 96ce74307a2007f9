"""Making the ledger's line of a case from its document. Pure: no I/O, no clock."""

from collections.abc import Mapping, Sequence

from forms.item import Tier
from forms.package import Package
from node import reckoning
from node.cases import part
from node.ledger import Line, line
from node.policy import author_prefix
from node.records import records
from node.store.documents import Birth
from node.story import fold
from node.workdays import Calendar
from sync import seal
from sync.document import Tree
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
    """Return the line of a case from what its document says."""
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
        reckoning.clocks(item, story, known, calendar),
        tiers,
    )
