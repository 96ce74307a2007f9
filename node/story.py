"""What the events of a case come to, whoever wrote them and where. Pure: no I/O.

The state of a case is `fold(events)`: the events of all tiers in causal order, led
through the table. Every node that has the same events tells the same story, in
whatever order they came.

An event was right in what its author knew; that was judged when it came. Beside what
others did meanwhile it can stand if its author knew of the state in which it finds
the case, if it leads where the case stands already (two clerks granted), or if it is
a withdrawal, which means the same wherever the case is open. Any other is kept, shown
with its reason, and disputed until a person settles where the case stands.

Who settles upholds one event: the case stands where that led, with what that was
built upon, and every dispute that its author knew of is closed. A settlement stands
if it finds settled what it wants, or if nobody has moved the case behind its author's
back; otherwise it is disputed itself. So two settlements of one thing are shown, and
the next person who has seen both ends it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from node.lifecycle import (
    LEADS_TO,
    RECORDS,
    Event,
    State,
    Step,
    decode_event,
    next_state,
)

ACCEPTED_STATES = frozenset(
    {
        State.ACCEPTED,
        State.FORWARDED,
        State.GRANTED,
        State.REFUSED,
        State.DELIVERED,
        State.TERMINATED,
        State.ARCHIVED,
    }
)
"""Where an amendment that came too late for the acceptance must be looked at."""

PAIRS_LOOKED_AT = 200
"""Nobody honest takes so many steps past each other in one case."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event in its place in the story.

    `state` is where the case stood after it, `why_not` is "" where it stands, else
    the state that it could not follow; `settled_by` is what has decided about it, ""
    for nothing: a settlement, or a later step of those who built upon it and have
    come to the same end as the others.
    """

    id: str
    event: Event
    state: State
    why_not: str
    settled_by: str = ""

    @property
    def author(self) -> str:
        """The first 16 hex digits of the node that signed it."""
        return self.id.partition("-")[0]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the events between which a person must choose, and where it leads."""

    id: str
    state: State


@dataclass(frozen=True, slots=True)
class Story:
    """What the events of a case come to.

    Attributes:
        state: where the case stands.
        outcome: the decision, "" while there is none.
        happened: all events, in the order in which they are told.
        choices: what a person must choose between: first the event that led where
            the case stands now, then what could not stand; none: all is clear.
        late: the amendments that came too late for the acceptance and that nobody
            has taken note of since.
        late_ends: the last of these in each line, sorted: who takes note of them
            has seen them all.
        was_disputed: events could not both stand, at some time, on some node.
    """

    state: State
    outcome: str
    happened: tuple[Happened, ...]
    choices: tuple[Choice, ...] = ()
    late: tuple[str, ...] = ()
    late_ends: tuple[str, ...] = ()
    was_disputed: bool = False

    @property
    def disputed(self) -> tuple[Happened, ...]:
        """The events that cannot stand, and that nobody has settled."""
        return tuple(one for one in self.happened if one.why_not and not one.settled_by)


def fold(texts: Mapping[str, object]) -> Story:
    """Return where a case stands, from its events by id, in any order.

    An event comes after all that it has seen; among those that could come next the
    lower clock goes first, then the lower id.
    """
    return fold_events(
        {key: event for key, text in texts.items() if (event := decode_event(text))}
    )


def fold_events(events: Mapping[str, Event]) -> Story:
    """Return the story of events that have been read."""
    return _Telling(events).story()


@dataclass(slots=True)
class _Course:
    """How far a story has been told. Sets of events are bits of a number.

    `mover` led where the case stands; `supporters` are all that say so: who has seen
    one of them knows the state. `acts` are the events that stand and could be
    contradicted: all but what is only written down. `settlements` are
    those that stand and uphold an event, each with that. Of what could not stand when
    its turn came, `met` says where the case stood then, and who supported it.
    """

    state: State = State.DRAFT
    outcome: str = ""
    mover: str = ""
    supporters: int = 0
    standing: int = 0
    acts: int = 0
    settlements: dict[str, str] = field(default_factory=dict)
    met: dict[str, tuple[State, int]] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)

    def move(self, key: str, supporters: int, state: State) -> None:
        """Let an event that stands lead the case on."""
        self.state, self.mover, self.supporters = state, key, supporters
        if state in (State.GRANTED, State.REFUSED):
            self.outcome = state


