"""Run seeds from the command line: `python -m tests.simulation --seeds 0-1999`."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import chain

from tests.simulation.places import places
from tests.simulation.plants import PLANTS
from tests.simulation.run import STEPS, Result, run_seed, shrunk

_SEEDS_OF_A_TASK = 10


def main() -> int:
    """Return 0 where everything held, 1 where a seed has found something."""
    asked = _asked()
    if asked.plant:
        places()  # the beginning is made by the program as it should be
        print(f"planted: {PLANTS[asked.plant].says}")
        PLANTS[asked.plant].put_in()
    if asked.seed is not None:
        return _tell(asked)
    began_s = time.monotonic()
    results = []
    for result in _results(asked):
        results.append(result)
        if result.violation:
            print(f"seed {result.seed}, step {result.step}: {result.violation}")
            if asked.stop:
                break
    _report(results, time.monotonic() - began_s)
    return int(any(result.violation for result in results))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", default="0-99", help="from-to, both included")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--jobs", type=int, default=1, help="processes at once")
    parser.add_argument("--trace", action="store_true", help="tell the story of --seed")
    parser.add_argument("--shrink", action="store_true", help="leave steps out")
    parser.add_argument("--stop", action="store_true", help="stop at the first fault")
    parser.add_argument("--plant", choices=PLANTS, help="break the program first")
    return parser.parse_args()


def _tell(asked: argparse.Namespace) -> int:
    """Run one seed and say what has happened."""
    leave_out: frozenset[int] = frozenset()
    if asked.shrink:
        leave_out = shrunk(asked.seed, steps=asked.steps)
        print(f"enough: {asked.steps - len(leave_out)} of {asked.steps} steps")
    result = run_seed(
        asked.seed,
        leave_out=leave_out,
        steps=asked.steps,
        tell=print if asked.trace or asked.shrink else None,
    )
    _report([result], 0)
    print(f"trace        {result.trace}")
    return int(bool(result.violation))


def _results(asked: argparse.Namespace) -> Iterator[Result]:
    first, _, last = asked.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    if asked.jobs == 1:
        return (run_seed(seed, steps=asked.steps) for seed in seeds)
    starts = range(seeds.start, seeds.stop, _SEEDS_OF_A_TASK)
    tasks = [range(s, min(s + _SEEDS_OF_A_TASK, seeds.stop)) for s in starts]
    return _in_processes(tasks, asked.steps, asked.jobs)


def _in_processes(tasks: list[range], steps: int, jobs: int) -> Iterator[Result]:
    with ProcessPoolExecutor(jobs) as pool:
        done = pool.map(_run_some, tasks, [steps] * len(tasks))
        yield from chain.from_iterable(done)


def _run_some(seeds: Iterable[int], steps: int) -> list[Result]:
    return [run_seed(seed, steps=steps) for seed in seeds]


def _report(results: list[Result], took_s: float) -> None:
    happenings, faults = Counter[str](), Counter[str]()
    for result in results:
        happenings += result.happenings
        faults += result.faults
    found = [result for result in results if result.violation]
    print(f"seeds        {len(results)}")
    print(f"steps        {sum(result.steps for result in results)}")
    print(f"happenings   {_counted(happenings)}")
    print(f"faults       {faults.total()}: {_counted(faults)}")
    print(f"violations   {len(found)} {[result.seed for result in found] or ''}")
    if took_s:
        print(f"seeds/s      {len(results) / took_s:.2f}")


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


if __name__ == "__main__":
    sys.exit(main())
