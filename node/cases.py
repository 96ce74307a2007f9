"""Cases: how a document reads, as a list row and as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from forms.package import Package
from node import find
from node.errors import Ambiguous, NotFound, StoreDamaged
from node.lifecycle import Step, Story, fold
from node.material import Material, decode_material
from node.store.cases import CaseRow, Draft
from node.wiring import Node
from sync.change import Change, Scalar, read_change
from sync.conflict import Conflict, standing
from sync.document import Document, Tree
from sync.errors import ChangeRefused

MARK_CONFLICT = "conflict"  # a field has two living values
MARK_DISPUTED = "disputed"  # an event could not stand beside another
MARK_CHANGED = "changed"  # amended by somebody who did not know of the acceptance


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """Two or more values of one field; each with the node that wrote it."""

    key: str
    values: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A case as a person opens it."""

    row: CaseRow
    scope: str
    package: Package
    story: Story
    fields: dict[str, str]
    materials: dict[str, Material] = field(default_factory=dict)
    conflicts: tuple[FieldConflict, ...] = ()

    @property
    def id(self) -> str:
        """The case's id as people and scripts write it."""
        return self.row.id


def open_case(node: Node, name: str) -> Case:
    """Return a case by its id, its number, or how one of them begins or ends.

    Raises:
        NotFound, Ambiguous: no case, or more than one, fits.
    """
    row = find_row(node, name)
    stored = node.store.documents.get(row.document)
    package = node.package(row.package)
    if stored is None or package is None:
        raise StoreDamaged(f"case {row.id} cannot be read; run `lianban rebuild`")
    tree = Document.load(stored.snapshot).tree()
    containers = {counter: key for key, counter in stored.birth.containers}
    return Case(
        row=row,
        scope=stored.scope,
        package=package,
        story=fold(part(tree, "events")),
        fields={k: v for k, v in part(tree, "fields").items() if isinstance(v, str)},
        materials=_materials(tree),
        conflicts=tuple(
            FieldConflict(one.key, tuple((str(v.value), v.author) for v in one.values))
            for one in (
                standing_conflicts(node, row.document)
                if row.mark == MARK_CONFLICT
                else ()
            )
            if one.container and containers.get(one.container[0]) == "fields"
        ),
    )


def find_row(node: Node, name: str) -> CaseRow:
    """Return the list row of a case, see `open_case`."""
    rows = node.store.cases.find(name)
    if not rows:
        raise NotFound("case", name[:40])
    if len(rows) > 1:
        raise Ambiguous("case", name[:40], len(rows))
    return rows[0]


def find_draft(node: Node, name: str) -> Draft | None:
    """Return the draft whose id or number begins or ends as `name` says."""
    text = name.strip().lower().replace("-", "")
    fitting = [
        draft
        for draft in node.store.cases.drafts()
        if len(text) >= 4
        and (draft.id.startswith(text) or draft.number.lower().endswith(text))
    ]
    if len(fitting) > 1:
        raise Ambiguous("draft", name[:40], len(fitting))
    return fitting[0] if fitting else None


def make_row(
    document: bytes,
    package_digest: str,
    package: Package,
    number: str,
    scope: str,
    tree: Tree,
    changed_at_ms: int,
    *,
    has_conflict: bool,
) -> tuple[CaseRow, tuple[str, str, str]]:
    """Return a case's list row and its search terms. Pure."""
    story = fold(part(tree, "events"))
    answers = part(tree, "fields")
    name = _answer(package, answers, "applicant_name")
    first = story.happened[0].event.at if story.happened else changed_at_ms
    row = CaseRow(
        document=document,
        number=number,
        division=scope.partition("+")[0],
        package=package_digest,
        item_code=package.item.code,
        item_name=package.item.name,
        department=package.item.department,
        decide=package.item.decide,
        applicant=name,
        state=story.state,
        mark=_mark(story, has_conflict),
        submitted_at_ms=first,
        changed_at_ms=changed_at_ms,
    )
    id_number = _answer(package, answers, "applicant_id")
    return row, find.terms(name, package.item.name, number, id_number)


def draft_row(node: Node, draft: Draft) -> CaseRow:
    """Return a draft as a list shows it."""
    package = node.package(draft.package)
    if package is None:
        raise StoreDamaged(f"draft {draft.id}: its form is not here")
    return CaseRow(
        document=draft.document,
        number=draft.number,
        division=node.certificate.division,
        package=draft.package,
        item_code=package.item.code,
        item_name=package.item.name,
        department=package.item.department,
        decide=package.item.decide,
        applicant=_answer(package, draft.answers, "applicant_name"),
        state="draft",
        mark="",
        submitted_at_ms=draft.begun_at_ms,
        changed_at_ms=draft.saved_at_ms,
    )


def standing_conflicts(
    node: Node, document: bytes, also: tuple[Change, ...] = ()
) -> list[Conflict]:
    """Return the places of a document where different values are living.

    `also` are changes that are about to be taken up.
    """
    changes = list(also)
    for one in node.store.documents.changes(document).values():
        stored = node.store.journal.entry(one.entry) if one.is_taken else None
        if stored is not None and stored.entry.payload is not None:
            try:
                changes.append(read_change(stored.entry.payload))
            except ChangeRefused as error:
                raise StoreDamaged(f"entry {one.entry} cannot be read") from error
    return standing(changes)


def part(tree: Tree, name: str) -> dict[str, Scalar]:
    """Return one map of a document's value; empty where it is missing."""
    found = tree.get(name)
    return found if isinstance(found, dict) else {}


def _materials(tree: Tree) -> dict[str, Material]:
    return {
        digest: decode_material(digest, text) or Material("?", 0)
        for digest, text in part(tree, "materials").items()
    }


def _mark(story: Story, has_conflict: bool) -> str:
    if has_conflict:
        return MARK_CONFLICT
    if story.disputed:
        return MARK_DISPUTED
    by_id = {one.id: one.event for one in story.happened}
    for one in story.happened:
        if one.event.step == Step.ACCEPT:
            known = _ancestors(one.id, by_id)
            for other in story.happened:
                is_amendment = other.event.step == Step.AMEND
                if is_amendment and other.id not in known:
                    return MARK_CHANGED
    return ""


def _ancestors(event: str, by_id: Mapping[str, object]) -> set[str]:
    found: set[str] = set()
    waiting = [event]
    while waiting:
        seen = getattr(by_id.get(waiting.pop()), "seen", ())
        waiting += [one for one in seen if one not in found]
        found.update(seen)
    return found


def _answer(package: Package, answers: Mapping[str, Scalar], role: str) -> str:
    wanted = package.field_of(role)
    value = answers.get(wanted.key) if wanted else None
    return value if isinstance(value, str) else ""
