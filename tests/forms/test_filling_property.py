"""Whatever is done to a filling, it stands as if it had been worked out at once."""

from hypothesis import given, settings
from hypothesis import strategies as st

from forms.errors import NoSuchNode
from forms.filling import Filling
from forms.filling.plan import Plan
from forms.xform import from_csv
from tests.forms.xforms import NOW, bind, inputs, plan

VILLAGES = from_csv(
    "v.csv", b"code,town,rank\nv1,a,1\nv2,a,2\nv3,b,1\nv4,b,2\nv5,c,3\n"
)


def _select(kind: str, ref: str, condition: str) -> str:
    return (
        f'<{kind} ref="/data/{ref}"><itemset nodeset="instance(\'v\')/root/item'
        f'[{condition}]"><value ref="code"/><label ref="code"/></itemset></{kind}>'
    )


FORM: Plan = plan(
    "<town>a</town><limit/><village/><several/><all/><n/><poor/><note/><lock/><names/>"
    '<m jr:template=""><name/><income/><kind/><old/><share/><next/>'
    '<p jr:template=""><sum/><place/></p></m>'
    "<m><name>first</name><income>5</income><kind/><old/><share/><next/></m>"
    "<c><x/><y/></c>",
    bind("limit", type="int")
    + bind("n", type="int", calculate="count(/data/m)")
    + bind("poor", type="decimal", calculate="sum(/data/m/share) + count(/data/m/p)")
    + bind("note", relevant="/data/poor > 10", required="true()")
    + bind("lock", relevant="/data/village != ''", constraint=". != /data/town")
    + bind("names", calculate="join(',', /data/m/name)")
    + bind("m", relevant="/data/town != 'c'")
    + bind("m/income", type="int", relevant="../name != ''", constraint=". >= 0")
    + bind("m/share", type="decimal", calculate="coalesce(../income, 0) div /data/n")
    + bind("m/old", type="int", calculate="position(..) * 2")
    + bind("m/next", calculate="/data/m[position() = position(current()/..) + 1]/name")
    + bind("m/p/sum", type="int", calculate="../../old + position(..)")
    + bind("m/p/place", required="../sum > 3")
    + bind("c/y", calculate="concat(../x, position(..))")
    + '<instance id="v" src="jr://file-csv/v.csv"/>',
    inputs("town", "limit", "note", "lock")
    + _select("select1", "village", "town = /data/town")
    + _select("select", "several", "rank &lt;= /data/limit or /data/limit = ''")
    + _select("odk:rank", "all", "selected(/data/several, code)")
    + '<repeat nodeset="/data/m">'
    + inputs("m/name", "m/income")
    + _select("select1", "m/kind", "town = /data/town and rank = position(../..)")
    + '<repeat nodeset="/data/m/p">'
    + inputs("m/p/place")
    + "</repeat></repeat>"
    + '<repeat nodeset="/data/c" jr:count="/data/limit">'
    + inputs("c/x")
    + "</repeat>",
    v=VILLAGES,
)

PLACES = ["town", "limit", "village", "several", "all", "note", "lock"]
PLACES += [f"m[{n}]/{name}" for n in (1, 2, 3) for name in ("name", "income", "kind")]
PLACES += [f"m[{n}]/p[{k}]/place" for n in (1, 2) for k in (1, 2)]
PLACES += ["c[1]/x", "c[2]/x"]
VALUES = ["", "a", "b", "c", "1", "2", "3", "-7", "40", "v1", "v2", "v3 v1 v2", "v5 v4"]
SERIES = ["m", "m[1]/p", "m[2]/p"]

STEPS = st.one_of(
    st.tuples(st.just("answer"), st.sampled_from(PLACES), st.sampled_from(VALUES)),
    st.tuples(st.just("create"), st.sampled_from(SERIES), st.just("")),
    st.tuples(
        st.just("remove"), st.sampled_from(["m[1]", "m[2]", "m[1]/p[1]"]), st.just("")
    ),
)


def take(filling: Filling, step: tuple[str, str, str]) -> None:
    what, ref, value = step
    path = f"/data/{ref}"
    try:
        if what == "answer":
            filling.answer(path, value)
        elif what == "create":
            filling.create_repeat(path)
        else:
            filling.remove_repeat(path)
    except NoSuchNode:
        pass


def state(filling: Filling) -> object:
    """Return all that a user could see."""
    rows = [
        (
            row.kind,
            row.ref,
            filling.value(row.ref),
            filling.choices(row.ref),
            filling.is_required(row.ref),
        )
        for row in filling.rows()
        if row.kind != "repeat"
    ]
    hidden = [filling.value(f"/data/{name}") for name in ("n", "poor", "names", "note")]
    return rows, hidden, list(filling.problems()), filling.submission()


@given(st.lists(STEPS, max_size=14))
@settings(max_examples=120, deadline=None)
def test_any_sequence_leaves_what_working_out_anew_would_give(
    steps: list[tuple[str, str, str]],
) -> None:
    filling = Filling(FORM, NOW, seed="x")

    for step in steps:
        take(filling, step)
    anew = Filling.restore(FORM, filling.serialise(), NOW, seed="x")

    assert state(anew) == state(filling)
    assert anew.serialise() == filling.serialise()
    assert anew.dropped == []
    assert not filling.failures


@given(st.lists(STEPS, max_size=8), STEPS)
@settings(max_examples=60, deadline=None)
def test_a_filling_that_was_saved_goes_on_as_the_one_that_was_not(
    steps: list[tuple[str, str, str]], last: tuple[str, str, str]
) -> None:
    filling = Filling(FORM, NOW, seed="x")
    for step in steps:
        take(filling, step)
    saved = Filling.restore(FORM, filling.serialise(), NOW, seed="x")

    take(filling, last)
    take(saved, last)

    assert state(saved) == state(filling)


@given(st.sampled_from(PLACES), st.text(max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_text_may_be_answered_and_saved(ref: str, text: str) -> None:
    filling = Filling(FORM, NOW, seed="x")

    take(filling, ("answer", ref, text))
    anew = Filling.restore(FORM, filling.serialise(), NOW, seed="x")

    assert anew.submission() == filling.submission()
