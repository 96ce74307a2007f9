"""What a form is filled in for: a new case, or one that is put right."""

from collections.abc import Mapping
from typing import Protocol

from forms.field import Field
from forms.package import Package
from node import casework
from node.cases import Case
from node.lifecycle import State, Step
from node.material import Material
from node.store.cases import Draft
from node.wiring import Node
from tui.screens import kept, preview


class Sheet(Protocol):
    """Answers on their way into a case; kept on disk long before they are one."""

    package: Package
    answers: dict[str, str]
    last_field: str
    saved_at_ms: int | None
    """When it was last kept; None: never, so there is nothing to come back to."""
    kept_words: str
    notice: str

    @property
    def document(self) -> bytes | None:
        """The id that the case has or will have; None: not begun yet."""

    def save(self, answers: Mapping[str, str], last_field: str) -> int:
        """Keep the answers, right or not; return when. They are on disk then."""

    def submit(self, answers: Mapping[str, str]) -> Case:
        """Make an entry of the answers. Raises as `node.casework` does."""


class DraftSheet:
    """A new case. Its draft begins with the first answer: a look leaves none behind."""

    kept_words = "草稿"
    notice = ""

    def __init__(self, node: Node, package: Package, draft: Draft | None = None):
        self.node, self.package, self.draft = node, package, draft
        self.answers = dict(draft.answers) if draft else {}
        self.last_field = draft.last_field if draft else ""
        self.saved_at_ms = draft.saved_at_ms if draft else None

    @property
    def document(self) -> bytes | None:
        """The id that the case will have."""
        return self.draft.document if self.draft else None

    def save(self, answers: Mapping[str, str], last_field: str) -> int:
        """Keep the draft."""
        if self.draft is None:
            self.draft = casework.begin_draft(self.node, self.package.item.code)
        self.draft = casework.save_draft(self.node, self.draft, answers, last_field)
        self.answers = dict(answers)
        self.saved_at_ms = self.draft.saved_at_ms
        return self.draft.saved_at_ms

    def submit(self, answers: Mapping[str, str]) -> Case:
        """Make a case of the draft."""
        self.save(answers, "")
        assert self.draft is not None
        materials = {
            digest: kept.material(self.node, digest)
            for digest in attached(self.package, answers)
        }
        return casework.submit_draft(self.node, self.draft, materials)


class CaseSheet:
    """A case that was returned, or that is amended before it is accepted."""

    def __init__(self, node: Node, case: Case) -> None:
        self.node, self.case, self.package = node, case, case.package
        self.step = Step.AMEND
        self.notice = ""
        if case.story.state is State.RETURNED:
            self.step = Step.SUBMIT
            self.notice = preview.reasoned(node, case.row)
        found = kept.correction(node, case.id)
        self.answers = {**case.fields, **(found.answers if found else {})}
        self.last_field = found.last_field if found else ""
        self.saved_at_ms = found.saved_at_ms if found else None
        self.kept_words = "改动"

    @property
    def document(self) -> bytes | None:
        """The id of the case."""
        return self.case.row.document

    def save(self, answers: Mapping[str, str], last_field: str) -> int:
        """Keep what differs from the case."""
        at_ms = kept.keep_correction(
            self.node, self.case.id, self._changes(answers), last_field
        )
        self.answers = dict(answers)
        self.saved_at_ms = at_ms
        return at_ms

    def submit(self, answers: Mapping[str, str]) -> Case:
        """Write what differs into the case."""
        changes = self._changes(answers)
        materials: dict[str, Material] = {
            digest: kept.material(self.node, digest)
            for digest in attached(self.package, changes)
            if digest not in self.case.materials
        }
        case = casework.take_step(
            self.node, self.case.id, self.step, answers=changes, materials=materials
        )
        kept.drop_correction(self.node, self.case.id)
        return case

    def _changes(self, answers: Mapping[str, str]) -> dict[str, str]:
        """Return what differs; an answer that was taken out is there as nothing."""
        keys = {*answers, *self.case.fields}
        return {
            key: answers.get(key, "")
            for key in sorted(keys)
            if answers.get(key, "") != self.case.fields.get(key, "")
        }


def attached(package: Package, answers: Mapping[str, str]) -> list[str]:
    """Return the digests of all files that the answers name."""
    return [
        digest
        for field in package.fields
        if _is_file(field)
        for digest in answers.get(field.key, "").split()
    ]


def _is_file(field: Field) -> bool:
    return field.kind == "file"
