"""Sticks: filled, carried for days, lost, copied, read at the wrong place, or again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from node.wiring import Node
from tests.simulation import talking
from tests.simulation.line import damaged
from tests.simulation.oracle import Violation
from tests.simulation.site import Job, Site, read_files, write_files
from tests.simulation.tables import Row, draw
from tests.simulation.world import HOUR_MS, World

HOURS = (1, 24, 12 * 24)
JUNK = {"家庭照片.jpg": b"\xff\xd8\xff" + bytes(50), "说明.txt": "记得归还".encode()}


class Stick:
    """A stick, and what lies on it, by name."""

    def __init__(self, world: World, files: dict[str, bytes]) -> None:
        self.world, self.files = world, dict(files)
        self.is_sound = True
        """All that lies on it is what was written."""

    @contextmanager
    def plugged_in(self) -> Iterator[Path]:
        """Give the stick as a folder."""
        path = self.world.new_path()
        write_files(path, self.files)
        try:
            yield path
        finally:
            self.files = read_files(path)
            rmtree(path)

    def copy(self) -> "Stick":
        """Return another stick with the same on it."""
        other = Stick(self.world, self.files)
        other.is_sound = self.is_sound
        return other

    def send(self, to: Site, home: Site | None) -> None:
        """Let it come to a site hours or days later; then perhaps go home again."""
        chance = self.world.chance
        hours = chance.choice(HOURS) * chance.uniform(0.2, 1)
        self.world.post.send(
            self.world.now_ms + int(hours * HOUR_MS), lambda: self._arrive(to, home)
        )

    def read_at(self, site: Site) -> bool:
        """Let a site take in what is on it; False if the machine stopped over it."""
        wrong: list[str] = []
        with_answers = self.world.chance.random() < 0.8

        def take_in(node: Node) -> None:
            with self.plugged_in() as folder:
                wrong.extend(talking.carry_in(node, folder, with_answers=with_answers))

        site.may_refuse = not self.is_sound
        is_done = self.world.attempt(site, Job("reads a stick", take_in))
        if wrong and self.is_sound:
            raise Violation(f"{site.name} finds a good stick bad: {wrong}")
        return is_done

    def _arrive(self, site: Site, home: Site | None) -> None:
        if not self.read_at(site):
            # Whoever has plugged it in tries again, another day.
            self.world.post.send(
                self.world.now_ms + HOUR_MS, lambda: self._arrive(site, home)
            )
        elif home and self.world.chance.random() < 0.7:
            self.send(home, None)
        else:
            site.sticks.append(self)


def somebody_carries(world: World) -> None:
    """Let a stick be filled for any node on the same line, and given to somebody."""
    sender = world.someone()
    to = world.chance.choice(sender.line + sender.beside)
    stick = Stick(world, {})
    if sender.sticks and world.chance.random() < 0.5:
        stick = sender.sticks.pop(world.chance.randrange(len(sender.sticks)))

    def fill(node: Node) -> None:
        with stick.plugged_in() as folder:
            peer = talking.peer_of(node, to.place.certificate.node)
            talking.carry_out(node, folder, peer)

    if world.attempt(sender, Job(f"fills a stick for {to.name}", fill)):
        fate = draw(world.chance, FATES)
        if fate is not FATES[0]:
            world.fault(f"stick {fate.name}", f"the stick: {fate.name}")
        fate.do(stick, sender, to)


def somebody_finds_one(world: World) -> None:
    """Let a stick that has been lying about be read once more."""
    site = world.someone()
    if site.sticks:
        world.fault("stick found", f"{site.name} finds an old stick")
        world.chance.choice(site.sticks).read_at(site)


# -- what may happen to a stick -------------------------------------------------------


def _arrives(stick: Stick, sender: Site, to: Site) -> None:
    stick.send(to, sender)


def _lost(_stick: Stick, _sender: Site, _to: Site) -> None:
    pass


def _copied(stick: Stick, sender: Site, to: Site) -> None:
    stick.copy().send(to, None)
    stick.send(to, sender)


def _file_lost(stick: Stick, sender: Site, to: Site) -> None:
    """Let one file be missing, which is a volume of this pack or of an older one."""
    del stick.files[stick.world.chance.choice(sorted(stick.files))]
    stick.send(to, sender)


def _file_damaged(stick: Stick, sender: Site, to: Site) -> None:
    name = stick.world.chance.choice(sorted(stick.files))
    stick.files[name] = damaged(stick.world, stick.files[name])
    stick.is_sound = False
    stick.send(to, sender)


def _with_junk(stick: Stick, sender: Site, to: Site) -> None:
    stick.files |= JUNK
    stick.send(to, sender)


def _read_elsewhere_first(stick: Stick, sender: Site, to: Site) -> None:
    """Let it be read where it is not for, before it comes to the right place."""
    others = [one for one in stick.world.sites.values() if one not in (sender, to)]
    stick.read_at(stick.world.chance.choice(others))
    stick.send(to, sender)


def _stays(stick: Stick, sender: Site, _to: Site) -> None:
    sender.sticks.append(stick)


Fate = Callable[[Stick, Site, Site], None]

FATES: tuple[Row[Fate], ...] = (
    Row("arrives", 50, _arrives),
    Row("lost", 12, _lost),
    Row("copied", 10, _copied),
    Row("file lost", 8, _file_lost),
    Row("file damaged", 6, _file_damaged),
    Row("with junk", 5, _with_junk),
    Row("read elsewhere first", 5, _read_elsewhere_first),
    Row("stays", 4, _stays),
)
