"""Writing cases: drafts, submitting, and every later step. What the screens call.

Each function checks the right first, with the same table that every receiver asks
afterwards, then does all of its writing in one transaction. What it returns is on
disk.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from msgspec import structs

from forms import check
from forms.item import Item
from forms.package import Package
from node import (
    booking,
    cases,
    corrections,
    days,
    follow_on,
    intake,
    journal,
    kept_answers,
    old_names,
    places,
    rights,
    standing,
    tidy,
)
from node.absorb import BatchList, batch_id
from node.cases import Case, open_case
from node.errors import AnswersWrong, NotFound, StepRefused, StoreDamaged
from node.facts import fault_of
from node.lifecycle import (
    CARRIES_FIELDS,
    EVENT_LIMIT,
    NOTE_LIMIT,
    Event,
    State,
    Step,
    decode_event,
    encode_event,
    frontier,
)
from node.material import Material, encode_material, materials_in
from node.matters import taken_changes
from node.policy import NAME_LIMIT, SCHEMA, author_prefix, containers_of
from node.records import Records
from node.sealing import sealed
from node.store.attachments import MaterialRow
from node.store.cases import Draft
from node.store.documents import (
    Birth,
    DocumentRow,
    JudgedChange,
    may_be_in_entries,
)
from node.store.registry import BatchRow, PackageRow
from node.wiring import Node
from sync.actor import NONCE_BYTES, actor_of, document_id
from sync.canonical import encode
from sync.change import Change, read_change
from sync.document import Document
from sync.identity import join_scope
from sync.stream import KIND_BATCH, KIND_CHANGE

_DIGEST = re.compile(r"[0-9a-f]{64}")


def now(node: Node) -> dt.datetime:
    """Return the time in China by the device's clock."""
    return days.local(node.now_ms())


def today(node: Node) -> dt.date:
    """Return the civil date in China by the device's clock."""
    return now(node).date()


def packages_in_force(node: Node) -> list[PackageRow]:
    """Return the present package of each item, by code."""
    return node.store.registry.current_packages(today(node).isoformat())


def find_package(node: Node, name: str) -> PackageRow:
    """Return the present package of an item, by code or by name.

    Raises:
        NotFound: no published item is called so.
    """
    rows = packages_in_force(node)
    for row in rows:
        if name in (row.code, row.name):
            return row
    fitting = [row for row in rows if name and name in row.name]
    if len(fitting) != 1:
        raise NotFound("item", name[:40])
    return fitting[0]


# -- drafts -------------------------------------------------------------------


def begin_draft(
    node: Node,
    item: str,
    answers: Mapping[str, str] | None = None,
    place: str = "",
    files: Sequence[str] = (),
    digest: str = "",
    follows: str = "",
) -> Draft:
    """Begin a case of an item; it stays on this node until it is submitted.

    Args:
        node: where it is taken in.
        item: code or name.
        answers: what is filled in already.
        place: for which place the case is, by division or name; ours where empty.
        files: digests of files that go with it, besides those that answers name.
        digest: the version that was filled in; a newer one may have come meanwhile.
            The present one where empty.
        follows: id or number of the case on whose result it builds 联动; who applies
            is taken over from there.

    Raises:
        NotFound: unknown item, or nobody is known who could accept it for that place.
        Ambiguous: more than one place is called so.
        ResultUnusable: the case that it follows has no result for it.
        StepRefused: this tier may not take the item in.
    """
    digest = digest or find_package(node, item).digest
    package = _package_of(node, digest)
    division = places.find_place(node, package.item, place)
    side = rights.side_of(node.certificate, division)
    why = rights.why_not(Step.SUBMIT, node.tier, package.item, State.DRAFT, "", side)
    if why:
        raise StepRefused("", State.DRAFT, Step.SUBMIT, why)
    source = follow_on.source(node, package.item, follows) if follows else None
    known = follow_on.answers_from(package, source) if source else {}
    nonce = node.random(NONCE_BYTES)
    scope = join_scope(node.certificate.division, division)
    with node.store.transaction():
        draft = Draft(
            document=document_id(actor_of(node.id, nonce), scope),
            nonce=nonce,
            number=_next_number(node),
            division=division,
            package=digest,
            answers=check.begun(package, {**known, **(answers or {})}, today(node)),
            begun_at_ms=node.now_ms(),
            saved_at_ms=node.now_ms(),
            last_field="",
            files=tuple(files),
            follows=source.row.number if source else "",
        )
        node.store.cases.put_draft(draft)
    return draft


