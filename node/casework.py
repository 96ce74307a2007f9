"""Writing cases: drafts, submitting, and every later step. What the screens call.

Each function checks the right first, with the same table that every receiver asks
afterwards, then does all of its writing in one transaction. What it returns is on
disk.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from forms import check
from forms.package import Package
from node import cases, journal, rights
from node.absorb import BatchList, batch_id
from node.cases import Case, make_row, open_case
from node.errors import AnswersWrong, NotFound, StepRefused, StoreDamaged
from node.files import write_durably
from node.lifecycle import (
    CARRIES_FIELDS,
    NOTE_LIMIT,
    Event,
    State,
    Step,
    decode_event,
    encode_event,
    frontier,
)
from node.material import Material, encode_material
from node.policy import NAME_LIMIT, SCHEMA, author_prefix, containers_of
from node.store.cases import Draft
from node.store.documents import Birth, DocumentRow, JudgedChange
from node.store.registry import BatchRow, PackageRow
from node.wiring import Node
from sync.canonical import encode
from sync.change import Change, read_change
from sync.document import NONCE_BYTES, Document, Tree, actor_of, document_id
from sync.seal import sha256
from sync.stream import KIND_BATCH, KIND_CHANGE

CHINA = ZoneInfo("Asia/Shanghai")
ATTACHMENT_LIMIT_BYTES = 20 * 1024 * 1024


def today(node: Node) -> dt.date:
    """Return the civil date in China by the device's clock."""
    return dt.datetime.fromtimestamp(node.now_ms() / 1000, CHINA).date()


def find_package(node: Node, name: str) -> PackageRow:
    """Return the present package of an item, by code or by name.

    Raises:
        NotFound: no published item is called so.
    """
    rows = node.store.registry.current_packages()
    for row in rows:
        if name in (row.code, row.name):
            return row
    fitting = [row for row in rows if name and name in row.name]
    if len(fitting) != 1:
        raise NotFound("item", name[:40])
    return fitting[0]


# -- drafts -------------------------------------------------------------------


def begin_draft(
    node: Node, item: str, answers: Mapping[str, str] | None = None
) -> Draft:
    """Begin a case of an item; it stays on this node until it is submitted.

    Raises:
        NotFound: unknown item.
        StepRefused: this tier may not take the item in.
    """
    row = find_package(node, item)
    package = node.package(row.digest)
    assert package is not None
    why = rights.why_not(Step.SUBMIT, node.tier, package.item, State.DRAFT, "")
    if why:
        raise StepRefused("", State.DRAFT, Step.SUBMIT, why)
    nonce = node.random(NONCE_BYTES)
    with node.store.transaction():
        draft = Draft(
            document=document_id(actor_of(node.id, nonce), node.certificate.division),
            nonce=nonce,
            number=_next_number(node),
            package=row.digest,
            answers=check.normalise(package, answers or {}),
            begun_at_ms=node.now_ms(),
            saved_at_ms=node.now_ms(),
            last_field="",
        )
        node.store.cases.put_draft(draft)
    return draft


def save_draft(
    node: Node, draft: Draft, answers: Mapping[str, str], last_field: str = ""
) -> Draft:
    """Keep what has been filled in so far, right or not; return the kept draft."""
    kept = Draft(
        draft.document,
        draft.nonce,
        draft.number,
        draft.package,
        {key: value for key, value in answers.items() if value},
        draft.begun_at_ms,
        node.now_ms(),
        last_field or draft.last_field,
    )
    with node.store.transaction():
        if node.store.cases.draft(draft.document) is None:
            raise NotFound("draft", draft.id)
        node.store.cases.put_draft(kept)
    return kept


def drop_draft(node: Node, draft: Draft) -> None:
    """Throw a draft away. Only a person may ask for it."""
    with node.store.transaction():
        node.store.cases.drop_draft(draft.document)


