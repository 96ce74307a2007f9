"""`python -m bench [--quick] [--repeats N] [--only W1,growth]`: DESIGN.md section 10.

The table goes to stdout, progress to stderr, all figures to bench/out/results.json.
A whole run is also kept as bench/results.json and drawn as bench/*.svg. A budget that
is not kept is a row that says so.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import plot, store
from bench.budgets import budget_of, is_kept
from bench.growth import HELD, growth
from bench.measure import Row
from bench.screens import memory, screens
from bench.starts import Starts
from bench.workloads import FULL, QUICK, WORKS, Bench

HERE = Path(__file__).parent
OUT = HERE / "out"
_LINE = "{:<34} {:>7} {:<22} {:>11} {:>11} {:>7}  {:<13} {}"


def main() -> int:
    """Measure, print, keep and draw."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small, to see it run")
    parser.add_argument("--repeats", type=int, default=0)
    parser.add_argument("--only", default="", help=f"some of {', '.join(_parts(True))}")
    wanted = parser.parse_args()
    parts = _parts(wanted.quick)
    chosen = wanted.only.split(",") if wanted.only else list(parts)
    rows: list[Row] = []
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="running-", dir=OUT) as folder:
        bench = Bench(
            starts=Starts(OUT, _say),
            folder=Path(folder),
            sizes=QUICK if wanted.quick else FULL,
            repeats=wanted.repeats or (1 if wanted.quick else 5),
            say=_say,
        )
        for name in chosen:
            rows += parts[name](bench)
    results = json.dumps(_results(rows), indent=1, ensure_ascii=False) + "\n"
    (OUT / "results.json").write_text(results)
    plot.draw(rows, OUT)
    if not wanted.quick and chosen == list(parts):
        (HERE / "results.json").write_text(results)
        plot.draw(rows, HERE)
    print(_LINE.format(*_HEAD))
    for row in rows:
        print(_line(row))
    return 0


_HEAD = ("work", "cases", "measure", "baseline", "ours", "ratio", "budget", "kept?")


def _parts(is_quick: bool) -> dict[str, Callable[[Bench], Iterator[Row]]]:
    """Return all parts of the table, in its order."""
    held = (100, 200) if is_quick else HELD
    return WORKS | {
        "screens": lambda bench: screens(bench, held[-1]),
        "memory": lambda bench: memory(bench, bench.sizes.many),
        "intake": store.intake,
        "disk": store.disk,
        "growth": lambda bench: growth(bench, held),
    }


def _results(rows: list[Row]) -> dict[str, Any]:
    """Return the results as they are kept, with what they were measured on."""
    return {
        "machine": {
            "cpus": os.cpu_count(),
            "processor": platform.machine(),
            "python": platform.python_version(),
            "load": os.getloadavg()[2],
        },
        "rows": [
            asdict(row)
            | {"budget": str(budget_of(row) or "") or None, "kept": is_kept(row)}
            for row in rows
        ],
    }


def _line(row: Row) -> str:
    verdict = is_kept(row)
    return _LINE.format(
        row.work,
        row.cases,
        row.measure,
        _number(row.baseline),
        _number(row.ours),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        str(budget_of(row) or ""),
        "" if verdict is None else ("yes" if verdict else "NO"),
    ).rstrip()


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
