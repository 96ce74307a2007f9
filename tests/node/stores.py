"""A store by itself: one key, one stream, rows of cases."""

from node import find
from node.store import Store
from node.store.cases import CaseRow
from sync.seal import sha256
from sync.stream import Entry, StreamId, genesis, link

KEY = bytes(range(32))
STREAM = StreamId(b"n" * 16, 1, "330881105201")


def case(number: int, at_ms: int = 0, **changed: object) -> CaseRow:
    """Return a row of a case that is like no other of another number."""
    values: dict[str, object] = {
        "document": sha256(str(number).encode())[:16],
        "number": f"33088110520126112101{number:04d}X",
        "division": "330881105201",
        "taken_in_at": "330881105201",
        "package": "p",
        "item_code": "c",
        "item_name": "老年人优待证办理",
        "department": "民政局",
        "decide": "district",
        "applicant": "张三",
        "state": "submitted",
        "mark": "",
        "settler": "",
        "open_count": 0,
        "had_conflict": False,
        "submitted_at_ms": at_ms,
        "changed_at_ms": at_ms,
    } | changed
    return CaseRow(**values)  # type: ignore[arg-type]


def put(store: Store, *found: CaseRow) -> None:
    """Keep rows with the terms by which they are found."""
    with store.transaction():
        store.cases.put(
            (row, find.terms(row.applicant, row.item_name, row.number, ""))
            for row in found
        )


def links_of(
    count: int, first: int = 1, previous: bytes = b""
) -> list[tuple[Entry, bytes]]:
    """Return `count` entries of STREAM with their chain hashes."""
    previous = previous or genesis(STREAM)
    made = []
    for sequence in range(first, first + count):
        payload = b"p%d" % sequence
        entry = Entry(sequence, "k", b"d", 1, sequence, sha256(payload), payload)
        previous = link(previous, entry)
        made.append((entry, previous))
    return made