def save_draft(
    node: Node,
    draft: Draft,
    answers: Mapping[str, str],
    last_field: str = "",
    files: Sequence[str] = (),
) -> Draft:
    """Keep what has been filled in so far, right or not; return the kept draft.

    `files` are added to those that go with it already.
    """
    kept = replace(
        draft,
        answers={key: value for key, value in answers.items() if value},
        saved_at_ms=node.now_ms(),
        last_field=last_field or draft.last_field,
        files=tuple(dict.fromkeys((*draft.files, *files))),
    )
    with node.store.transaction():
        if node.store.cases.draft(draft.document) is None:
            raise NotFound("draft", draft.id)
        node.store.cases.put_draft(kept)
    return kept


def drop_draft(node: Node, draft: Draft) -> None:
    """Throw a draft away, with its files. Only a person may ask for it."""
    kept = kept_answers.of(node, draft.document)
    with node.store.transaction():
        node.store.cases.drop_draft(draft.document)
        if kept:
            kept_answers.put(node, draft.document, ())
    package = node.package(draft.package)
    named = _files_in(package, draft.answers) if package else []
    named += [d for one in kept for d in one.value.split() if _DIGEST.fullmatch(d)]
    tidy.drop_unnamed(node, [*draft.files, *named])


def rename_drafts(node: Node) -> None:
    """Give all drafts ids and numbers of their own, since a copy of this node may have
    the same ones; inside the transaction that makes it necessary.
    """
    for draft in node.store.cases.drafts():
        renamed = replace(_renamed(node, draft), number=_next_number(node))
        node.store.cases.put_draft(renamed)
        old_names.note(node, draft, renamed)


