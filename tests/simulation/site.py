"""A simulated node in its place: disk, home, clock, and the people who work there."""

import fcntl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Protocol

from node.home import Home
from node.wiring import Node
from sync.identity import PUBLIC, holds
from tests.simulation.disk import Crash, Disk, disk_of
from tests.simulation.places import Place


@dataclass(slots=True)
class Intent:
    """What a person means to do: in which cases (None: a new one), with which answers
    and files.

    `done` are the cases in which an entry tells of it.
    """

    documents: frozenset[bytes] | None
    answers: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    done: set[bytes] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do at a site: what it is called, what is meant, how it is done."""

    text: str
    do: Callable[[Node], object]
    intent: Intent | None = None


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of a disk and of the files beside it."""

    image: bytes
    files: dict[str, bytes]
    entries: frozenset[bytes]


class Readable(Protocol):
    """A stick, see `tests.simulation.sticks`."""

    def read_at(self, site: "Site") -> bool:
        """Let a site take in what is on it."""


class Site:
    """A node, as the simulator holds it."""

    def __init__(
        self,
        place: Place,
        above: "Site | None",
        folder: Path,
        now_ms: Callable[[], int],
        randbytes: Callable[[int], bytes],
    ) -> None:
        self.place, self.name, self.above = place, place.name, above
        self.below: list[Site] = []
        if above:
            above.below.append(self)
        self.home = Home(folder / place.name)
        self.home.path.mkdir()
        self.skew_ms = 0
        self.backups: list[Backup] = []
        self.sticks: list[Readable] = []
        """Sticks that lie here."""
        self.intents: list[Intent] = []
        self.is_settled = True
        """Nothing has changed since there was nothing to say between this and above."""
        self.may_refuse = False
        """A bundle was damaged or went astray on its way here."""
        self.was_put_back = False
        """Others may ask for what this node has forgotten."""
        self.other: Backup | None = None
        """Another copy of this node, that is switched off now and works on later."""
        self.code = ""
        """An invitation to begin anew, until that is done."""
        self._world_ms, self._randbytes = now_ms, randbytes
        self.disk = place.disk()
        self.node = self._opened(self.disk, is_first=True)

    @property
    def tier(self) -> str:
        """V, T or D."""
        return self.place.certificate.tier[0].upper()

    @property
    def town(self) -> str:
        """The name of the town above, or nothing."""
        return self.above.name if self.above and self.above.tier == "T" else ""

    @property
    def beside(self) -> list["Site"]:
        """Other desks at the same place."""
        division = self.place.certificate.division
        beside = self.above.below if self.above else []
        return [
            one
            for one in beside
            if one is not self and one.place.certificate.division == division
        ]

    @property
    def line(self) -> list["Site"]:
        """All above this one and below."""
        above, line = self.above, []
        while above:
            line.append(above)
            above = above.above
        below = list(self.below)
        for one in below:
            below += one.below
        return line + below

    def unsettle(self, scopes: Iterable[str]) -> None:
        """Note that there may be something to say of some scopes, up and down."""
        for one in (self, *self.below):
            if one.above and any(holds(one.place.certificate, s) for s in scopes):
                one.is_settled = False

    def start_again(self) -> None:
        """Open the node over what its disk has kept."""
        self.disk = self.disk.revived()
        self.node = self._opened(self.disk)

    def put_back(self, backup: Backup) -> None:
        """Open the node over an older disk."""
        self.disk = disk_of(backup.image)
        rmtree(self.home.path)
        write_files(self.home.path, backup.files)
        self.node = self._opened(self.disk)
        self.unsettle([PUBLIC])

    def back_up(self) -> None:
        """Keep a copy of disk and home as they are."""
        self.backups.append(self.copied())

    def copied(self) -> Backup:
        """Return a copy of disk and home."""
        entries = self.disk.raw.execute("SELECT hash FROM entries")
        return Backup(
            self.disk.image(),
            read_files(self.home.path),
            frozenset(one for (one,) in entries),
        )

    def another_process(self) -> Node:
        """Return the node as another process of the same machine has it open."""
        return self._opened(Disk(self.disk.raw))

    def is_locked(self) -> bool:
        """Say whether a process holds a lock for which another one would wait."""
        return any(_is_held(path) for path in self.home.path.glob("*.lock"))

    def stop_if_not(self, node: Node) -> None:
        """Stop whoever still works with a node that has been started again since."""
        if node is not self.node:
            raise Crash

    def _opened(self, disk: Disk, *, is_first: bool = False) -> Node:
        return self.place.node(
            self.home, disk, self._now_ms, self._randbytes, is_first=is_first
        )

    def _now_ms(self) -> int:
        return self._world_ms() + self.skew_ms


def read_files(folder: Path) -> dict[str, bytes]:
    """Return what lies in a folder and below, by name; without locks."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Make a folder in which just these files lie."""
    folder.mkdir()
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _is_held(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
