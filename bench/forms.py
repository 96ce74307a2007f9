"""How long a form takes, and how that grows: `python -m bench.forms`.

Each time is the best of several in this process, in milliseconds. A third of the
questions has a constraint, a third a relevance, a third is calculated; the household
is a repeat with two calculations in each instance and a sum above it.
"""

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from forms.author.compile import compile_form
from forms.filling import Filling, prepare
from forms.xform import read_form

SIZES = ((60, 1), (60, 50), (600, 1), (600, 50))
"""Questions, and instances of the repeat."""

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

_FRAME = """<h:html xmlns="http://www.w3.org/2002/xforms"
xmlns:h="http://www.w3.org/1999/xhtml" xmlns:jr="http://openrosa.org/javarosa"><h:head>
<model><instance><data id="bench">{data}<sum/><m jr:template=""><name/><income/><year/>
<at/></m><m><name/><income/><year/><at/></m></data></instance>{binds}
<bind nodeset="/data/sum" type="decimal" calculate="sum(/data/m/year)"/>
<bind nodeset="/data/m/income" type="decimal"/>
<bind nodeset="/data/m/year" type="decimal" calculate="coalesce(../income, 0) * 12"/>
<bind nodeset="/data/m/at" type="int" calculate="position(..)"/></model></h:head>
<h:body>{body}<repeat nodeset="/data/m"><input ref="/data/m/name"/>
<input ref="/data/m/income"/></repeat></h:body></h:html>"""

_BINDS = """<bind nodeset="/data/a{n}" type="int" required="true()"
constraint=". &gt;= 0 and . &lt; 1000"/>
<bind nodeset="/data/b{n}" relevant="/data/a{n} &gt; 18"/>
<bind nodeset="/data/c{n}" type="int" calculate="/data/a{n} * 2 + 1"/>"""

_BODY = """<input ref="/data/a{n}"><label><output value="/data/c{n}"/></label></input>
<input ref="/data/b{n}"><label>问题</label></input>"""


def main() -> None:
    """Measure and print, as the table that stands in the README beside this."""
    rows = {size: measure(*size) for size in SIZES}
    sizes = " | ".join(f"{q} questions, {n} instances" for q, n in SIZES)
    print(f"| ms | {sizes} | 600:60 |")
    print("|---|" + "--:|" * (len(SIZES) + 1))
    small, _, large, _ = (rows[size] for size in SIZES)
    for name in small:
        times = " | ".join(f"{rows[size][name]:.2f}" for size in SIZES)
        print(f"| {name} | {times} | {large[name] / small[name]:.1f} |")


def measure(questions: int, instances: int) -> dict[str, float]:
    """Return for each thing that is done how many milliseconds it takes."""
    xml = form(questions)
    definition = read_form(xml)
    plan = prepare(definition)
    one = Filling(plan, NOW)
    for _ in range(instances - 1):
        one.create_repeat("/data/m")
    numbers = iter(range(20, 1_000))
    saved = one.serialise()
    return {
        "compile a workbook": compiled(questions),
        "read": best(lambda: read_form(xml)),
        "prepare": best(lambda: prepare(definition)),
        "open a new one": best(lambda: Filling(plan, NOW)),
        "open one begun": best(lambda: Filling.restore(plan, saved, NOW)),
        "answer one": best(lambda: one.answer("/data/a5", next(numbers))),
        "answer in the last instance": best(
            lambda: one.answer(f"/data/m[{instances}]/income", next(numbers))
        ),
        "check all": best(lambda: list(one.problems())),
        "rows": best(lambda: list(one.rows())),
        "save": best(one.serialise),
    }


def compiled(questions: int) -> float:
    """Return how long it takes to make a form of a text XLSForm, in the child that
    every compilation has; half a second of it is the child's beginning.
    """
    rows = ["| survey |", "| | type | name | label | relevant | calculation |"]
    for n in range(questions // 3):
        rows += [
            f"| | integer | a{n} | 数 | | |",
            f"| | text | b{n} | 字 | ${{a{n}}} > 18 | |",
            f"| | calculate | c{n} | | | ${{a{n}}} * 2 + 1 |",
        ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.md"
        path.write_text("\n".join(rows), encoding="utf-8")
        return best(lambda: compile_form(path), 3)


def form(questions: int) -> str:
    """Return an XForm with so many questions beside the repeat."""
    numbers = range(questions // 3)
    return _FRAME.format(
        data="".join(f"<a{n}/><b{n}/><c{n}/>" for n in numbers),
        binds="".join(_BINDS.format(n=n) for n in numbers),
        body="".join(_BODY.format(n=n) for n in numbers),
    )


def best(work: Callable[[], object], times: int = 7) -> float:
    """Return the shortest of several times, in milliseconds."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return min(taken) * 1_000


if __name__ == "__main__":
    main()
