"""What people have done in cases, and what follows from it. Pure: no node is asked.

An event is known by the chain hash of the entry that tells of it, by what its author
knew, and by what it wrote. A value is living until somebody who knew of it has written
another in its place; an event can be shown where all that its author knew is.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Wrote:
    """An event of a case.

    Attributes:
        id: as the document names it.
        entry: the chain hash of the entry that tells of it.
        author: the node that wrote it.
        knows: the events that its author knew.
        values: what it wrote into fields.
        files: the digests of the files that it added.
    """

    id: str
    entry: bytes
    author: bytes
    knows: frozenset[str]
    values: dict[str, str]
    files: frozenset[bytes]


@dataclass(slots=True)
class CaseRecord:
    """All that has ever been done in one case, wherever."""

    package: str
    events: dict[str, Wrote] = field(default_factory=dict)

    def held(self, entries: Collection[bytes]) -> set[str]:
        """Return the events of which these entries tell."""
        return {one.id for one in self.events.values() if one.entry in entries}

    def ready(self, entries: Collection[bytes]) -> set[str]:
        """Return the events that can be shown where these entries are."""
        held = self.held(entries)
        return {one for one in held if self.events[one].knows <= held}

    def living(self, shown: Iterable[str]) -> dict[str, list[str]]:
        """Return for each field the values that nobody has overwritten knowingly."""
        events = [self.events[one] for one in sorted(shown)]
        found: dict[str, list[str]] = {}
        for one in events:
            for key, value in one.values.items():
                if not any(one.id in e.knows and key in e.values for e in events):
                    found.setdefault(key, []).append(value)
        return found

    def written(self, shown: Iterable[str], answers: dict[str, str]) -> dict[str, str]:
        """Return what a person writes who gives `answers` and knows these events: a
        value that stands there already, alone, is not written again.
        """
        living = self.living(shown)
        return {
            key: value
            for key, value in answers.items()
            if set(living.get(key, [""])) != {value}
        }

    def files(self, shown: Iterable[str], author: bytes = b"") -> set[bytes]:
        """Return the files of a case; if `author` is named, those it has added."""
        return {
            digest
            for one in shown
            if not author or self.events[one].author == author
            for digest in self.events[one].files
        }

    def first_out_of_order(self, shown: Iterable[str]) -> str:
        """Return the first event told before one that its author knew, or ""."""
        told: set[str] = set()
        for one in shown:
            if not self.events[one].knows <= told:
                return one
            told.add(one)
        return ""
