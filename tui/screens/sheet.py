"""What a form is filled in for: a new case, or one that is put right."""

from collections.abc import Mapping
from typing import Protocol

from forms import check
from forms.package import Package, digest, encode
from node import audit, casework, drafting, follow_on, versions, viewing
from node.cases import Case, records_of
from node.lifecycle import State, Step
from node.material import Material
from node.places import place_names
from node.store.drafts import Draft
from node.wiring import Node
from tui import labels, record_words
from tui.screens import kept, preview, views

ENTER_NOW = "代收的件：材料已收，表还没有填。照材料代录，填好按 F3"


class Sheet(Protocol):
    """Answers on their way into a case; kept on disk long before they are one."""

    package: Package
    answers: dict[str, str]
    last_field: str
    saved_at_ms: int | None
    """When it was last kept; None: never, so there is nothing to come back to."""
    kept_words: str
    done_word: str
    """What has happened when it was submitted: 已提交, 已修改."""
    is_intake: bool
    """It comes in with it 收件, so it is asked how; and its form may come later."""
    held: frozenset[str]
    """Fields that stay as they are: two values are living, until one is chosen."""
    follows: str
    """Number of the case on whose result it builds 联动; "" for none."""

    @property
    def number(self) -> str:
        """The number of the case 办件编号; "" as long as nothing has begun."""

    @property
    def document(self) -> bytes | None:
        """The id that the case has or will have; None: not begun yet."""

    def save(self, answers: Mapping[str, str], last_field: str) -> int:
        """Keep the answers, right or not; return when. They are on disk then."""

    def notice(self, answers: Mapping[str, str]) -> list[str]:
        """Return what to say above the form as it is filled in now, line by line."""

    def submit(self, answers: Mapping[str, str], facts: Mapping[str, str]) -> Case:
        """Make an entry of the answers, and of what is said of the intake. Raises as
        `node.drafting` and `node.casework` do.
        """

    def material(self, digest: str) -> Material:
        """Return what a file that an answer names is called."""


class DraftSheet:
    """A new case. Its draft begins with the first answer: a look leaves none behind."""

    kept_words = "草稿"
    done_word = "已提交"
    is_intake = True
    held: frozenset[str] = frozenset()

    def __init__(
        self,
        node: Node,
        package: Package,
        draft: Draft | None = None,
        division: str = "",
        source: Case | None = None,
    ) -> None:
        """Fill in `draft`, or a new one for the place `division`; ours where empty.

        `source` is the case on whose result a new one builds.
        """
        self.node, self.package, self.draft = node, package, draft
        self.division = draft.division if draft else division
        self.follows = source.row.number if source else draft.follows if draft else ""
        notices = (
            _whose(node, self.division),
            _old_form(node, package, draft),
            _followed(self.follows),
        )
        self._notice = [one for one in notices if one]
        self.answers = dict(draft.answers) if draft else {}
        if source is not None:
            known = follow_on.answers_from(package, source)
            self.answers = check.begun(package, known, node.today())
        self.last_field = draft.last_field if draft else ""
        self.saved_at_ms = draft.saved_at_ms if draft else None

    @property
    def number(self) -> str:
        """The number that the case will have."""
        return self.draft.number if self.draft else ""

    @property
    def document(self) -> bytes | None:
        """The id that the case will have."""
        return self.draft.document if self.draft else None

    def save(self, answers: Mapping[str, str], last_field: str) -> int:
        """Keep the draft."""
        if self.draft is None:
            self.draft = drafting.begin_draft(
                self.node,
                self.package.item.code,
                place=self.division,
                digest=digest(encode(self.package)),
                follows=self.follows,
            )
        self.draft = drafting.save_draft(self.node, self.draft, answers, last_field)
        self.answers = dict(answers)
        self.saved_at_ms = self.draft.saved_at_ms
        return self.draft.saved_at_ms

    def notice(self, answers: Mapping[str, str]) -> list[str]:
        """Return for which place it is, and that the form is an old one."""
        return self._notice

    def submit(self, answers: Mapping[str, str], facts: Mapping[str, str]) -> Case:
        """Make a case of the draft."""
        self.save(answers, "")
        assert self.draft is not None
        return drafting.submit_draft(self.node, self.draft, facts)

    def material(self, digest: str) -> Material:
        """Return what a file is called that was attached here."""
        return kept.material(self.node, digest)


class CaseSheet:
    """A case that was returned, or that is amended before it is accepted; or whose
    form is entered at last, after its papers were taken in 代录.
    """

    is_intake = False
    follows = ""  # said at the intake, and told by the case

    def __init__(self, node: Node, case: Case) -> None:
        # Its fields are filled with what was answered, id numbers in full.
        viewing.seen(node, case, audit.VIEW_WHOLE)
        self.node, self.case, self.package = node, case, case.package
        self.step = Step.AMEND
        self.done_word = "已修改"
        self._known = records_of(case)
        if case.story.state is State.RETURNED:
            self.step = Step.SUBMIT
            self.done_word = "已提交补正"
        elif self._known.is_paper_only:
            self.done_word = "已代录"
        found = kept.correction(node, case.id)
        self.held = frozenset(one.key for one in case.conflicts)
        kept_answers = found.answers if found else {}
        changed = {k: v for k, v in kept_answers.items() if k not in self.held}
        self.answers = {**case.fields, **changed}
        self.last_field = found.last_field if found else ""
        self.saved_at_ms = found.saved_at_ms if found else None
        self.kept_words = "改动"

    @property
    def number(self) -> str:
        """The number of the case."""
        return self.case.row.number

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

    def notice(self, answers: Mapping[str, str]) -> list[str]:
        """Return why it came back, and what of it is put right by these answers."""
        if self.case.story.state is State.RETURNED:
            faults = record_words.faults(self.case, self._known, answers)
            why = f"要补正 {len(faults)} 处" if faults else ""
            return [preview.reasoned(self.node, self.case.row, why), *faults]
        return [ENTER_NOW] if self._known.is_paper_only else []

    def submit(self, answers: Mapping[str, str], facts: Mapping[str, str]) -> Case:
        """Write what differs into the case."""
        case = casework.take_step(
            self.node,
            self.case.id,
            self.step,
            answers=self._changes(answers),
            facts=facts,
        )
        kept.drop_correction(self.node, self.case.id)
        return case

    def material(self, digest: str) -> Material:
        """Return what a file is called: as the case says, or as it was attached."""
        return self.case.materials.get(digest) or kept.material(self.node, digest)

    def _changes(self, answers: Mapping[str, str]) -> dict[str, str]:
        """Return what differs; an answer that was taken out is there as nothing."""
        keys = {*answers, *self.case.fields}
        return {
            key: answers.get(key, "")
            for key in sorted(keys)
            if answers.get(key, "") != self.case.fields.get(key, "")
        }


def _old_form(node: Node, package: Package, draft: Draft | None) -> str:
    """Return what to say of a draft that is filled in by an older form."""
    if draft is None or not versions.has_newer(node, package.item.code, draft.package):
        return ""
    return f"用的是旧表（第 {package.version} 版），照样能提交；重新打开可以换新表。"


def _followed(number: str) -> str:
    """Return what to say of a case that builds on the result of another."""
    if not number:
        return ""
    short = labels.short_number(number)
    return f"联动：接着 {short} 办，它的结果作材料，申请人已带过来。"


def _whose(node: Node, division: str) -> str:
    """Return what to say of a case that is taken in for another place."""
    if division in ("", node.certificate.division):
        return ""
    name = views.place(place_names(node), division)
    return f"代收：这件是替 {name} 收的，交上去以后由那里受理，结果会送回这里。"
