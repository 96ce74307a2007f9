"""The list row of a case, and its line of the ledger, made again from its document:
where the calendar has moved, or an older program has kept no line.
"""

from node import booking
from node.cases import make_row
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
        loaded = Document.load(stored.snapshot)
        tree = loaded.tree()
    except (PackageDamaged, DocumentDamaged):
        return False
    if package is None:
        return False
    row, terms = make_row(
        document,
        stored.birth,
        package,
        stored.scope,
        tree,
        before.changed_at_ms,
        node.calendar,
        taken_changes(node, document) if before.had_conflict else (),
    )
    node.store.cases.put([(row, terms)])
    line = booking.make_line(
        document,
        stored.birth,
        package,
        tree,
        loaded.heads(),
        node.calendar,
        booking.tiers_of(node.roster),
    )
    node.store.ledger.put([line])
    return node.store.cases.get(document) != before