def submit_draft(
    node: Node, draft: Draft, materials: Mapping[str, Material] | None = None
) -> Case:
    """Make a case of a draft: from here on it is an entry and will travel.

    Raises:
        AnswersWrong: all that is wrong with the form; the draft is kept.
        StepRefused: this tier may not take the item in.
        NotFound: the draft has been submitted or thrown away meanwhile.
    """
    package = _package_of(node, draft.package)
    answers = _checked(node, package, draft.answers)
    why = rights.why_not(Step.SUBMIT, node.tier, package.item, State.DRAFT, "")
    if why:
        raise StepRefused(draft.id, State.DRAFT, Step.SUBMIT, why)
    at_ms = node.now_ms()
    event = Event(step=Step.SUBMIT, at=at_ms, by=node.operator[:NAME_LIMIT])
    with node.store.transaction():
        if node.store.cases.draft(draft.document) is None:
            raise NotFound("draft", draft.id)
        number = draft.number
        if node.store.cases.has_number(number):
            number = _next_number(node)
        document, raw = Document.begin(
            actor_of(node.id, draft.nonce),
            {
                "v": SCHEMA,
                "item": package.item.code,
                "package": draft.package,
                "number": number,
                "fields": answers,
                "events": {_event_id(node, at_ms, {}): encode_event(event)},
                "materials": {
                    k: encode_material(m) for k, m in (materials or {}).items()
                },
            },
        )
        change = read_change(raw)
        birth = Birth(
            change.actor,
            tuple(sorted(containers_of(change).items())),
            draft.package,
            number,
        )
        _keep(
            node,
            draft.document,
            node.certificate.division,
            birth,
            document,
            change,
            at_ms,
        )
        node.store.cases.drop_draft(draft.document)
    return open_case(node, draft.id)


# -- later steps ----------------------------------------------------------------


def take_step(
    node: Node,
    case: str,
    step: Step,
    *,
    note: str = "",
    answers: Mapping[str, str] | None = None,
    materials: Mapping[str, Material] | None = None,
    batch: str = "",
) -> Case:
    """Take a step in a case and return the case as it is then.

    Args:
        node: where.
        case: its id or number, as `cases.open_case` takes it.
        step: what happens.
        note: the reason, where one is needed.
        answers: new values for some fields, with steps that carry fields.
        materials: new materials, by SHA-256, with steps that carry fields.
        batch: the number of the batch with which it goes.

    Raises:
        NotFound, Ambiguous: no case, or more than one, is called so.
        StepRefused: not now, not here, or a reason is missing.
        AnswersWrong: the form would not be right; nothing was changed.
    """
    document = cases.find_row(node, case).document
    with node.store.transaction():
        _write_step(node, document, step, note, answers or {}, materials or {}, batch)
    return open_case(node, document.hex())


def forward_batch(node: Node, names: Sequence[str]) -> tuple[BatchRow, list[Case]]:
    """Forward cases together, with a signed list of them; all of them or none.

    Raises:
        StepRefused, NotFound, Ambiguous: about the first that cannot go.
    """
    documents = list(dict.fromkeys(cases.find_row(node, n).document for n in names))
    if not documents:
        raise NotFound("case", "")
    with node.store.transaction():
        at_ms = node.now_ms()
        number = _next_batch_number(node)
        for document in documents:
            _write_step(node, document, Step.FORWARD, "", {}, {}, number)
        batch = BatchList(
            batch_id(node.id, number),
            number,
            node.operator[:NAME_LIMIT],
            at_ms,
            tuple(documents),
        )
        payload = encode(batch)
        entry = journal.append(
            node, node.certificate.division, KIND_BATCH, b"", payload, at_ms
        )
        row = BatchRow(batch.id, number, entry, at_ms, len(documents), payload)
        node.store.registry.put_batch(row)
    return row, [open_case(node, document.hex()) for document in documents]


def keep_attachment(node: Node, path: Path) -> tuple[str, Material]:
    """Take a file into the home, sealed; return its SHA-256 and its record.

    Raises:
        NotFound: it cannot be read, or is larger than 20 MiB.
    """
    try:
        if path.stat().st_size > ATTACHMENT_LIMIT_BYTES:
            raise NotFound("file of at most 20 MiB", path.name)
        data = path.read_bytes()
    except OSError as error:
        raise NotFound("file", path.name) from error
    digest = sha256(data).hex()
    node.home.attachments.mkdir(mode=0o700, exist_ok=True)
    write_durably(node.home.attachments / digest, node.keys.seal_file(digest, data))
    with node.store.transaction():
        node.store.registry.put_attachment(digest, len(data), node.now_ms())
    return digest, Material(name=path.name[:120], size=len(data))


def possible_steps(node: Node, case: Case) -> list[Step]:
    """Return what this tier may do with a case now."""
    return rights.possible_steps(node.tier, case.package.item, case.story.state)


