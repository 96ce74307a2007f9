"""What is kept of a case beside its document, made anew with every write: its list row,
its search terms, its line of the ledger. Pure: no I/O, no clock.

All of it is made of one reading, by one calendar, so that a list and a report never
tell two days of one case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from forms.item import Item, Tier
from forms.package import Package
from node import awaiting, find, rights
from node.cases import answer_of, part
from node.clocks import Clocks
from node.lapses import lapses
from node.ledger import Line, line
from node.matters import (
    MARK_CHANGED,
    MARK_CONFLICT,
    MARK_DISPUTED,
    container_of,
    field_conflicts,
)
from node.policy import author_prefix
from node.reckoning import clocks
from node.records import Records, records
from node.store.cases import CaseRow
from node.store.documents import DocumentRow
from node.story import Story, fold
from node.workdays import Calendar
from sync import seal
from sync.change import Change, Scalar
from sync.conflict import has_stood
from sync.document import Tree
from sync.identity import Roster

HEADS_BYTES = 16
"""Of a hash over the heads: enough that nobody finds two by chance."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the events of a case come to by a calendar, read once for all."""

    item: Item
    story: Story
    known: Records
    clocks: Clocks


@dataclass(frozen=True, slots=True)
class Booked:
    """What is kept of a case: its list row, its search terms, its line."""

    row: CaseRow
    terms: tuple[str, str, str]
    line: Line


def read(item: Item, tree: Tree, calendar: Calendar) -> Reading:
    """Return what a document tells of its case."""
    story = fold(part(tree, "events"))
    known = records(item, story)
    return Reading(item, story, known, clocks(item, story, known, calendar))


def tiers_of(roster: Roster) -> dict[str, Tier]:
    """Return the tier of each node, by how the ids of its events begin."""
    return {author_prefix(one.node): Tier(one.tier) for one in roster.everyone()}


def book(
    document: DocumentRow,
    package: Package,
    tree: Tree,
    changed_at_ms: int,
    calendar: Calendar,
    tiers: Mapping[str, Tier],
    changes: Sequence[Change] = (),
) -> Booked:
    """Return what is kept of a case.

    Args:
        document: as it is stored; `tree` is what it says.
        package: of the case.
        tree: the value of the document.
        changed_at_ms: when it was written, or came here.
        calendar: the one in force: the days of row and line lean on it.
        tiers: of the nodes, see `tiers_of`.
        changes: all of which the document is made; none where each was written with
            knowledge of those before it.
    """
    reading = read(package.item, tree, calendar)
    answers = part(tree, "fields")
    name = answer_of(package, answers, "applicant_name")
    id_number = answer_of(package, answers, "applicant_id")
    number = document.birth.number
    return Booked(
        _row(document, reading, answers, name, changed_at_ms, changes),
        find.terms(name, package.item.name, number, id_number),
        _line(document, reading, tiers),
    )


def _row(
    document: DocumentRow,
    reading: Reading,
    answers: Mapping[str, Scalar],
    applicant: str,
    changed_at_ms: int,
    changes: Sequence[Change],
) -> CaseRow:
    birth, item, story = document.birth, reading.item, reading.story
    known, its = reading.known, reading.clocks
    conflicts = len(field_conflicts(birth, changes))
    open_count = conflicts + bool(story.choices) + bool(story.late)
    had_conflict = has_stood(changes, container_of(birth, "fields"))
    return CaseRow(
        document=document.id,
        number=birth.number,
        division=rights.competent_division(document.scope, birth.taken_in_at),
        taken_in_at=birth.taken_in_at,
        package=birth.package,
        item_code=item.code,
        item_name=item.name,
        department=item.department,
        decide=item.decide,
        applicant=applicant,
        state=story.state,
        mark=_mark(story, conflicts),
        settler=rights.settler(item, story) if open_count else "",
        open_count=open_count,
        had_conflict=had_conflict or story.was_disputed,
        submitted_at_ms=story.happened[0].event.at if story.happened else changed_at_ms,
        changed_at_ms=changed_at_ms,
        received_on=_day(its.received_on),
        due_on=_day(its.next_day.due.on if its.next_day else None),
        warn_on=_day(its.warn_on),
        reckoned_to=_day(its.reckoned_to),
        is_urgent=known.hurry is not None,
        has_lapsed=bool(lapses(item, story, known, its, date.min)),
        is_paper_only=known.is_paper_only,
        is_visit=awaiting.is_visit(answers, known.handling),
        has_lookup=bool(awaiting.lookups(known)),
        waits_for=awaiting.departments(item, story.state, known),
    )


def _line(document: DocumentRow, reading: Reading, tiers: Mapping[str, Tier]) -> Line:
    return line(
        document.id,
        seal.sha256(*sorted(document.heads))[:HEADS_BYTES],
        document.birth.number,
        document.birth.taken_in_at,
        reading.item,
        reading.story,
        reading.known,
        reading.clocks,
        tiers,
    )


def _mark(story: Story, conflicts: int) -> str:
    if conflicts:
        return MARK_CONFLICT
    if story.choices:
        return MARK_DISPUTED
    return MARK_CHANGED if story.late else ""


def _day(on: date | None) -> str:
    return on.isoformat() if on else ""
