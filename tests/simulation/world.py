"""One run: all nodes, the time, the post, and what people and machines do.

Everything is drawn from the seed; each step has a source of chance of its own, so
that a step can be left out and the others stay as they are.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from node.errors import AnswersWrong, NotFound, StepRefused, WriteForbidden
from tests.node.nodes import NOON_MS
from tests.simulation.disk import Crash
from tests.simulation.oracle import Oracle, Violation
from tests.simulation.places import places
from tests.simulation.post import Post
from tests.simulation.site import Intent, Job, Site

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

_PAUSES_MS = ((1000, 6), (10 * MINUTE_MS, 5), (5 * HOUR_MS, 3), (3 * DAY_MS, 1))
"""(about how long nothing happens, how often)."""

_CRASHES, _RACES = 0.12, 0.08
"""How often a machine stops, and how often two processes are at work at once."""

_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where homes and sticks lie: nobody waits for a disk, which is not what is tested."""

_DEEPEST = 1
_WRITES, _READS = 12, 12
"""After about how many writes, before about how many other statements."""


class World:
    """The nodes of one seed, and all that they share."""

    def __init__(
        self,
        seed: int,
        draw_work: "DrawWork",
        happen: Callable[["World"], None],
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.seed, self.step = seed, -1
        self.draw_work, self._happen = draw_work, happen
        self.now_ms = NOON_MS
        self.chance = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.post = Post()
        self.replies: dict[tuple[str, str], list[bytes]] = {}
        """The last answer that a client got from a server."""
        self.cut_until_ms: dict[frozenset[str], int] = {}
        self.oracle = Oracle()
        self.sites: dict[str, Site] = {}
        self._paths = 0
        self.is_calm = False
        """Nothing goes wrong any more."""
        self.depth = 0
        self._tell = tell
        self._folder = TemporaryDirectory(prefix="simulation-", dir=_MEMORY)
        self.folder = Path(self._folder.name)
        for place in places().values():
            above = self.sites.get(place.above)
            self.sites[place.name] = Site(
                place, above, self.folder, lambda: self.now_ms, self.randbytes
            )
        self.busy = self._choose_busy()

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def new_path(self) -> Path:
        """Return a path at which nothing lies yet."""
        self._paths += 1
        return self.folder / f"path {self._paths}"

    def randbytes(self, count: int) -> bytes:
        """Return random bytes of the step that is under way."""
        return self.chance.randbytes(count)

    def begin_step(self, step: int) -> None:
        """Let some time pass."""
        self.step = step
        self.chance = random.Random(self.seed * 1_000_003 + step)
        about_ms, weight = zip(*_PAUSES_MS, strict=True)
        (pause_ms,) = self.chance.choices(about_ms, weight)
        self.now_ms += int(pause_ms * self.chance.uniform(0.1, 2))
        self.oracle.trace.update(b"step %d\n" % step)

    def say(self, text: str) -> None:
        """Tell the story to whoever listens."""
        if self._tell:
            hours = (self.now_ms - NOON_MS) / HOUR_MS
            self._tell(f"{self.step:4} {hours:7.1f} h {'  ' * self.depth}{text}")

    def fault(self, name: str, text: str = "") -> None:
        """Count something that went wrong on purpose."""
        self.faults[name] += 1
        if text:
            self.say(f"! {text}")

    # -- who, and between whom ----------------------------------------------------

    def go_on(self) -> None:
        """Let something happen while something else is under way."""
        if self.depth < _DEEPEST:
            self.depth += 1
            for _ in range(self.chance.randint(1, 2)):
                self._happen(self)
            self.depth -= 1

    def someone(self, *tiers: str) -> Site:
        """Return a site, most often one of those where much happens."""
        fitting = [s for s in self.sites.values() if not tiers or s.tier in tiers]
        busy = [site for site in fitting if site.name in self.busy]
        if busy and self.chance.random() < 0.85:
            fitting = busy
        return self.chance.choice(fitting)

    def is_cut(self, one: Site, other: Site) -> bool:
        """Say whether there is no line between two sites."""
        until_ms = self.cut_until_ms.get(frozenset((one.name, other.name)), 0)
        return until_ms > self.now_ms

    def cut(self, one: Site, other: Site, length_ms: int) -> None:
        """Take the line between two sites down for some time."""
        link = frozenset((one.name, other.name))
        self.cut_until_ms[link] = self.now_ms + length_ms

    def _choose_busy(self) -> set[str]:
        town = self.chance.choice(["T0", "T1", "T2"])
        villages = self.chance.sample(self.sites[town].below, self.chance.randint(1, 3))
        busy = {"D", town, *(one.name for one in villages)}
        if self.chance.random() < 0.3:
            busy.add(self.chance.choice(["T0", "T1", "T2"]))
        return busy

    # -- what people do -------------------------------------------------------------

    def attempt(self, site: Site, job: Job) -> bool:
        """Let something happen at a site, or begin to; say whether it was done.

        The machine may stop after any write of it, and another process of the same
        machine may have its turn before anything that is no part of a transaction.
        """
        node = site.node
        self.say(f"{site.name} {job.text}")
        was_raced = self.draw_accident(site)
        with self._meaning(site, job.intent):
            try:
                job.do(node)
            except Crash:
                if site.node is node:
                    self.fault("crash", f"{site.name} stops after a write")
                    site.start_again()
                return False
            except WriteForbidden:
                if not (self.oracle.lacks_own(site) or self.oracle.is_forked(site)):
                    raise
                self.fault("write forbidden", f"{site.name} may not write")
                return False
            except (StepRefused, NotFound, AnswersWrong):
                if not was_raced():
                    raise
                return False
            finally:
                for one in self.sites.values():
                    one.disk.writes_left = one.disk.pauses_left = None
        if job.intent and not job.intent.done:
            raise Violation(f"{site.name} has not kept what it said to be saved")
        return True

    def look(self, site: Site) -> None:
        """Let the oracle look at a site, undisturbed."""
        pauses_left, site.disk.pauses_left = site.disk.pauses_left, None
        site.unsettle(self.oracle.look(site))
        site.disk.pauses_left = pauses_left

    @contextmanager
    def _meaning(self, site: Site, intent: Intent | None) -> Iterator[None]:
        """Let the oracle know what a person means to do while it is being done."""
        if intent:
            site.intents.append(intent)
        yield
        self.look(site)
        if self.depth == 0:
            # Another process here does not answer for what this one takes in.
            site.may_refuse = False
        if intent:
            site.intents.remove(intent)

    def draw_accident(self, site: Site) -> Callable[[], bool]:
        """Draw what will happen to a machine; return whether somebody was quicker."""
        turns: list[bool] = []
        accident = 1.0 if self.is_calm else self.chance.random()
        if accident < _CRASHES:
            site.disk.writes_left = 1 + int(self.chance.expovariate(1 / _WRITES))
        elif accident < _CRASHES + _RACES and self.depth == 0:
            site.disk.pauses_left = 1 + int(self.chance.expovariate(1 / _READS))

            def turn() -> None:
                if self._another_process(site):
                    turns.append(True)

            site.disk.in_between = turn
        return lambda: bool(turns)

    def _another_process(self, site: Site) -> bool:
        """Let another process of the same machine do some work."""
        if site.is_locked():
            return False
        self.look(site)
        job = self.draw_work(self, site)
        if job is None or self.oracle.lacks_own(site):
            return False
        self.depth += 1
        self.fault("race", f"meanwhile {site.name} {job.text}")
        with self._meaning(site, job.intent), suppress(WriteForbidden):
            job.do(site.another_process())
        self.depth -= 1
        return True


DrawWork = Callable[[World, Site], Job | None]
"""Draws something that a person at a site may do now; None where there is nothing."""
