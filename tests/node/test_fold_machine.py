"""Three desks write events of one case, each knowing what it happens to know.

Whatever the interleaving, whatever the clocks say, the same events come to the same
story; nothing is left out, nothing stands before what its author knew, and who settles
finds settled what he has settled.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from node.lifecycle import (
    Event,
    Step,
    decode_event,
    encode_event,
    frontier,
    is_possible,
)
from node.policy import Past
from node.story import Story, fold

DESKS = ("a" * 16, "b" * 16, "c" * 16)
CLOCKS_MS = st.integers(0, 2**41)

desks = st.sampled_from(DESKS)


class Desks(RuleBasedStateMachine):
    """What each desk knows: texts of events, by id."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, dict[str, str]] = {desk: {} for desk in DESKS}
        self.all: dict[str, str] = {}
        self.knew: dict[str, set[str]] = {}

    # -- what people do

    @initialize(who=desks, at=CLOCKS_MS)
    def begin(self, who: str, at: int) -> None:
        self._write(who, at, Event(Step.SUBMIT, 0, "operator"))

    @rule(data=st.data(), who=desks, at=CLOCKS_MS)
    def act(self, data: st.DataObject, who: str, at: int) -> None:
        """Take a step that is possible by what the desk knows."""
        state = self._story(who).state
        steps = [s for s in Step if self.known[who] and is_possible(state, s)]
        if steps:
            step = data.draw(st.sampled_from(sorted(steps)))
            fields = ("phone",) if step == Step.AMEND else ()
            self._write(who, at, Event(step, 0, "operator", fields=fields))

    @rule(data=st.data(), who=desks, at=CLOCKS_MS)
    def choose(self, data: st.DataObject, who: str, at: int) -> None:
        """Settle where the case stands, if the desk sees that this is in dispute."""
        choices = self._story(who).choices
        if not choices:
            return
        chosen = data.draw(st.sampled_from(choices))
        names = tuple(sorted(one.id for one in choices))
        self._write(
            who,
            at,
            Event(Step.SETTLE, 0, "operator", settles=names, upholds=chosen.id),
        )

        story = self._story(who)
        assert (story.state, story.choices) == (chosen.state, ())
        assert story.was_disputed

    @rule(who=desks, at=CLOCKS_MS)
    def take_note(self, who: str, at: int) -> None:
        """Take note of amendments that came too late, if the desk sees any."""
        ends = self._story(who).late_ends
        if ends:
            self._write(who, at, Event(Step.SETTLE, 0, "operator", settles=ends))

            assert self._story(who).late == ()

    # -- what they hear of each other

    @rule(who=desks, whom=desks)
    def tell_all(self, who: str, whom: str) -> None:
        self.known[whom] |= self.known[who]

    @precondition(lambda self: self.all)
    @rule(data=st.data(), whom=desks)
    def tell_some(self, data: st.DataObject, whom: str) -> None:
        """Tell of one event, with all that its author knew."""
        one = data.draw(st.sampled_from(sorted(self.all)))
        for key in self.knew[one] | {one}:
            self.known[whom][key] = self.all[key]

    # -- what must hold

    @rule(data=st.data(), who=desks)
    def the_order_of_arrival_does_not_matter(
        self, data: st.DataObject, who: str
    ) -> None:
        texts = list(self.known[who].items())

        assert fold(dict(data.draw(st.permutations(texts)))) == fold(dict(texts))

    @invariant()
    def every_story_is_whole_and_in_causal_order(self) -> None:
        for texts in self.known.values():
            told = [one.id for one in fold(texts).happened]
            assert sorted(told) == sorted(texts)
            for at, one in enumerate(told):
                assert self.knew[one] <= set(told[:at])

    @invariant()
    def where_everybody_knew_all_before_there_is_no_dispute(self) -> None:
        for texts in self.known.values():
            sizes = sorted(len(self.knew[one]) for one in texts)
            if sizes == list(range(len(texts))):
                story = fold(texts)
                assert (story.choices, story.late, story.disputed) == ((), (), ())

    @invariant()
    def a_dispute_is_between_events_that_are_there(self) -> None:
        for texts in self.known.values():
            story = fold(texts)
            names = {one.id for one in story.choices}
            assert names <= set(texts) and len(names) == len(story.choices)
            assert len(names) != 1
            assert bool(names) == bool(story.disputed)
            if names:
                assert story.choices[0].state is story.state

    @invariant()
    def who_knows_the_same_tells_the_same(self) -> None:
        stories: dict[frozenset[str], Story] = {}
        for texts in self.known.values():
            story = fold(texts)
            assert stories.setdefault(frozenset(texts), story) == story

    def teardown(self) -> None:
        for texts in self.known.values():
            texts.update(self.all)
        self.who_knows_the_same_tells_the_same()

    def _story(self, who: str) -> Story:
        return fold(self.known[who])

    def _write(self, who: str, at: int, what: Event) -> None:
        texts = self.known[who]
        while f"{who}-{at}" in self.all:
            at += 1
        key = f"{who}-{at}"
        events = {
            k: event for k, text in texts.items() if (event := decode_event(text))
        }
        event = Event(
            what.step,
            at,
            what.by,
            seen=frontier(events),
            clock=1 + max((one.clock for one in events.values()), default=0),
            fields=what.fields,
            settles=what.settles,
            upholds=what.upholds,
        )
        self.knew[key] = set(texts)
        self._past_is_led_on_as_it_would_be_read(texts, key, event)
        texts[key] = self.all[key] = encode_event(event)

    def _past_is_led_on_as_it_would_be_read(
        self, texts: dict[str, str], key: str, event: Event
    ) -> None:
        """A judge may lead a past on by an event that follows all of it."""
        led = Past.of(texts, {})
        led.advance(key, event)

        assert led == Past.of({**texts, key: encode_event(event)}, {})


TestDesks = Desks.TestCase
TestDesks.settings = settings(
    deadline=None, derandomize=True, max_examples=100, stateful_step_count=25
)
