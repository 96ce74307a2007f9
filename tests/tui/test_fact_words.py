"""Every fact that a step may say has its words, and nothing else is offered."""

import pytest

from node.facts import FACTS
from node.lifecycle import Step
from tests.shipping import shipped_packages
from tui.fact_words import ASKED

GROUPS = frozenset({"material/", "fault/"})
"""Told on pages of their own, paper by paper and field by field."""
SIGNED = frozenset({"seal"})
"""Made by the program."""
ITEM = shipped_packages()[0].item


@pytest.mark.parametrize("step", Step)
def test_every_fact_of_a_step_is_asked_in_words(step: Step) -> None:
    keys = {fact.key for fact in FACTS[step]} - GROUPS - SIGNED

    assert set(ASKED.get(step, {})) == keys


@pytest.mark.parametrize("step", ASKED)
def test_what_is_offered_is_what_the_step_takes(step: Step) -> None:
    checks = {fact.key: fact.check for fact in FACTS[step]}

    for key, asked in ASKED[step].items():
        for value, word in asked.words.items():
            assert checks[key](value, ITEM), (key, value)
            assert word
