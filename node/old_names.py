"""What drafts were called before they got new ids: people have the old ones on paper.

Only on this node, like the drafts themselves. An old id may meanwhile be a case of
the copy that has submitted the same draft; then it means that case.
"""

from node.store.drafts import Draft
from node.wiring import Node
from sync.canonical import Record, decode, encode

LIMIT_BYTES = 1024
_SETTING = "draft-was/"
_LEAST_TEXT = 4


class OldName(Record, frozen=True):
    """Ids and numbers of one draft, before and after."""

    was: bytes
    was_number: str
    now: bytes
    number: str


def note(node: Node, was: Draft, now: Draft) -> None:
    """Keep how a draft was called, inside the transaction that renames it."""
    known = OldName(was.document, was.number, now.document, now.number)
    node.store.registry.set_setting(_SETTING + was.id, encode(known))


def old_names(node: Node) -> list[OldName]:
    """Return all that is known of old names."""
    return [
        decode(data, OldName, limit_bytes=LIMIT_BYTES)
        for data in node.store.registry.settings_under(_SETTING)
    ]


def document_of(node: Node, name: str) -> bytes | None:
    """Return the present id of what was once called `name`, by id or number; None
    where nothing was, or more than one thing.
    """
    text = name.strip().lower().replace("-", "")
    known = old_names(node)
    found = {
        one.now
        for one in known
        if len(text) >= _LEAST_TEXT
        and (one.was.hex().startswith(text) or one.was_number.lower().endswith(text))
    }
    # A draft may have been renamed more than once.
    onward = {one.was: one.now for one in known}
    for _ in known:
        found = {onward.get(one, one) for one in found}
    return found.pop() if len(found) == 1 else None
