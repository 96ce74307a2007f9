"""Cases: how a document reads, as a list row and as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from forms.package import Package
from node import awaiting, old_names
from node.clocks import AMBER, RED, Clocks
from node.errors import CASE_WAITS, Ambiguous, NotFound, PackageDamaged, StoreDamaged
from node.lapses import Lapse, lapses
from node.material import Material, decode_material
from node.matters import MARK_CONFLICT, Matter, matters_of
from node.reckoning import clocks
from node.records import Records, records
from node.store.cases import CaseRow, Filter
from node.store.drafts import Draft
from node.story import Story, fold
from node.wiring import Node
from sync.change import Scalar
from sync.document import Document, Tree
from sync.identity import covers, own_prefix


@dataclass(frozen=True, slots=True)
class Case:
    """A case as a person opens it."""

    row: CaseRow
    scope: str
    package: Package
    story: Story
    fields: dict[str, str]
    materials: dict[str, Material] = field(default_factory=dict)
    matters: tuple[Matter, ...] = ()

    @property
    def conflicts(self) -> tuple[Matter, ...]:
        """The fields with two living values."""
        return tuple(one for one in self.matters if one.mark == MARK_CONFLICT)

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
    story = fold(part(tree, "events"))
    return Case(
        row=row,
        scope=stored.scope,
        package=package,
        story=story,
        fields={k: v for k, v in part(tree, "fields").items() if isinstance(v, str)},
        materials=_materials(tree),
        matters=(
            matters_of(node, row.document, stored.birth, story)
            if row.open_count
            else ()
        ),
    )


def find_row(node: Node, name: str) -> CaseRow:
    """Return the list row of a case, see `open_case`."""
    rows = node.store.cases.find(name)
    if not rows and (now := old_names.document_of(node, name)):
        rows = node.store.cases.find(now.hex())
    if not rows:
        waiting = node.store.documents.waiting_like(name.strip().lower())
        if waiting is not None:
            raise NotFound(CASE_WAITS + waiting.waits_for, waiting.document.hex())
        raise NotFound("case", name[:40])
    if len(rows) > 1:
        raise Ambiguous("case", name[:40], len(rows))
    return rows[0]


def find_draft(node: Node, name: str) -> Draft | None:
    """Return the draft whose id or number begins or ends as `name` says, or did so."""
    text = name.strip().lower().replace("-", "")
    fitting = [
        draft
        for draft in node.store.drafts.all()
        if len(text) >= 4
        and (draft.id.startswith(text) or draft.number.lower().endswith(text))
    ]
    if len(fitting) > 1:
        raise Ambiguous("draft", name[:40], len(fitting))
    if fitting or node.store.cases.find(name):
        return fitting[0] if fitting else None
    now = old_names.document_of(node, name)
    return node.store.drafts.get(now) if now else None


def light_of(row: CaseRow, today: date) -> str:
    """Return "amber", "red" or "" for a case in a list."""
    on = today.isoformat()
    if not row.due_on or on < row.warn_on:
        return ""
    return RED if on > row.due_on else AMBER


def records_of(case: Case) -> Records:
    """Return what is written down in a case."""
    return records(case.package.item, case.story)


def clocks_of(node: Node, case: Case) -> Clocks:
    """Return the clocks of a case by the calendar in force."""
    item, known = case.package.item, records_of(case)
    return clocks(item, case.story, known, node.calendar)


def lapses_of(node: Node, case: Case, today: date) -> tuple[Lapse, ...]:
    """Return which limits of a case have passed by a day."""
    item, known = case.package.item, records_of(case)
    found = clocks(item, case.story, known, node.calendar)
    return lapses(item, case.story, known, found, today)


def to_settle(node: Node) -> Filter:
    """Return which cases have something open that this node may settle."""
    me = node.certificate
    return Filter(
        settler=node.tier,
        for_prefix=own_prefix(me.tier, me.division),
        oldest_first=True,
    )


def count_to_settle(node: Node) -> int:
    """Return how much there is that this node may settle."""
    return node.store.cases.count_open(to_settle(node))


def may_settle(node: Node, row: CaseRow) -> bool:
    """Say whether what is open in a case is this node's to settle."""
    return row.settler == node.tier and covers(node.certificate, row.division)


def draft_row(node: Node, draft: Draft) -> CaseRow:
    """Return a draft as a list shows it; one whose package is damaged with no more
    than its item, so that it stands in nobody's way.
    """
    try:
        package = node.package(draft.package)
    except PackageDamaged as damage:
        return _row_of_draft(node, draft, damage.code, damage.name)
    if package is None:
        raise StoreDamaged(f"draft {draft.id}: its form is not here")
    item = package.item
    return replace(
        _row_of_draft(node, draft, item.code, item.name),
        department=item.department,
        decide=item.decide,
        applicant=answer_of(package, draft.answers, "applicant_name"),
        is_visit=awaiting.is_visit(draft.answers),
    )


def _row_of_draft(node: Node, draft: Draft, code: str, name: str) -> CaseRow:
    return CaseRow(
        document=draft.document,
        number=draft.number,
        division=draft.division,
        taken_in_at=node.certificate.division,
        package=draft.package,
        item_code=code,
        item_name=name,
        department="",
        decide="",
        applicant="",
        state="draft",
        mark="",
        settler="",
        open_count=0,
        had_conflict=False,
        submitted_at_ms=draft.begun_at_ms,
        changed_at_ms=draft.saved_at_ms,
    )


def part(tree: Tree, name: str) -> dict[str, Scalar]:
    """Return one map of a document's value; empty where it is missing."""
    found = tree.get(name)
    return found if isinstance(found, dict) else {}


def answer_of(package: Package, answers: Mapping[str, Scalar], role: str) -> str:
    """Return the answer to the question that has a role; "" where there is none."""
    wanted = package.field_of(role)
    value = answers.get(wanted.key) if wanted else None
    return value if isinstance(value, str) else ""


def _materials(tree: Tree) -> dict[str, Material]:
    return {
        digest: decode_material(digest, text) or Material("?", 0)
        for digest, text in part(tree, "materials").items()
    }
