"""The list row of a case, and its line of the ledger, made again from its document:
where the calendar has moved, or an older program has kept no line.
"""

from node import booking
from node.cases import make_row
from node.errors import StoreDamaged
from node.matters import taken_changes
from node.wiring import Node
from sync.document import Document


def make(node: Node, document: bytes) -> bool:
    """Make a case's row and line again; say whether the row has changed.

    Raises:
        StoreDamaged: the case cannot be read.
    """
    before = node.store.cases.get(document)
    stored = node.store.documents.get(document)
    package = node.package(before.package) if before else None
    if before is None or stored is None or package is None:
        raise StoreDamaged(
            f"case {document.hex()} cannot be read; run `lianban rebuild`"
        )
    loaded = Document.load(stored.snapshot)
    row, terms = make_row(
        document,
        stored.birth,
        package,
        stored.scope,
        loaded.tree(),
        before.changed_at_ms,
        node.calendar,
        taken_changes(node, document) if before.had_conflict else (),
    )
    node.store.cases.put([(row, terms)])
    line = booking.make_line(
        document,
        stored.birth,
        package,
        loaded.tree(),
        loaded.heads(),
        node.calendar,
        booking.tiers_of(node.roster),
    )
    node.store.ledger.put([line])
    return node.store.cases.get(document) != before