def submit_draft(
    node: Node, draft: Draft, facts: Mapping[str, str] | None = None
) -> Case:
    """Make a case of a draft: from here on it is an entry and will travel.

    `facts` is what is said of the intake, see `node.facts`.

    Raises:
        AnswersWrong: all that is wrong with the form, or a file that is not here or too
            large; the draft is kept.
        StepRefused: this tier may not take the item in.
        ResultUnusable: the case that it follows lies here and has no result for it.
        NotFound: the draft has been submitted or thrown away meanwhile.
        RevokedHere: this node has been put out; the draft is kept.
    """
    package = _package_of(node, draft.package)
    facts = {key: value.strip() for key, value in (facts or {}).items()}
    facts = _followed(node, package.item, draft.follows, facts)
    answers = _checked(
        node, package, draft.answers, is_paper_only="paper_only" in facts
    )
    side = rights.side_of(node.certificate, draft.division)
    why = rights.why_not(Step.SUBMIT, node.tier, package.item, State.DRAFT, "", side)
    if why:
        raise StepRefused(draft.id, State.DRAFT, Step.SUBMIT, why)
    if about := fault_of(Step.SUBMIT, facts, package.item):
        raise StepRefused(draft.id, State.DRAFT, Step.SUBMIT, "facts", about=about)
    materials = _materials(node, package, answers, draft.files, {})
    at_ms = node.now_ms()
    event = Event(
        step=Step.SUBMIT, at=at_ms, by=node.operator[:NAME_LIMIT], facts=facts
    )
    with node.store.transaction():
        if node.store.cases.draft(draft.document) is None:
            raise NotFound("draft", draft.id)
        if node.store.documents.get(draft.document) is not None:
            draft = _renamed(node, draft)
        number = draft.number
        if node.store.cases.has_number(number) or not _is_ours(node, number):
            number = _next_number(node)
        document, raw = Document.begin(
            actor_of(node.id, draft.nonce),
            {
                "v": SCHEMA,
                "item": package.item.code,
                "package": draft.package,
                "number": number,
                "fields": answers,
                "events": {_event_id(node, at_ms, {}): _text_of(event)},
                "materials": {k: encode_material(m) for k, m in materials.items()},
            },
        )
        change = read_change(raw)
        birth = Birth(
            change.actor,
            tuple(sorted(containers_of(change).items())),
            draft.package,
            number,
            node.certificate.division,
        )
        _keep(
            node,
            draft.document,
            join_scope(node.certificate.division, draft.division),
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
    files: Sequence[str] = (),
    batch: str = "",
    facts: Mapping[str, str] | None = None,
) -> Case:
    """Take a step in a case and return the case as it is then.

    Args:
        node: where.
        case: its id or number, as `cases.open_case` takes it.
        step: what happens.
        note: the reason, where one is needed.
        answers: new values for some fields, with steps that carry fields.
        files: digests of new files, besides those that the answers name, with
            steps that carry fields.
        batch: the number of the batch with which it goes.
        facts: what else the step says, see `node.facts`.

    Raises:
        NotFound, Ambiguous: no case, or more than one, is called so.
        StepRefused: not now, not here, or a reason is missing.
        AnswersWrong: the form would not be right; nothing was changed.
    """
    document = cases.find_row(node, case).document
    with node.store.transaction():
        _write_step(
            node, document, step, note, answers or {}, files, batch, facts or {}
        )
    return open_case(node, document.hex())


def may_decide_at_once(node: Node, case: Case) -> bool:
    """Say whether this tier may accept and grant a case in one 即办件."""
    item, side = case.package.item, rights.side_of(node.certificate, case.row.division)
    return item.same_day and not any(
        rights.why_not(step, node.tier, item, state, "", side)
        for step, state in (
            (Step.ACCEPT, case.story.state),
            (Step.GRANT, State.ACCEPTED),
        )
    )


def decide_at_once(
    node: Node,
    case: str,
    *,
    note: str = "",
    facts: Mapping[str, str] | None = None,
) -> Case:
    """Accept and grant a case while the applicant waits 即办件; both or neither.

    `facts` is what the grant says.

    Raises:
        As `take_step`; or StepRefused "state" where the item is not decided at once.
    """
    found = open_case(node, case)
    if not found.package.item.same_day:
        raise StepRefused(found.id, found.story.state, Step.GRANT, "state")
    document = found.row.document
    with node.store.transaction():
        _write_step(node, document, Step.ACCEPT, "", {}, (), "")
        _write_step(node, document, Step.GRANT, note, {}, (), "", facts)
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
            _write_step(node, document, Step.FORWARD, "", {}, (), number)
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


def possible_steps(node: Node, case: Case) -> list[Step]:
    """Return what this tier may do with a case now."""
    side = rights.side_of(node.certificate, case.row.division)
    item, state = case.package.item, case.story.state
    possible = rights.possible_steps(node.tier, item, state, side)
    if case.row.is_paper_only and Step.ACCEPT in possible:
        possible.remove(Step.ACCEPT)  # its form must be entered first
    if cases.may_settle(node, case.row):
        possible.append(Step.SETTLE)
    return possible


