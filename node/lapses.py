"""Which limits of a case have passed, and who held it then 超期问责. Pure: no I/O.

Nothing is written when a limit passes: a lapse follows from the events and the day, so
it is there exactly once on every node, whatever has been merged, and nobody can take
it away. It can be answered for (`Step.EXPLAIN`).

A day that was put right (`Step.REDATE`) counts. Where nobody doubted the one before,
it takes no lapse away from whoever has put it right: that stays, as doubtful, until
another desk says the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from forms.item import Item
from forms.service import Delivery, Tier
from forms.service import Step as Stage
from node.clocks import (
    ACCEPT,
    DELIVER,
    LEGAL,
    PROMISE,
    STEP,
    Clocks,
    as_of,
    is_odd_on,
    is_paused,
)
from node.lifecycle import State, Step
from node.records import Records
from node.step_limits import branches_of
from node.story import Happened, Story
from node.workdays import Due

_ACCEPTING = frozenset({Step.REVIEW, Step.ACCEPT, Step.RETURN, Step.FORWARD})
_DECIDING = frozenset(
    {Step.EXTEND, Step.TRANSFER, Step.ADVISE, Step.VISIT, Step.INSPECT}
)
"""Steps by which it is seen who has a case on his desk, before and after it goes up."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who held a case when a limit passed.

    `department` is "" below the district; `author` are the first 16 hex digits of the
    node, "" where none of that tier had taken a step yet.
    """

    tier: Tier
    department: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True)
class Lapse:
    """A limit that has passed.

    `key` says which: "accept", "promise", "legal", "deliver" or "step/NAME".
    `ended_on` is when it was done after all, None: it still is not. `answered` are
    the explanations, as they came. `is_doubtful`: a clock in the case cannot be right,
    so it is to be asked first whether anything was late at all.
    """

    key: str
    due_on: date
    ended_on: date | None
    holder: Holder
    answered: tuple[Happened, ...] = ()
    is_doubtful: bool = False


def lapses(
    item: Item, story: Story, known: Records, found: Clocks, today: date
) -> tuple[Lapse, ...]:
    """Return the limits that have passed by a day, in the order of their due days.

    Args:
        item: of the case.
        story: of the case.
        known: what is written down in it.
        found: its clocks.
        today: civil date in China; what has ended does not depend on it.
    """
    late = {one.key: one for one in _late(item, story, known, found, today)}
    for author, unhelped in found.unhelped.items():
        for one in _late(item, story, known, unhelped, today):
            if one.key not in late and _is_held_by(author, one.holder, story):
                late[one.key] = replace(one, is_doubtful=True)
    return tuple(sorted(late.values(), key=lambda one: (one.due_on, one.key)))


def _late(
    item: Item, story: Story, known: Records, found: Clocks, today: date
) -> Iterator[Lapse]:
    """Yield the limits that have passed by some clocks."""
    on = found.on
    standing = [one for one in story.happened if not one.why_not]
    holding = _Holding(item, known, standing, [on[one.id] for one in standing])
    for key, due, ended_on in _limits(as_of(found, today)):
        is_stopped = (
            ended_on is None and key != ACCEPT and is_paused(found.paused_since, due.on)
        )
        if (ended_on or today) > due.on and not is_stopped:
            yield Lapse(
                key,
                due.on,
                ended_on,
                holding.holder(key, due.on),
                tuple(o for o in known.explanations if o.event.facts["lapse"] == key),
                is_doubtful=bool(found.doubtful) or is_odd_on(found, today),
            )


def _is_held_by(author: str, holder: Holder, story: Story) -> bool:
    """Say whether a node answers for a lapse; where none of the desk had taken a step
    by then, whoever has taken one since.
    """
    if holder.author:
        return holder.author == author
    desk = _ACCEPTING | _DECIDING
    return any(o.author == author for o in story.happened if o.event.step in desk)


def _limits(found: Clocks) -> Iterator[tuple[str, Due, date | None]]:
    """Yield (which, last day, the day on which it was done) of all that is measured."""
    if found.told_by:
        yield ACCEPT, found.told_by, found.answered_on or found.ended_on
    over = found.decided_on or found.ended_on
    if found.limits:
        yield PROMISE, found.limits.promise_due, over
        yield LEGAL, found.limits.legal_due, over
        for step in found.limits.step_dues:
            if step.is_measured:
                yield STEP + step.name, step.due, step.done_on or over
    if found.deliver_by:
        yield DELIVER, found.deliver_by, found.delivered_on


@dataclass(frozen=True, slots=True)
class _Holding:
    """Who held the case on which day. `days` are those of `standing`."""

    item: Item
    known: Records
    standing: list[Happened]
    days: list[date]

    def holder(self, key: str, due_on: date) -> Holder:
        """Return who held what a limit is of, when its last day ended."""
        item = self.item
        before = [
            one
            for one, day in zip(self.standing, self.days, strict=True)
            if day <= due_on
        ]
        if key == DELIVER and self.known.delivery == Delivery.AGENT:
            return Holder(item.collect[0], "", _last(before, {Step.SUBMIT}))
        step = next((one for one in item.steps if STEP + one.name == key), None)
        is_up = bool(before) and before[-1].state is State.FORWARDED
        tier = item.decide if is_up else item.accept
        department = next(
            (
                one.event.facts["department"]
                for one in reversed(before)
                if one.event.step == Step.TRANSFER
            ),
            item.department,
        )
        if step:
            tier = step.tier
            if self._stays(step):
                department = step.department or item.department
        return Holder(
            tier,
            department if tier is Tier.DISTRICT else "",
            _last(before, _DECIDING if is_up else _ACCEPTING),
        )

    def _stays(self, step: Stage) -> bool:
        """Say whether a step stays with its department when the case is handed to
        another 转办: a branch, and what was another department's anyway.
        """
        is_branch = branches_of(step, self.item, self.known) != []
        return is_branch or step.department not in ("", self.item.department)


def _last(happened: Iterable[Happened], steps: Iterable[str]) -> str:
    """Return who took the last of some steps."""
    authors = [one.author for one in happened if one.event.step in steps]
    return authors[-1] if authors else ""
