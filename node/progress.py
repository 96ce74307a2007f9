"""How far the files of cases have come: "材料 2/3 已到", the same words on both ends.

What is here is counted from the home; what has arrived above, from what those nodes
have signed. Nothing is concluded from sending.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.attachments import files_of
from node.status import line_above
from node.store.attachments import MaterialRow
from node.wiring import Node
from sync.pieces import count_of


@dataclass(frozen=True, slots=True)
class Progress:
    """Of the files of one case: how many there are, are here, and are known to be at
    the town and the district above; None where there is none above.
    """

    total: int
    here: int
    town: int | None
    district: int | None

    @property
    def is_all_here(self) -> bool:
        """None is on its way to this node."""
        return self.here == self.total

    @property
    def is_all_there(self) -> bool:
        """All are here, and at the town and the district above."""
        return all(
            n in (None, self.total) for n in (self.here, self.town, self.district)
        )


@dataclass(frozen=True, slots=True)
class Way:
    """How far one file of a case has come.

    Attributes:
        is_here: it lies whole in this home.
        percent: how much of it is here or, where it is here, how much the node above
            had when it last asked.
        town, district: whether it is known to be there; None where there is none above.
    """

    is_here: bool
    percent: int
    town: bool | None
    district: bool | None


def progress(node: Node, documents: Sequence[bytes]) -> dict[bytes, Progress]:
    """Return how far the files of some cases have come; cases without any are left
    out.
    """
    store = node.store.attachments
    named = _files_of(store.materials_of(documents))
    if not named:
        return {}
    here = set(store.many(list({d for files in named.values() for d in files})))
    at = [
        store.held_by(holder, list(named)) if holder else None
        for holder in line_above(node)
    ]

    def count(document: bytes, held: set[tuple[bytes, bytes]] | None) -> int | None:
        if held is None:
            return None
        return sum((document, digest) in held for digest in named[document])

    return {
        document: Progress(
            len(files), len(here & files.keys()), *(count(document, one) for one in at)
        )
        for document, files in named.items()
    }


def ways(node: Node, document: bytes) -> dict[str, Way]:
    """Return how far each file of a case has come, by digest in hex, in the order in
    which they were attached.
    """
    store = node.store.attachments
    files = _files_of(store.materials_of([document])).get(document, {})
    here = store.many(list(files))
    town, district = (
        store.held_by(holder, [document]) if holder else None
        for holder in line_above(node)
    )
    asked = store.asked(node.secrets.parent)

    def is_there(digest: bytes, held: set[tuple[bytes, bytes]] | None) -> bool | None:
        return None if held is None else (document, digest) in held

    found = {}
    for digest, sizes in files.items():
        kept = here.get(digest)
        if kept:
            size, count = kept.size_bytes, asked.get(digest, 0)
        else:
            size, count = max(sizes), files_of(node).held(digest, sizes)
        found[digest.hex()] = Way(
            kept is not None,
            min(100, 100 * count // count_of(size)),
            is_there(digest, town),
            is_there(digest, district),
        )
    return found


def _files_of(rows: Iterable[MaterialRow]) -> dict[bytes, dict[bytes, set[int]]]:
    """Return for each case its files with the sizes that they are said to have."""
    found: dict[bytes, dict[bytes, set[int]]] = {}
    for row in rows:
        files = found.setdefault(row.document, {})
        files.setdefault(row.digest, set()).add(row.size_bytes)
    return found