def _write_step(
    node: Node,
    document_key: bytes,
    step: Step,
    note: str,
    answers: Mapping[str, str],
    files: Sequence[str],
    batch: str,
    facts: Mapping[str, str] | None = None,
) -> None:
    facts = {key: value.strip() for key, value in (facts or {}).items()}
    case = open_case(node, document_key.hex())
    check_note(note)
    state, item = case.story.state, case.package.item
    if step is Step.RETURN:
        facts = corrections.owed(cases.records_of(case)) | facts
    side = rights.side_of(node.certificate, case.row.division)
    why = rights.why_not(step, node.tier, item, state, note, side)
    if not why and step is Step.ACCEPT and case.row.is_paper_only:
        why = "not-entered"
    if not why:
        known = cases.records_of(case) if rights.looks_back(step, item) else Records()
        department = node.certificate.department
        why = rights.why_not_said(step, facts, item, department, known)
    if why:
        raise StepRefused(
            case.id,
            state,
            step,
            why,
            rights.allowed_words(node.tier, item, state, side),
            tier=str(item.urgent.approve) if why == "urgent" and item.urgent else "",
            about=fault_of(step, facts, item) if why == "facts" else "",
        )
    changed = {k: v for k, v in answers.items() if case.fields.get(k, "") != v}
    materials: dict[str, Material] = {}
    if step in CARRIES_FIELDS:
        is_paper_only = step is Step.SUBMIT and "paper_only" in facts
        merged = _checked(
            node, case.package, {**case.fields, **answers}, is_paper_only=is_paper_only
        )
        # An answer that was taken out is written as nothing: a field never vanishes.
        keys = set(case.fields) | set(merged)
        changed = {
            k: merged.get(k, "")
            for k in sorted(keys)
            if merged.get(k, "") != case.fields.get(k, "")
        }
        materials = _materials(node, case.package, changed, files, case.materials)
        _check_undisputed(case, changed)
    write_event(
        node,
        case,
        Event(
            step,
            0,
            "",
            note=note,
            fields=tuple(sorted(changed)),
            batch=batch,
            facts=facts,
        ),
        changed,
        materials,
    )


def _check_undisputed(case: Case, changed: Mapping[str, str]) -> None:
    """Refuse to write over two living values: that is what settling is for.

    Raises:
        AnswersWrong: which fields must be settled first.
    """
    problems = [
        (one.key, case.package.label(one.key), "两处填得不同，核对后才能改")
        for one in case.conflicts
        if one.key in changed
    ]
    if problems:
        raise AnswersWrong(problems)


def _text_of(event: Event) -> str:
    """Return an event as the document holds it.

    Raises:
        AnswersWrong: it is longer than any receiver takes.
    """
    text = encode_event(event)
    if len(text) > EVENT_LIMIT:
        why = "一次写不下这么多，请写短一些，或分几次写"
        raise AnswersWrong([("note", "理由和所写的内容", why)])
    return text


def check_note(note: str) -> None:
    """Refuse a reason that no receiver would take.

    Raises:
        AnswersWrong: it is too long.
    """
    if len(note.strip()) > NOTE_LIMIT:
        raise AnswersWrong([("note", "理由", f"最多 {NOTE_LIMIT} 字，请写短一些")])


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
    event_id = _event_id(node, at_ms, texts)
    event = structs.replace(
        what,
        at=int(event_id.partition("-")[2]),
        by=node.operator[:NAME_LIMIT],
        seen=frontier(known),
        clock=1 + max((e.clock for e in known.values()), default=0),
        note=what.note.strip(),
    )
    on, me = days.civil_day(event.at), node.certificate
    event = sealed(case, event, on, node.secrets.sign_key, me)
    writes: dict[str, dict[str, str]] = {"events": {event_id: _text_of(event)}}
    if answers:
        writes["fields"] = dict(answers)
    if materials:
        writes["materials"] = {k: encode_material(m) for k, m in materials.items()}
    raw = document.write(document.actor_for(node.id, writes), writes)
    _keep(node, key, stored.scope, stored.birth, document, read_change(raw), at_ms)


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
        _package_of(node, birth.package),
        document.tree(),
        max(at_ms, before.changed_at_ms if before else 0),
        node.calendar,
        booking.tiers_of(node.roster),
        taken_changes(node, key) if had_conflict else (),
    )
    store.cases.put([(booked.row, booked.terms)])
    store.ledger.put([booked.line])


