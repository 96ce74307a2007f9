"""How long a form takes, and how that grows: `python -m bench.forms`.

Each time is the best of several in this process, in milliseconds. A third of the
questions has a constraint, a third a relevance, a third is calculated; the household
is a repeat with two calculations in each instance and a sum above it.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from forms.filling import Filling, prepare
from forms.xform import encode, read_form

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
    """Measure and print."""
    for questions, instances in SIZES:
        times = measure(questions, instances)
        shown = "  ".join(f"{name} {value:.2f}" for name, value in times.items())
        print(f"{questions} questions, {instances} instances: {shown}")


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
        "read": best(lambda: read_form(xml)),
        "prepare": best(lambda: prepare(definition)),
        "open": best(lambda: Filling(plan, NOW)),
        "answer": best(lambda: one.answer("/data/a5", next(numbers))),
        "answer in the last instance": best(
            lambda: one.answer(f"/data/m[{instances}]/income", next(numbers))
        ),
        "check all": best(lambda: list(one.problems())),
        "rows": best(lambda: list(one.rows())),
        "serialise": best(one.serialise),
        "restore": best(lambda: Filling.restore(plan, saved, NOW)),
        "bytes": float(len(encode(definition))),
    }


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