class _Telling:
    """The events of one case in their order, and who knew of which."""

    def __init__(self, events: Mapping[str, Event]) -> None:
        self.events = events
        self.order = _causal_order(events)
        self.bit = {key: 1 << place for place, key in enumerate(self.order)}
        self.past: dict[str, int] = {}
        """For each event all that its author had seen."""
        for key in self.order:
            seen = 0
            for one in events[key].seen:
                if one in self.past:  # not so where hostile ones see in a circle
                    seen |= self.bit[one] | self.past[one]
            self.past[key] = seen
        self._own: dict[str, _Course] = {}

    def story(self) -> Story:
        """Tell it all."""
        told = self.run(-1)
        settled_by = self._settled_by(told)
        late = self._late(told)
        return Story(
            told.state,
            told.outcome,
            tuple(self._happened(told, key, settled_by) for key in self.order),
            self._choices(told, settled_by),
            tuple(late),
            tuple(sorted(self._ends(late))),
            self._was_disputed(told),
        )

    def run(self, within: int) -> _Course:
        """Tell the events of a set that holds all ancestors of each."""
        told = _Course()
        for key in self.order:
            bit = self.bit[key]
            if bit & within:
                before, supporters = told.state, told.supporters
                if self._stands(told, key, self.events[key]):
                    told.standing |= bit
                else:
                    told.met[key] = before, supporters
                told.states[key] = told.state
        return told

    def own(self, key: str) -> _Course:
        """Return the story as the author of an event knew it, up to that event."""
        found = self._own.get(key)
        if found is None:
            found = self._own[key] = self.run(self.past[key] | self.bit[key])
        return found

    def _stands(self, told: _Course, key: str, event: Event) -> bool:
        """Take an event up, and say whether it stands."""
        if event.step == Step.SETTLE:
            if not event.upholds:
                return told.state is not State.DRAFT
            return self._settles(told, key, event)
        onward = next_state(told.state, event.step)
        if event.step in RECORDS:
            return onward is not None
        bit = self.bit[key]
        is_known = not told.supporters or bool(told.supporters & self.past[key])
        if onward is not None and (is_known or event.step == Step.WITHDRAW):
            told.move(key, bit, onward)
        elif LEADS_TO.get(event.step) is told.state:
            told.supporters |= bit
        else:
            return False
        told.acts |= bit
        return True

    def _settles(self, told: _Course, key: str, event: Event) -> bool:
        bit, past = self.bit[key], self.past[key]
        names = [one for one in event.settles if self.bit.get(one, 0) & past]
        if event.upholds not in names:
            return False  # only a hostile one does not name what it has seen
        upheld = self.own(event.upholds)
        if not self.bit[event.upholds] & upheld.standing:
            return False
        # What leads to the same state agrees with what is upheld.
        same = [one for one in names if self.own(one).state is upheld.state]
        kept = upheld.standing | self._bits(same)
        named = self._bits(names)
        if told.standing & named != kept & named:
            if told.acts & ~past:
                return False
            self._overrule(told, key, kept, upheld)
        elif event.upholds == told.mover:
            told.mover = key
            told.supporters |= bit
        told.acts |= bit
        told.settlements[key] = event.upholds
        return True

    def _overrule(self, told: _Course, key: str, kept: int, upheld: _Course) -> None:
        """Let the case stand where the event stood that is upheld."""
        for one, its_upheld in told.settlements.items():
            # An earlier settlement stands as long as what it upheld does.
            if self.bit[its_upheld] & kept:
                kept |= self.bit[one]
        told.settlements = {
            one: its_upheld
            for one, its_upheld in (told.settlements | upheld.settlements).items()
            if self.bit[one] & kept
        }
        told.standing = (told.standing & ~told.acts) | kept
        told.acts = (told.acts & kept) | upheld.acts
        told.move(key, self.bit[key] | upheld.supporters, upheld.state)
        told.outcome = upheld.outcome

    # -- what came of it ----------------------------------------------------------

    def _happened(
        self, told: _Course, key: str, settled_by: Mapping[str, str]
    ) -> Happened:
        why_not, decided = "", settled_by.get(key, "")
        if not self.bit[key] & told.standing:
            is_settled = decided in told.settlements
            why_not = told.states[decided] if is_settled else told.met[key][0]
        return Happened(
            key, self.events[key], told.states[key], why_not, settled_by=decided
        )

    def _settled_by(self, told: _Course) -> dict[str, str]:
        """Return what has decided about an event that was, or is, in question."""
        decided: dict[str, str] = {}
        lost = self._keys(~told.standing)
        for one in told.settlements:
            decided |= {key: one for key in lost if self.bit[key] & self.past[one]}
            decided |= dict.fromkeys(self.events[one].settles, one)
        acts = self._keys(told.acts)
        known = self._pasts(acts)
        for key in lost:
            _, met = told.met.get(key, (told.state, 0))
            is_open = key not in decided and self.bit[key] & known
            for one in acts if is_open else ():
                if self.bit[key] & self.past[one] and not met & self.past[one]:
                    # His line and that of those unknown to him came to one end.
                    decided[key] = one
                    break
        return decided

    def _choices(
        self, told: _Course, settled_by: Mapping[str, str]
    ) -> tuple[Choice, ...]:
        lost = self._keys(~told.standing)
        open_keys = [key for key in lost if key not in settled_by]
        if not open_keys or not told.mover:
            return ()
        return (
            Choice(told.mover, told.state),
            *(Choice(key, self.own(key).state) for key in self._ends(open_keys)),
        )

    def _late(self, told: _Course) -> list[str]:
        if told.state not in ACCEPTED_STATES:
            return []
        accepts = self._standing(told, Step.ACCEPT)
        known, every = self._pasts(accepts), self._bits(accepts)
        return [
            key
            for key in self._standing(told, Step.AMEND)
            if every & ~self.past[key]
            and not known & self.bit[key]
            and not self._is_noted(told, key)
        ]

    def _is_noted(self, told: _Course, key: str) -> bool:
        """Say whether a person has looked at all that an amendment wrote."""
        fields: set[str] = set()
        for one in self._standing(told, Step.SETTLE):
            if self.past[one] & self.bit[key]:
                event = self.events[one]
                if not (event.fields or event.upholds):
                    return True
                fields.update(event.fields)
        written = self.events[key].fields
        return bool(written) and fields.issuperset(written)

    def _was_disputed(self, told: _Course) -> bool:
        """Say whether there was ever a dispute, on whatever node.

        Where two events cannot both stand, a node could tell as soon as it knew the
        two and what they were built upon; what came later may have made them agree.
        """
        if told.met or any(event.upholds for event in self.events.values()):
            return True
        looked_at, earlier = 0, 0
        for key in self.order:
            unseen = earlier & ~self.past[key]
            for other in self._keys(unseen) if self.bit[key] & told.acts else ():
                looked_at += 1
                met = self.past[key] | self.past[other]
                met |= self.bit[key] | self.bit[other]
                if looked_at > PAIRS_LOOKED_AT or self.run(met).met:
                    return True
            earlier |= self.bit[key] & told.acts
        return False

    def _ends(self, keys: Iterable[str]) -> list[str]:
        """Return those of some events that no other of them has seen."""
        keys = list(keys)
        followed = self._pasts(keys)
        return [key for key in keys if not self.bit[key] & followed]

    def _pasts(self, keys: Iterable[str]) -> int:
        """Return all that the authors of some events had seen."""
        seen = 0
        for key in keys:
            seen |= self.past[key]
        return seen

    def _standing(self, told: _Course, step: Step) -> list[str]:
        return [k for k in self._keys(told.standing) if self.events[k].step == step]

    def _keys(self, bits: int) -> list[str]:
        """Return the events of a set in their order."""
        return [key for key in self.order if self.bit[key] & bits] if bits else []

    def _bits(self, keys: Iterable[str]) -> int:
        return sum({self.bit[key] for key in keys})


def _causal_order(events: Mapping[str, Event]) -> list[str]:
    waits_for = {
        key: {before for before in event.seen if before in events}
        for key, event in events.items()
    }
    followers: dict[str, list[str]] = {key: [] for key in events}
    for key, before in waits_for.items():
        for one in before:
            followers[one].append(key)
    ready = [
        (events[key].clock, key) for key, before in waits_for.items() if not before
    ]
    heapify(ready)
    order: list[str] = []
    while waits_for:
        if not ready:
            # Events that see each other in a circle are hostile: the lowest goes in.
            ready = [min((events[key].clock, key) for key in waits_for)]
        _, key = heappop(ready)
        order.append(key)
        del waits_for[key]
        for follower in followers[key]:
            if follower in waits_for:
                waits_for[follower].discard(key)
                if not waits_for[follower]:
                    heappush(ready, (events[follower].clock, follower))
    return order
