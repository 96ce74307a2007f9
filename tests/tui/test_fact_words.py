"""Every fact that a step may say has its words, and nothing else is offered."""

import pytest

from node.errors import StepRefused
from node.facts import FACTS, FACTS_LIMIT, MATERIAL_STATES, TOO_MANY, fault_of
from node.lifecycle import State, Step
from node.sealing import SEAL
from tests.shipping import shipped_packages
from tui.fact_words import ASKED, GROUPS, asked_as, written
from tui.messages import sentence

ITEM = shipped_packages()[0].item


@pytest.mark.parametrize("step", Step)
def test_every_fact_of_a_step_is_asked_in_words(step: Step) -> None:
    keys = {fact.key for fact in FACTS[step]} - set(GROUPS) - {SEAL}

    assert set(ASKED.get(step, {})) == keys


@pytest.mark.parametrize("step", ASKED)
def test_what_is_offered_is_what_the_step_takes(step: Step) -> None:
    checks = {fact.key: fact.check for fact in FACTS[step]}

    for key, asked in ASKED[step].items():
        for value, word in asked.words.items():
            assert checks[key](value, ITEM), (key, value)
            assert word


def test_every_group_of_facts_has_its_words() -> None:
    keys = {fact.key for known in FACTS.values() for fact in known}

    assert set(GROUPS) == {key for key in keys if key.endswith("/")}
    assert GROUPS["material/"].words == MATERIAL_STATES


@pytest.mark.parametrize("step", Step)
def test_a_command_line_is_told_how_each_fact_is_written(step: Step) -> None:
    for fact in FACTS[step]:
        asked = asked_as(step, fact.key)
        if fact.key == SEAL:
            assert asked is None  # the program makes it, nobody writes it
            continue
        assert asked is not None
        for value, word in asked.words.items():
            assert f"{value} {word}" in written(asked)
        assert not asked.offers or asked.typed or asked.words, fact.key


@pytest.mark.parametrize(
    ("step", "facts", "words"),
    [
        (Step.PAUSE, {"kind": "nap"}, "kind（哪一种：hearing 听证；"),
        (Step.CHECK, {"material/none": "collected"}, "（材料状态：斜线后接"),
        (Step.RETURN, {"fault/name": ""}, "fault/name（要补正的：斜线后接"),
        (Step.HURRY, {"approver": "林局长", "x": "1"}, "x（没有这一项）"),
        (Step.EXTEND, {}, "workdays（延长几个工作日：一般最多 10 个"),
        (Step.HURRY, dict.fromkeys(map(str, range(FACTS_LIMIT + 1)), "1"), "最多写"),
    ],
)
def test_what_is_wrong_with_a_fact_is_said_in_its_own_words(
    step: Step, facts: dict[str, str], words: str
) -> None:
    about = fault_of(step, facts, ITEM)
    error = StepRefused("case", State.ACCEPTED, step, "facts", about=about)

    assert about
    assert words in sentence(error)
    assert TOO_MANY not in sentence(error)
