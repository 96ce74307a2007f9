"""The list row of a case, and its line of the ledger, made again from its document:
where the calendar has moved, or an older program has kept no line.
"""

from node import booking
from node.errors import PackageDamaged
from node.matters import taken_changes
from node.wiring import Node
from sync.document import Document
from sync.errors import DocumentDamaged


def make(node: Node, document: bytes) -> bool:
    """Make a case's row and line again; say whether the row has changed.

    A case that cannot be read keeps its row, and holds up no other: `verify` names it.
    """
    before = node.store.cases.get(document)
    stored = node.store.documents.get(document)
    if before is None or stored is None:
        return False
    try:
        package = node.package(before.package)
        tree = Document.load(stored.snapshot).tree()
    except (PackageDamaged, DocumentDamaged):
        return False
    if package is None:
        return False
    booked = booking.book(
        stored,
        package,
        tree,
        before.changed_at_ms,
        node.calendar,
        booking.tiers_of(node.roster),
        taken_changes(node, document) if before.had_conflict else (),
    )
    node.store.cases.put([(booked.row, booked.terms)])
    node.store.ledger.put([booked.line])
    return node.store.cases.get(document) != before
