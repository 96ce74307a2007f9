"""Events of a case by day, as several desks write them, for tests of clocks."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from forms.author.packing import read_entry
from forms.catalog import shipped
from forms.check import CHINA
from forms.item import Item
from node.calendar_source import known_tables
from node.clocks import Clocks
from node.lapses import Lapse, lapses
from node.lifecycle import Event, Step, frontier
from node.reckoning import clocks
from node.records import Records, records
from node.story import Story, fold_events
from node.workdays import Calendar

KNOWN = Calendar(known_tables(2004))
VILLAGE, TOWN, DISTRICT = "1" * 16, "2" * 16, "3" * 16


def item_of(name: str) -> Item:
    """Return an item that ships with the program."""
    return read_entry(shipped() / f"{name}.toml").item


def ms_of(day: date, hour: int = 12) -> int:
    """Return an hour of a day in China as a device's clock has it."""
    at = datetime(day.year, day.month, day.day, hour, tzinfo=CHINA)
    return int(at.timestamp() * 1000)


class History:
    """The events of one case. Each desk knows all, unless `seen` says otherwise."""

    def __init__(self, item: Item, calendar: Calendar = KNOWN) -> None:
        self.item, self.calendar = item, calendar
        self.events: dict[str, Event] = {}

    def add(
        self,
        step: Step,
        on: str,
        by: str = TOWN,
        seen: tuple[str, ...] | None = None,
        facts: Mapping[str, str] | None = None,
    ) -> str:
        """Add an event and return its id."""
        at = ms_of(date.fromisoformat(on))
        while f"{by}-{at}" in self.events:
            at += 1
        past = frontier(self.events) if seen is None else seen
        clock = 1 + max((self.events[one].clock for one in past), default=0)
        key = f"{by}-{at}"
        self.events[key] = Event(
            step, at, "x", past, clock, note="n", facts=dict(facts or {})
        )
        return key

    @property
    def story(self) -> Story:
        return fold_events(self.events)

    @property
    def records(self) -> Records:
        return records(self.item, self.story)

    @property
    def clocks(self) -> Clocks:
        return clocks(self.item, self.story, self.records, self.calendar)

    def lapses(self, today: str) -> tuple[Lapse, ...]:
        """Return what has passed by a day."""
        day = date.fromisoformat(today)
        return lapses(self.item, self.story, self.records, self.clocks, day)


def workdays_after(day: str, workdays: int) -> str:
    """Return a day that lies so many working days later."""
    return KNOWN.add_workdays(date.fromisoformat(day), workdays).on.isoformat()


def day_after(day: str, days: int = 1) -> str:
    """Return a day that lies so many days later, worked or not."""
    return (date.fromisoformat(day) + timedelta(days)).isoformat()
