"""How the cost of little things grows with the number of cases that are held.

Nothing new, and one edited case, with 1,000, 10,000 and 100,000 cases at both ends.
"Cost follows the change, not the store": the curves should be flat.
"""

from collections.abc import Iterator

from bench import baseline, homes
from bench.exchange import exchange, fresh
from bench.measure import MEASURES, Cost, Row, rows_of
from bench.starts import edit, some_ids
from bench.workloads import Bench

HELD = (1000, 10_000, 100_000)
NOTHING, ONE_EDIT = "growth, nothing new", "growth, one edit"


def growth(bench: Bench, held: tuple[int, ...]) -> Iterator[Row]:
    """Return all measures of both, for each number of cases held."""
    found: list[Row] = []
    for cases in held:
        with fresh(bench.starts.held(cases), bench.folder) as copy:
            ids = some_ids(copy, bench.repeats)
            nothing: list[tuple[Cost, Cost]] = []
            edits: list[tuple[Cost, Cost]] = []
            for number in range(bench.repeats):
                nothing.append((exchange(copy, "plain"), exchange(copy, "ours")))
                edit(copy, homes.phones(ids[number : number + 1], number))
                edits.append((exchange(copy, "plain"), exchange(copy, "ours")))
                with homes.plain(copy / "village.db") as db:
                    baseline.take_out(db)
                bench.say(f"growth {cases}\n  {nothing[-1][1]}\n  {edits[-1][1]}")
        found += rows_of(NOTHING, cases, nothing)
        found += rows_of(ONE_EDIT, cases, edits)
    yield from found
    yield from _flatness(found)


def _flatness(rows: list[Row]) -> Iterator[Row]:
    """Compare the largest number held with the smallest: 1.0 is flat."""
    for work in (NOTHING, ONE_EDIT):
        for measure in MEASURES:
            curve = [one for one in rows if (one.work, one.measure) == (work, measure)]
            first, last = curve[0], curve[-1]
            yield Row(
                f"{work}, to {first.cases:,}",
                last.cases,
                measure,
                first.ours,
                last.ours,
                last.ours / first.ours if first.ours else None,
            )
