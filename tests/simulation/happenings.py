"""What may happen in one step: a table, one row for each kind of happening."""

from collections.abc import Callable
from functools import lru_cache

from forms.package import Package
from node import upkeep
from tests.node.nodes import NOON_MS
from tests.simulation import copies, line, sticks, work
from tests.simulation.items import VERSIONS, catalogue
from tests.simulation.site import Job
from tests.simulation.tables import Row, draw
from tests.simulation.world import DAY_MS, HOUR_MS, World

YEAR_MS = 365 * DAY_MS
SKEWS_MS = (0, 0, 0, -HOUR_MS, 40 * DAY_MS, -3 * YEAR_MS, 8 * YEAR_MS, -NOON_MS)
"""By how much a clock is off; the last has begun at the beginning of 1970."""

MOST_JOBS = 4


def happen(world: World) -> None:
    """Let one thing happen."""
    row = draw(world.chance, HAPPENINGS, SEASONS[world.seed % len(SEASONS)])
    world.counts[row.name] += 1
    row.do(world)


def somebody_works(world: World) -> None:
    """Let a person do some things at a desk."""
    site = world.someone()
    for _ in range(world.chance.randint(1, MOST_JOBS)):
        if copies.may_write(world, site) and (job := work.draw_work(world, site)):
            world.attempt(site, job)


def two_meet(world: World) -> None:
    """Let two people do something in the same case, neither knowing of the other."""
    site = world.someone("D", "T")
    rows = work.rows_at(site)
    if not rows:
        return
    document = world.chance.choice(rows).document
    for one in (site, *site.line):
        if one.node.store.cases.get(document) is not None and copies.may_write(
            world, one
        ):
            job = work.step_in(world.chance, one, document)
            if job and world.chance.random() < 0.8:
                world.attempt(one, job)


def somebody_syncs(world: World) -> None:
    """Let a node sync with the one above it, and often that one with its own."""
    site = world.someone("V", "T")
    if site.beside and world.chance.random() < 0.3:
        line.sync(world, site, site.beside[0])
    while site.above:
        line.sync(world, site, site.above)
        site = site.above
        if world.chance.random() < 0.5:
            return


def publish(world: World) -> None:
    """Let the district publish its items anew."""
    district = world.sites["D"]
    if not copies.may_write(world, district):
        return
    packages = _catalogue(world.chance.randrange(VERSIONS))
    world.attempt(
        district,
        Job("publishes", lambda node: upkeep.publish(node, packages)),
    )


def line_cut(world: World) -> None:
    """Cut a line for hours or days."""
    site = world.someone("V", "T")
    assert site.above is not None
    length_ms = int(world.chance.choice((HOUR_MS, 10 * DAY_MS)))
    world.cut(site, site.above, length_ms)
    world.fault("line cut", f"no line from {site.name} for {length_ms / HOUR_MS:.0f} h")


def place_cut_off(world: World) -> None:
    """Cut all lines of a town for days."""
    site = world.someone("T")
    assert site.above is not None
    for one in (site.above, *site.below):
        world.cut(site, one, 5 * DAY_MS)
    world.fault("place cut off", f"{site.name} is cut off for days")


def clock_jumps(world: World) -> None:
    """Let a device's clock be wrong, or otherwise wrong."""
    site = world.someone()
    site.skew_ms = world.chance.choice(SKEWS_MS)
    world.fault("clock", f"{site.name}'s clock is {site.skew_ms / DAY_MS:.1f} days off")


@lru_cache(maxsize=VERSIONS)
def _catalogue(version: int) -> list[Package]:
    return catalogue(version)


Happening = Callable[[World], None]

HAPPENINGS: tuple[Row[Happening], ...] = (
    Row("work", 40, somebody_works),
    Row("two meet", 14, two_meet),
    Row("sync", 28, somebody_syncs),
    Row("stick", 5, sticks.somebody_carries),
    Row("old stick", 1, sticks.somebody_finds_one),
    Row("publish", 0.5, publish),
    Row("backup", 4, copies.back_up),
    # What goes wrong by itself. What befalls a bundle is in `line` and `sticks`, what
    # befalls a machine at work in `world`.
    Row("line cut", 2, line_cut),
    Row("place cut off", 1, place_cut_off),
    Row("clock", 2, clock_jumps),
    Row("restore", 2, copies.restore),
    Row("copy", 1, copies.copy),
    Row("other copy", 2, copies.change_over),
    Row("rejoin", 3, copies.somebody_rejoins),
)

SEASONS: tuple[dict[str, float], ...] = (
    {},
    # Copies of homes, and backups that are put back again and again.
    {"backup": 2, "restore": 4, "copy": 5, "other copy": 5, "rejoin": 3},
    # No line for weeks, only sticks.
    {"sync": 0.15, "stick": 4, "old stick": 3},
    # All desks at work, hardly any line.
    {"work": 1.5, "two meet": 2, "line cut": 3, "place cut off": 3},
)
"""How often things happen in a seed, besides: by its number modulo these."""
