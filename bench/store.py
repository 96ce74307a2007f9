"""What lies in a home, and how fast a node above takes in."""

from collections.abc import Iterator
from statistics import median

from bench import homes
from bench.exchange import fresh
from bench.homes import Spent
from bench.measure import Row
from bench.workloads import Bench

DISK_CASES, DISK_CHANGES = 100, 10


def intake(bench: Bench) -> Iterator[Row]:
    """Entries that a town takes in each second: all checks, no line, one process and
    its child. By the clock on the wall, and by their CPU clocks: where other programs
    run beside it, only the latter says anything.
    """
    cases = bench.sizes.many
    spent: list[Spent] = []
    for _ in range(min(bench.repeats, 3)):
        with (
            fresh(bench.starts.new(cases), bench.folder) as copy,
            homes.opened(copy / "village") as village,
            homes.opened(copy / "town") as town,
        ):
            spent.append(homes.settle(village, town))
            bench.say(f"intake {cases}: {spent[-1]}")
    wall, cpu = median(s.wall_s for s in spent), median(s.cpu_s for s in spent)
    yield Row("intake", cases, "entries/s", None, cases / wall)
    yield Row("intake", cases, "entries/CPU second", None, cases / cpu)


def disk(bench: Bench) -> Iterator[Row]:
    """How much larger a home is for each case with ten changes."""
    with fresh(bench.starts.enrolled(), bench.folder) as copy:
        home = copy / "village"
        before = (home / "node.db").stat().st_size
        ids = [row["id"] for row in homes.write_cases(home, range(DISK_CASES))]
        for number in range(1, DISK_CHANGES):
            for _ in homes.edit_cases(home, homes.phones(ids, seed=number)):
                pass
        size = ((home / "node.db").stat().st_size - before) // DISK_CASES
    yield Row("disk", DISK_CASES, "bytes/case", None, size)
