"""An event written into a case: the change, its entry, and what follows from both.

All of it is stored in the transaction of the caller. Whether the step may be taken is
asked before, in `node.casework`.
"""

from collections.abc import Mapping

from msgspec import structs

from node import booking, cases, days, in_force, journal, standing
from node.cases import Case
from node.errors import AnswersWrong
from node.facts import is_storable
from node.lifecycle import (
    EVENT_LIMIT,
    NOTE_LIMIT,
    Event,
    decode_event,
    encode_event,
    frontier,
)
from node.material import Material, encode_material, materials_in
from node.matters import taken_changes
from node.policy import NAME_LIMIT, author_prefix
from node.sealing import sealed
from node.store.attachments import MaterialRow
from node.store.documents import Birth, DocumentRow, JudgedChange, may_be_in_entries
from node.wiring import Node
from sync.change import Change, read_change
from sync.document import Document
from sync.stream import KIND_CHANGE


def write_event(
    node: Node,
    case: Case,
    what: Event,
    answers: Mapping[str, str],
    materials: Mapping[str, Material],
) -> None:
    """Write what has happened into a case; who, when and after what is put in here."""
    key = case.row.document
    stored = node.store.documents.get(key)
    assert stored is not None
    document = Document.load(stored.snapshot)
    texts = cases.part(document.tree(), "events")
    known = {k: event for k, text in texts.items() if (event := decode_event(text))}
    at_ms = node.now_ms()
    new_id = event_id(node, at_ms, texts)
    event = structs.replace(
        what,
        at=int(new_id.partition("-")[2]),
        by=node.operator[:NAME_LIMIT],
        seen=frontier(known),
        clock=1 + max((e.clock for e in known.values()), default=0),
        note=what.note.strip(),
    )
    on, me = days.civil_day(event.at), node.certificate
    event = sealed(case, event, on, node.secrets.sign_key, me)
    writes: dict[str, dict[str, str]] = {"events": {new_id: text_of(event)}}
    if answers:
        writes["fields"] = dict(answers)
    if materials:
        writes["materials"] = {k: encode_material(m) for k, m in materials.items()}
    raw = document.write(document.actor_for(node.id, writes), writes)
    keep(node, key, stored.scope, stored.birth, document, read_change(raw), at_ms)


def check_note(note: str) -> None:
    """Refuse a reason that no receiver would take.

    Raises:
        AnswersWrong: it is too long, or holds what is no letter.
    """
    if not is_storable(note):
        raise AnswersWrong([("note", "理由", "里面有存不下的字，请重新输入")])
    if len(note.strip()) > NOTE_LIMIT:
        raise AnswersWrong([("note", "理由", f"最多 {NOTE_LIMIT} 字，请写短一些")])


def keep(
    node: Node,
    key: bytes,
    scope: str,
    birth: Birth,
    document: Document,
    change: Change,
    at_ms: int,
) -> None:
    """Write entry, document, list row and search terms together."""
    standing.check_may_work(node)
    entry = journal.append(node, scope, KIND_CHANGE, key, change.raw, at_ms)
    before = node.store.cases.get(key)
    store = node.store
    # As a receiver keeps it: a first change is its own snapshot.
    snapshot = document.snapshot() if change.dependencies else change.raw
    in_entries = may_be_in_entries(
        store.documents.get(key), 1 + len(store.documents.changes(key))
    )
    row = DocumentRow(key, scope, birth, document.heads(), snapshot, in_entries)
    store.documents.put([row])
    store.documents.put_changes(
        [
            JudgedChange(
                key,
                change.hash,
                change.actor,
                change.sequence,
                change.last_op,
                node.certificate.epoch,
                entry,
                "taken",
            )
        ]
    )
    store.attachments.put_materials(
        [
            MaterialRow(key, digest, found.size, node.id, entry)
            for digest, found in materials_in(
                change, dict(birth.containers), birth.actor
            )
        ],
        node.id,
    )
    had_conflict = before is not None and before.had_conflict
    booked = booking.book(
        row,
        in_force.package_of(node, birth.package),
        document.tree(),
        max(at_ms, before.changed_at_ms if before else 0),
        node.calendar,
        booking.tiers_of(node.roster),
        taken_changes(node, key) if had_conflict else (),
    )
    store.cases.put([(booked.row, booked.terms)])
    store.ledger.put([booked.line])


def event_id(node: Node, at_ms: int, known: Mapping[str, object]) -> str:
    """Return a new event's id: its author and its time, moved on until it is new."""
    prefix = author_prefix(node.id)
    while f"{prefix}-{at_ms}" in known:
        at_ms += 1
    return f"{prefix}-{at_ms}"


def text_of(event: Event) -> str:
    """Return an event as the document holds it.

    Raises:
        AnswersWrong: it is longer than any receiver takes.
    """
    text = encode_event(event)
    if len(text) > EVENT_LIMIT:
        why = "一次写不下这么多，请写短一些，或分几次写"
        raise AnswersWrong([("note", "理由和所写的内容", why)])
    return text
