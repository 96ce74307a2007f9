"""W1 to W7: what is exchanged, and what is measured of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bench import homes
from bench.exchange import TOWN_DISTRICT, VILLAGE_TOWN, Hop, Kind, exchange, fresh
from bench.homes import Start
from bench.measure import Cost, Row, row_of, rows_of
from bench.starts import Say, Starts, conflicts_of, some_ids
from tests.whole.line_model import Quality

BAD_LINE = Quality(up_bit_s=64_000, down_bit_s=64_000, round_trip_s=0.6, loss=0.05)
VILLAGE_LINE = Quality(up_bit_s=2e6, down_bit_s=2e6, round_trip_s=0.05)
MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many cases each workload has."""

    bad_line: int
    few: int
    many: int
    edited: int


FULL = Sizes(bad_line=100, few=1000, many=10_000, edited=100)
QUICK = Sizes(bad_line=20, few=100, many=200, edited=20)


@dataclass(frozen=True, slots=True)
class Bench:
    """What every measurement needs: starts, room, how often, and who is told."""

    starts: Starts
    folder: Path
    sizes: Sizes
    repeats: int
    say: Say

    def pairs(
        self, name: str, start: Start, hop: Hop = VILLAGE_TOWN
    ) -> list[tuple[Cost, Cost]]:
        """Return several pairs of exchanges, each on fresh homes."""
        return [self.pair(name, start, hop) for _ in range(self.repeats)]

    def pair(
        self,
        name: str,
        start: Start,
        hop: Hop = VILLAGE_TOWN,
        quality: Quality | None = None,
        tries: int = 1,
    ) -> tuple[Cost, Cost]:
        """Return what (baseline, ours) took, each on fresh homes."""
        with fresh(start, self.folder) as copy:
            plain = exchange(copy, "plain", hop, quality, tries)
        with fresh(start, self.folder) as copy:
            ours = exchange(copy, "ours", hop, quality, tries)
        self.say(f"{name}\n  {plain}\n  {ours}")
        return plain, ours


def new(bench: Bench) -> Iterator[Row]:
    """W1: new cases, village to town."""
    for cases in (bench.sizes.few, bench.sizes.many):
        pairs = bench.pairs(f"W1 {cases}", bench.starts.new(cases))
        yield from rows_of("W1 new", cases, pairs)


def nothing(bench: Bench) -> Iterator[Row]:
    """W2: nothing new."""
    for cases in (bench.sizes.few, bench.sizes.many):
        pairs = bench.pairs(f"W2 {cases}", bench.starts.held(cases))
        yield from rows_of("W2 nothing", cases, pairs)


def edited(bench: Bench) -> Iterator[Row]:
    """W3: some cases edited at the village."""
    sizes = bench.sizes
    start = bench.starts.edited(sizes.edited, sizes.many)
    yield from rows_of("W3 edited", sizes.edited, bench.pairs("W3", start))


def both_edited(bench: Bench) -> Iterator[Row]:
    """W4: the same cases edited at both ends; every conflict must be shown at both."""
    sizes = bench.sizes
    start = bench.starts.edited_by_both(sizes.edited, sizes.many)
    work, count = "W4 both edited", sizes.edited
    yield from rows_of(work, count, bench.pairs("W4", start))
    ids = some_ids(start, count)
    real = set(conflicts_of(ids))
    with fresh(start, bench.folder) as copy:
        exchange(copy, "ours")
        shown = [homes.conflicting(copy / name, ids) for name in ("village", "town")]
    missed = sum(len(real - one) for one in shown)
    invented = sum(len(one - real) for one in shown)
    yield Row(work, count, "conflicts shown", len(real), len(set.intersection(*shown)))
    yield Row(work, count, "conflicts missed", None, missed)
    yield Row(work, count, "conflicts invented", None, invented)


def cut(bench: Bench) -> Iterator[Row]:
    """W5: cut when half of the bytes are over, begun again at once; what went twice.

    All that goes up is compared with what goes up when nothing is cut: so the second
    handshake and the question what has arrived count as sent twice. Over a line as a
    village has it, and over one that is faster than the town can take in.
    """
    for cases in (bench.sizes.few, bench.sizes.many):
        for work, quality in (
            ("W5 cut at half", VILLAGE_LINE),
            ("W5 cut at half, fast line", Quality()),
        ):
            start = bench.starts.new(cases)
            plain, ours = bench.pair(f"{work} {cases}: whole", start, quality=quality)
            twice = (
                _sent_twice(bench, start, "plain", plain, quality),
                _sent_twice(bench, start, "ours", ours, quality),
            )
            yield row_of(work, cases, "bytes sent twice", [twice])


def _sent_twice(
    bench: Bench, start: Start, kind: Kind, uncut: Cost, quality: Quality
) -> int:
    quality = replace(quality, cut_after_up=(uncut.tcp_up // 2,))
    with fresh(start, bench.folder) as copy:
        resumed = exchange(copy, kind, VILLAGE_TOWN, quality, MOST_TRIES)
    bench.say(f"  cut: {resumed}")
    return resumed.tcp_up - uncut.tcp_up


def relayed(bench: Bench) -> Iterator[Row]:
    """W6: all the way up, hop by hop, and one decision down."""
    starts, cases = bench.starts, bench.sizes.few
    for work, count, start, hop in (
        ("W6 village-town", cases, starts.new(cases), VILLAGE_TOWN),
        ("W6 town-district", cases, starts.forwarded(cases), TOWN_DISTRICT),
        ("W6 decision, district-town", 1, starts.decided(cases), TOWN_DISTRICT),
        ("W6 decision, town-village", 1, starts.answered(cases), VILLAGE_TOWN),
    ):
        pairs = bench.pairs(work, start, hop)
        yield from rows_of(work, count, pairs, ("bytes", "tcp bytes", "requests"))


def bad_line(bench: Bench) -> Iterator[Row]:
    """W7: a slow, far and lossy line. Each pair loses the same segments."""
    start = bench.starts.new(bench.sizes.bad_line)
    pairs = []
    for seed in range(2 * bench.repeats):
        quality = replace(BAD_LINE, seed=seed)
        pairs.append(bench.pair(f"W7 seed {seed}", start, quality=quality))
    yield from rows_of(
        "W7 bad line", bench.sizes.bad_line, pairs, ("wall_s", "bytes", "tcp bytes")
    )


WORKS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "W1": new,
    "W2": nothing,
    "W3": edited,
    "W4": both_edited,
    "W5": cut,
    "W6": relayed,
    "W7": bad_line,
}
