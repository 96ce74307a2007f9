"""`python -m bench [--quick] [--repeats N]`: the table of DESIGN.md section 10.

The table goes to stdout, progress to stderr, all numbers to bench/out/results.json.
Only ratios are compared with budgets: the machine is shared.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from bench import workloads
from bench.measure import Row

OUT = Path(__file__).parent / "out" / "results.json"

# (work, measure): (what is compared, at most or at least, how much).
BUDGETS: dict[tuple[str, str], tuple[str, str, float]] = {
    ("W1 new", "bytes"): ("ratio", "<=", 1.3),
    ("W1 new", "cpu_s"): ("ratio", "<=", 7),
    ("W1 new", "wall_s"): ("ratio", "<=", 4),
    ("W2 nothing", "bytes"): ("ours", "<=", 1023),
    ("W2 nothing", "requests"): ("ours", "<=", 1),
    ("W3 edited", "bytes"): ("ratio", "<=", 2.5),
    ("W3 edited", "requests"): ("ours", "<=", 1),
    ("intake", "entries/s"): ("ours", ">=", 1500),
    ("disk", "bytes/case"): ("ours", "<=", 8 * 1024),
}
_LINE = "{:<11} {:>6} {:<10} {:>12} {:>12} {:>7}  {:<14} {}"


def main() -> int:
    """Measure and print. A budget that is not kept is a row that says so."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small, to see it run")
    parser.add_argument("--repeats", type=int, default=0)
    parser.add_argument("--only", default="", help="W1, W2 or W3")
    wanted = parser.parse_args()
    few, many, edited = (100, 200, 20) if wanted.quick else (1000, 10_000, 100)
    repeats = wanted.repeats or (1 if wanted.quick else 5)
    with tempfile.TemporaryDirectory(prefix="lianban-bench-") as name:
        folder = Path(name)
        works, rows = workloads.prepare(folder, few, many, edited, _say)
        for work in works:
            if work.name.startswith(wanted.only):
                rows += workloads.measure(work, repeats, folder, _say)
    rows.sort(key=lambda row: (not row.work.startswith("W"), row.work))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    head = ("work", "cases", "measure", "baseline", "ours", "ratio")
    print(_LINE.format(*head, "budget", "within?"))
    for row in rows:
        print(_line(row))
    return 0


def is_within(row: Row) -> bool | None:
    """Say whether a row keeps its budget; None where it has none."""
    if (row.work, row.measure) not in BUDGETS:
        return None
    compared, sense, limit = BUDGETS[row.work, row.measure]
    value = row.ratio if compared == "ratio" else row.ours
    assert value is not None
    return value <= limit if sense == "<=" else value >= limit


def _line(row: Row) -> str:
    compared, sense, limit = BUDGETS.get((row.work, row.measure), ("", "", 0))
    verdict = is_within(row)
    return _LINE.format(
        row.work,
        row.cases,
        row.measure,
        _number(row.baseline),
        _number(row.ours),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        f"{compared} {sense} {limit:g}" if compared else "",
        "" if verdict is None else ("yes" if verdict else "NO"),
    ).rstrip()


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 50 or value == int(value) else f"{value:.4f}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
