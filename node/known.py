"""People who have been here before 老办事人: their cases at this node, found by the id
number of the applicant, and what of them may go into a new one.

How much there is may be said at once. The answers themselves are shown only on demand,
and that is written down: they were given for something else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from forms import check
from forms.field import Field
from forms.item import Tier
from forms.package import Package
from node import audit, cases, find, reuse
from node.cases import Case
from node.lifecycle import State, Step
from node.matters import author_of
from node.places import place_names
from node.progress import Way, ways
from node.reuse import Earlier, Offer
from node.store.cases import CaseRow
from node.wiring import Node
from sync.identity import own_prefix

LOOKED_AT = 50
"""Cases of one person; nobody honest comes more often to one place."""

READ = 10
"""Of the verified ones as many are read, the newest: each is a document."""

VERIFIED = frozenset({State.ACCEPTED, State.FORWARDED, State.GRANTED, State.DELIVERED})
"""States in which what was answered has been looked at. Not so 不予: nobody says which
answers were found to be true."""

OPEN: dict[str, str] = {
    State.DRAFT: "intake",
    State.SUBMITTED: "accept",
    State.RETURNED: "intake",
    State.ACCEPTED: "accept",
    State.FORWARDED: "decide",
    State.GRANTED: "intake",  # the result is still to be handed over
}
"""States in which a second case for the same is one too many, and who has it then."""

RANKS = [Tier.VILLAGE, Tier.TOWN, Tier.DISTRICT]


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of a person here.

    `rows` are the cases in which he applies, those that came last first, without the
    one that is being filled in; `twins` are those of the same item that are open,
    drafts included; `earlier` is what may give something to a new one.
    """

    rows: tuple[CaseRow, ...]
    twins: tuple[CaseRow, ...]
    earlier: tuple[Earlier, ...]


def person(
    node: Node, package: Package, answers: Mapping[str, str], own: bytes | None = None
) -> Person | None:
    """Return what is known of the applicant of a form, or None: no whole id number
    stands there, or nobody has been here with it.

    Args:
        node: whose cases.
        package: the form that is filled in.
        answers: as they stand; of these only the id number counts.
        own: the id that its case has or will have.
    """
    number = id_number(node, package, answers)
    if not number:
        return None
    rows = _rows(node, number, own)
    twins = [*_drafts(node, package, number, own), *rows]
    same = (one for one in twins if one.item_code == package.item.code)
    found = Person(
        tuple(rows),
        tuple(one for one in same if one.state in OPEN),
        tuple(_earlier(node, rows, number)),
    )
    return found if found.rows or found.twins else None


def offers(
    node: Node, package: Package, answers: Mapping[str, str], known: Person
) -> list[Offer]:
    """Return what may be taken over, without what stands there already."""
    found = reuse.offers(package, known.earlier, node.today())
    return [one for one in found if reuse.is_new(answers, one)]


def look(node: Node, found: list[Offer], about: str) -> None:
    """Write down that earlier answers are being looked at; do so before they are shown.

    Args:
        node: where.
        found: what will be shown.
        about: the number of the case, or the code of the item, for which it is.

    Raises:
        WriteForbidden: nothing can be written down now, so nothing may be shown.
    """
    numbers = sorted({one.source.number for one in found})
    with node.store.transaction():
        note = " ".join(numbers)
        audit.record(
            node,
            audit.LOOK,
            about[: audit.SUBJECT_LIMIT],
            note=note,
            by=node.operator,
        )


def keep_names(node: Node, chosen: Sequence[Offer]) -> None:
    """Let the files that were taken over be called as in the case that they come from:
    one that came over the line has no name of its own here.
    """
    store = node.store.attachments
    with node.store.transaction():
        for offer in chosen:
            for digest, file in offer.source.files.items():
                is_taken = any(digest in text for text in offer.answers.values())
                kept = store.get(bytes.fromhex(digest)) if is_taken else None
                if kept is not None and not kept.name:
                    store.put(replace(kept, name=file.name, kind=file.kind))


def holder(node: Node, row: CaseRow) -> str:
    """Return the name of the place that has an open case now."""
    package = node.package(row.package)
    who = OPEN.get(row.state, "intake")
    if package is None or who == "intake":
        return _name(node, row.taken_in_at)
    tier = package.item.accept if who == "accept" else package.item.decide
    name = _name(node, own_prefix(tier, row.division).ljust(12, "0"))
    return f"{name} {row.department}" if tier is Tier.DISTRICT else name


def id_number(node: Node, package: Package, answers: Mapping[str, str]) -> str:
    """Return the applicant's id number, or "" while it is not whole and right."""
    field = package.field_of("applicant_id")
    if field is None:
        return ""
    number = check.normalise_field(field, answers.get(field.key, ""))
    # Without the field's limits: who is too young for this has other cases as well.
    bare = Field(field.key, field.kind, field.label)
    is_wrong = not number or check.check_field(bare, number, node.today())
    return "" if is_wrong else number


def _rows(node: Node, number: str, own: bytes | None) -> list[CaseRow]:
    found = node.store.cases.found_by(find.whole(number), LOOKED_AT)
    return [row for row in found if row.document != own]


def _drafts(
    node: Node, package: Package, number: str, own: bytes | None
) -> list[CaseRow]:
    """Return the drafts of this item for the same person."""
    found = []
    for draft in node.store.drafts.all():
        form = node.package(draft.package)
        if draft.document == own or form is None:
            continue
        is_same = form.item.code == package.item.code
        if is_same and id_number(node, form, draft.answers) == number:
            found.append(cases.draft_row(node, draft))
    return found


def _earlier(node: Node, rows: list[CaseRow], number: str) -> list[Earlier]:
    """Return the newest of the cases whose answers a higher tier has looked at, and
    in which nothing is open.
    """
    verified = [one for one in rows if one.state in VERIFIED and not one.open_count]
    found = []
    for row in verified[:READ]:
        case = cases.open_case(node, row.id)
        at_ms = _verified_at_ms(node, case)
        # A number of a case is searched like one of a person; only one is meant.
        if at_ms and id_number(node, case.package, case.fields) == number:
            files = {
                digest: case.materials[digest]
                for digest, way in ways(node, row.document).items()
                if digest in case.materials and _is_held_above(way)
            }
            found.append(
                Earlier(
                    *(row.number, row.item_name, at_ms, case.package, case.fields),
                    files,
                )
            )
    return found


def _verified_at_ms(node: Node, case: Case) -> int:
    """Return when a higher tier than the one that took a case in has accepted or
    granted it last; 0 if none has, or it was refused.
    """
    taken_in = _tier(case.row.taken_in_at)
    if case.story.outcome == State.REFUSED:
        return 0
    steps = (Step.ACCEPT, Step.GRANT)
    at_ms = 0
    for one in case.story.happened:
        if one.event.step in steps and not one.why_not:
            tier = author_of(node, one.id, one.event).tier
            if tier and RANKS.index(Tier(tier)) > RANKS.index(taken_in):
                at_ms = one.event.at
    return at_ms


def _is_held_above(way: Way) -> bool:
    """Say whether a file lies here and whoever looked at its case had it as well."""
    return way.is_here and (way.town is not False or bool(way.district))


def _tier(division: str) -> Tier:
    """Return the tier of a division: cutting three digits gives the one above."""
    if division.endswith("000000"):
        return Tier.DISTRICT
    return Tier.TOWN if division.endswith("000") else Tier.VILLAGE


def _name(node: Node, division: str) -> str:
    return place_names(node).get(division, division)
