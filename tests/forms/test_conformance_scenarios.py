"""Whole forms as JavaRosa and ODK Web Forms expect them to behave."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from forms.errors import FormError
from forms.filling import Filling, Plan, Validity, prepare
from forms.xform import read_form
from tests.forms.outside import outside_cases

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
FLOOR = 172

Step = dict[str, Any]


class Broken(Exception):
    """An expectation that does not hold."""


class Play:
    """Takes the steps of one case."""

    def __init__(self, form_xml: str) -> None:
        self.form_xml = form_xml
        self.plan: Plan
        self.filling: Filling

    def run(self, steps: list[Step]) -> None:
        if any(step["op"] == "expect_load_error" for step in steps):
            try:
                self.load()
            except FormError:
                return
            raise Broken("the form was not refused")
        self.load()
        for number, step in enumerate(steps):
            do: Callable[[Step], object] = getattr(self, step["op"])
            try:
                do(step)
            except (Broken, FormError) as error:
                raise Broken(f"step {number} {step}: {error}") from error

    def load(self) -> None:
        self.plan = prepare(read_form(self.form_xml))
        self.filling = Filling(self.plan, NOW)

    def new_instance(self, _step: Step) -> None:
        self.filling = Filling(self.plan, NOW)

    def answer(self, step: Step) -> None:
        self.filling.answer(step["ref"], step["value"])

    def create_repeat(self, step: Step) -> None:
        self.filling.create_repeat(step["ref"])

    def remove_repeat(self, step: Step) -> None:
        self.filling.remove_repeat(step["ref"])

    def set_language(self, step: Step) -> None:
        self.filling.set_language(step["language"])

    def serialize_and_restore(self, _step: Step) -> None:
        self.filling = Filling.restore(self.plan, self.filling.serialise(), NOW)

    def expect_value(self, step: Step) -> None:
        ref = step["ref"]
        if step.get("attribute"):
            ref += f"/@{step['attribute']}"
        value, wanted = self.filling.value(ref), step["value"]
        kind = step.get("as", "string")
        if kind in ("int", "decimal"):
            tolerance = step.get("tolerance", 0)
            fits = value != "" and abs(float(value) - float(wanted)) <= tolerance
        elif kind == "boolean":
            fits = ("0" if value in ("", "0") else "1") == wanted
        elif kind == "select-values-any-order":
            fits = sorted(value.split()) == sorted(wanted.split())
        elif kind == "string-prefix":
            fits = value.startswith(wanted)
        else:
            fits = value == wanted
        self.hold(step, fits, value)

    def expect_relevant(self, step: Step) -> None:
        self.same(step, self.filling.is_relevant(step["ref"]))

    def expect_required(self, step: Step) -> None:
        self.same(step, self.filling.is_required(step["ref"]))

    def expect_readonly(self, step: Step) -> None:
        self.same(step, self.filling.is_readonly(step["ref"]))

    def expect_validity(self, step: Step) -> None:
        found = self.filling.validity(step["ref"]).value
        self.hold(step, found == step["status"], found)

    def expect_constraint_message(self, step: Step) -> None:
        self.same(step, self.message(step["ref"], Validity.VIOLATED))

    def expect_required_message(self, step: Step) -> None:
        self.same(step, self.message(step["ref"], Validity.MISSING))

    def expect_validity_message(self, step: Step) -> None:
        self.same(step, self.filling.message(step["ref"]) or None)

    def message(self, ref: str, validity: Validity) -> str | None:
        if self.filling.validity(ref) is not validity:
            return None
        return self.filling.message(ref)

    def expect_form_valid(self, step: Step) -> None:
        self.same(step, not list(self.filling.problems()))

    def expect_form_outcome(self, step: Step) -> None:
        problems = list(self.filling.problems())
        self.same(step, problems[0].validity.value if problems else "OK")

    def expect_first_violation(self, step: Step) -> None:
        problems = list(self.filling.problems())
        found = problems[0].ref if problems else None
        self.hold(step, found == step["ref"], found)

    def expect_repeat_count(self, step: Step) -> None:
        self.same(step, self.filling.count(step["ref"]))

    def expect_choices_count(self, step: Step) -> None:
        found = len(self.filling.choices(step["ref"]))
        least = step.get("at_least")
        self.hold(step, found == step["value"] if least is None else found >= least)

    def expect_choices_contain(self, step: Step) -> None:
        found = self.filling.choices(step["ref"])
        rest = iter(found)
        for choice in step["choices"]:
            among = rest if step.get("ordered") else iter(found)
            fits = any(
                value == choice["value"] and choice.get("label", label) == label
                for value, label in among
            )
            self.hold(step, fits, found)

    def expect_choice_at(self, step: Step) -> None:
        choices = self.filling.choices(step["ref"])
        value, label = choices[step["index"]]
        self.same(step, value if step["field"] == "value" else label)

    def expect_choice_labels(self, step: Step) -> None:
        self.same(step, [label for _, label in self.filling.choices(step["ref"])])

    def expect_selected_labels(self, step: Step) -> None:
        self.same(step, self.filling.selected_labels(step["ref"]))

    def expect_label(self, step: Step) -> None:
        self.same(step, self.filling.label(step["ref"]))

    def expect_hint(self, step: Step) -> None:
        self.same(step, self.filling.hint(step["ref"]))

    def expect_submission_xml(self, step: Step) -> None:
        found = self.filling.submission()
        fits = plain(etree.fromstring(found)) == plain(etree.fromstring(step["value"]))
        self.hold(step, fits, found.decode())

    def same(self, step: Step, found: object) -> None:
        self.hold(step, found == step["value"], found)

    def hold(self, step: Step, fits: bool, found: object = "") -> None:
        if fits is bool(step.get("not")):
            raise Broken(f"found {found!r}")


def plain(element: etree._Element) -> object:
    """Return an element without what does not count in a comparison."""
    text = element.text or ""
    children = [plain(child) for child in element]
    return (
        element.tag,
        sorted(element.attrib.items()),
        "" if children and not text.strip() else text,
        children,
    )


def test_the_forms_of_other_engines_behave_as_they_expect() -> None:
    cases = outside_cases("scenarios.json")

    failed = []
    for case in cases:
        try:
            Play(case["form_xml"]).run(case["steps"])
        except (Broken, FormError) as error:
            failed.append(f"{case['id']} {case['title']}: {error}")

    passed = len(cases) - len(failed)
    print(f"scenarios: {passed} of {len(cases)}", *failed, sep="\n")
    assert passed >= FLOOR