def _write_step(
    node: Node,
    document_key: bytes,
    step: Step,
    note: str,
    answers: Mapping[str, str],
    materials: Mapping[str, Material],
    batch: str,
) -> None:
    case = open_case(node, document_key.hex())
    if len(note.strip()) > NOTE_LIMIT:
        raise AnswersWrong([("note", "理由", f"最多 {NOTE_LIMIT} 字，请写短一些")])
    state, item = case.story.state, case.package.item
    why = rights.why_not(step, node.tier, item, state, note)
    if why:
        words = rights.allowed_words(node.tier, item, state)
        raise StepRefused(case.id, state, step, why, words)
    changed = {k: v for k, v in answers.items() if case.fields.get(k, "") != v}
    if step in CARRIES_FIELDS:
        merged = _checked(node, case.package, {**case.fields, **answers})
        # Choosing one of two living values settles them, also the one that is shown.
        disputed = {one.key for one in case.conflicts} & set(answers)
        # An answer that was taken out is written as nothing: a field never vanishes.
        keys = set(case.fields) | set(merged)
        changed = {
            k: merged.get(k, "")
            for k in sorted(keys)
            if merged.get(k, "") != case.fields.get(k, "") or k in disputed
        }
    stored = node.store.documents.get(document_key)
    assert stored is not None
    document = Document.load(stored.snapshot)
    texts = cases.part(document.tree(), "events")
    known = {k: event for k, text in texts.items() if (event := decode_event(text))}
    at_ms = node.now_ms()
    event_id = _event_id(node, at_ms, texts)
    event = Event(
        step=step,
        at=int(event_id.partition("-")[2]),
        by=node.operator[:NAME_LIMIT],
        seen=frontier(known),
        clock=1 + max((e.clock for e in known.values()), default=0),
        note=note.strip(),
        fields=tuple(sorted(changed)),
        batch=batch,
    )
    writes: dict[str, dict[str, str]] = {"events": {event_id: encode_event(event)}}
    if changed:
        writes["fields"] = changed
    if materials:
        writes["materials"] = {k: encode_material(m) for k, m in materials.items()}
    raw = document.write(actor_of(node.id, node.random(NONCE_BYTES)), writes)
    _keep(
        node,
        document_key,
        stored.scope,
        stored.birth,
        document,
        read_change(raw),
        at_ms,
    )


def _keep(
    node: Node,
    key: bytes,
    scope: str,
    birth: Birth,
    document: Document,
    change: Change,
    at_ms: int,
) -> None:
    """Write entry, document, list row and search terms together."""
    entry = journal.append(node, scope, KIND_CHANGE, key, change.raw, at_ms)
    before = node.store.cases.get(key)
    store = node.store
    # As a receiver keeps it: a first change is its own snapshot.
    snapshot = document.snapshot() if change.dependencies else change.raw
    store.documents.put([DocumentRow(key, scope, birth, document.heads(), snapshot)])
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
    tree: Tree = document.tree()
    has_conflict = before is not None and before.mark == cases.MARK_CONFLICT
    store.cases.put(
        [
            make_row(
                key,
                birth.package,
                _package_of(node, birth.package),
                birth.number,
                scope,
                tree,
                max(at_ms, before.changed_at_ms if before else 0),
                has_conflict=has_conflict and bool(cases.standing_conflicts(node, key)),
            )
        ]
    )


def _package_of(node: Node, digest: str) -> Package:
    package = node.package(digest)
    if package is None:
        raise StoreDamaged(f"package {digest[:12]} is not here")
    return package


def _checked(
    node: Node, package: Package, answers: Mapping[str, str]
) -> dict[str, str]:
    problems = check.check(package, answers, today(node))
    if problems:
        raise AnswersWrong([(p.key, p.label, p.message) for p in problems])
    return check.normalise(package, answers)


def _event_id(node: Node, at_ms: int, known: Mapping[str, object]) -> str:
    """Return a new event's id: its author and its time, moved on until it is new."""
    prefix = author_prefix(node.id)
    while f"{prefix}-{at_ms}" in known:
        at_ms += 1
    return f"{prefix}-{at_ms}"


def _next_number(node: Node) -> str:
    """Return the next case number 办件编号 of this node: it is never used twice.

    12 digits division, 6 digits date, 2 digits terminal, 4 digits count of the day,
    1 check character (ISO 7064 MOD 11-2 over the digits).
    """
    day, terminal = _day(node), f"{node.certificate.terminal:02d}"
    while True:
        count = node.store.registry.next_count(f"case/{day}")
        digits = f"{node.certificate.division}{day}{terminal}{count:04d}"
        number = digits + check_character(digits)
        # A restored backup counts from where it was.
        if not node.store.cases.has_number(number):
            return number


def _next_batch_number(node: Node) -> str:
    day = _day(node)
    while True:
        count = node.store.registry.next_count(f"batch/{day}")
        number = f"{node.certificate.division[:9]}-{day}-B{count:03d}"
        if not node.store.registry.has_batch(batch_id(node.id, number)):
            return number


def check_character(digits: str) -> str:
    """Return the ISO 7064 MOD 11-2 check character of a string of digits."""
    remainder = 0
    for digit in digits:
        remainder = (remainder + int(digit)) * 2 % 11
    return "0123456789X"[(12 - remainder) % 11]


def _day(node: Node) -> str:
    return today(node).strftime("%y%m%d")
