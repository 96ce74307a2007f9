"""Answers that the present version of a form has no place for.

They lie on this node only, under the id of the draft, which is later that of its case.
How they come to be is said in `forms.moving`.
"""

from collections.abc import Iterator, Sequence

from forms.moving import Kept
from node.wiring import Node
from sync.canonical import decode, encode

_SETTING = "kept-answers/"
_LIMIT_BYTES = 16 * 1024 * 1024
"""No form holds more; a draft is refused long before."""


def put(node: Node, document: bytes, kept: Sequence[Kept]) -> None:
    """Keep answers in the place of those that were kept, inside a transaction."""
    node.store.registry.set_setting(_SETTING + document.hex(), encode(tuple(kept)))


def of(node: Node, document: bytes) -> tuple[Kept, ...]:
    """Return what is kept for a draft or a case, the oldest first."""
    data = node.store.registry.setting(_SETTING + document.hex())
    return _read(data) if data else ()


def carry(node: Node, was: bytes, now: bytes) -> None:
    """Let a draft that gets another id take along what is kept for it."""
    if kept := of(node, was):
        put(node, now, kept)
        put(node, was, ())


def all_texts(node: Node) -> Iterator[str]:
    """Yield all answers that are kept, of whatever draft or case."""
    for data in node.store.registry.settings_under(_SETTING):
        for one in _read(data):
            yield one.value


def _read(data: bytes) -> tuple[Kept, ...]:
    return decode(data, tuple[Kept, ...], limit_bytes=_LIMIT_BYTES)