def _files_in(package: Package, answers: Mapping[str, str]) -> list[str]:
    """Return the digests of all files that the answers name."""
    return [
        digest
        for key, answer in answers.items()
        if (field := package.question(key)) and field.kind == "file"
        for digest in answer.split()
    ]


def _materials(
    node: Node,
    package: Package,
    answers: Mapping[str, str],
    files: Sequence[str],
    known: Mapping[str, Material],
) -> dict[str, Material]:
    """Return the records of the files that a step adds to those that are `known`.

    Raises:
        AnswersWrong: one is not here, or they are larger than the item allows.
    """
    item, added = package.item, dict[str, Material]()
    for digest in dict.fromkeys((*_files_in(package, answers), *files)):
        if digest in known:
            continue
        record = intake.record_of(node, digest)
        if record is None or record.size > item.file_limit_bytes:
            why = "附件不在本机或太大，请重新选择文件"
            raise AnswersWrong([("materials", "材料", why)])
        added[digest] = record
    size_bytes = sum(one.size for one in (*known.values(), *added.values()))
    if added and size_bytes > item.case_limit_bytes:
        most = item.case_limit_kib / 1024
        why = f"一件的附件合计最多 {most:g} MB，请去掉几个或换小一些的"
        raise AnswersWrong([("materials", "材料", why)])
    return added


def _package_of(node: Node, digest: str) -> Package:
    package = node.package(digest)
    if package is None:
        raise StoreDamaged(f"package {digest[:12]} is not here")
    return package


def _checked(
    node: Node,
    package: Package,
    answers: Mapping[str, str],
    *,
    is_paper_only: bool = False,
) -> dict[str, str]:
    problems, counted = check.checked(package, answers, today(node))
    if is_paper_only:
        # What is not filled in yet is entered by the tier above 代录; who applies, and
        # what is filled in, must be right.
        applicant = {
            package.field_of("applicant_name"),
            package.field_of("applicant_id"),
        }
        named = {one.key for one in applicant if one}
        problems = [p for p in problems if p.key in named or answers.get(p.key)]
    if problems:
        raise AnswersWrong([(p.key, p.label, p.message) for p in problems])
    return counted


def _followed(
    node: Node, item: Item, follows: str, facts: dict[str, str]
) -> dict[str, str]:
    """Return what is said of an intake with what follows from the case on whose result
    it builds. A number that somebody has typed and that is not here stays as it is:
    the applicant has brought the paper, and who has the case can look it up.
    """
    name = follows or facts.get("follows", "")
    if not name or (not follows and follow_on.source_here(node, name) is None):
        return facts
    source = follow_on.source(node, item, name)
    return follow_on.facts_from(item, source) | facts | {"follows": source.row.number}


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


def _renamed(node: Node, draft: Draft) -> Draft:
    """Return a draft under an id of its own: a copy of this node has submitted it as
    well, and what was filled in here may differ.
    """
    nonce = node.random(NONCE_BYTES)
    key = document_id(actor_of(node.id, nonce), node.certificate.division)
    node.store.cases.drop_draft(draft.document)
    kept = replace(draft, document=key, nonce=nonce)
    node.store.cases.put_draft(kept)
    old_names.note(node, draft, kept)
    kept_answers.carry(node, draft.document, key)
    return kept


def _is_ours(node: Node, number: str) -> bool:
    """Say whether a number was counted at our terminal: a copy of this node may have
    given one from before we began anew.
    """
    return number[18:20] == f"{node.certificate.terminal:02d}"


def _next_batch_number(node: Node) -> str:
    day, terminal = _day(node), node.certificate.terminal
    # The first desk of a place needs no number.
    series = "B" if terminal == 1 else f"{terminal:02d}B"
    while True:
        count = node.store.registry.next_count(f"batch/{day}")
        number = f"{node.certificate.division[:9]}-{day}-{series}{count:03d}"
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
