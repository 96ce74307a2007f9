import pytest

from forms.errors import DefinitionRefused
from forms.filling import prepare
from forms.xform import read_form
from tests.forms.xforms import bind, inputs, plan, xform

REPEAT = '<repeat nodeset="/data/r"><input ref="/data/r/a"/></repeat>'


def faults(data: str, model: str = "", body: str = "", head: str = "") -> str:
    with pytest.raises(DefinitionRefused) as found:
        prepare(read_form(xform(data, model, body, head=head)))
    return str(found.value)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (bind("a", calculate="/data/a + 1"), "itself"),
        (bind("a", calculate=". + 1"), "itself, by a dot"),
        (bind("a", relevant="/data/a = 1"), "relevance of itself"),
        (bind("a", readonly="/data/a = 1"), "a lock that locks itself"),
        (bind("a", required="/data/a = ''"), "required while blank"),
        (bind("a", calculate="/data/b") + bind("b", calculate="/data/a"), "two"),
        (bind("a", calculate="/data/b") + bind("b", relevant="/data/a = 1"), "mixed"),
        (bind("g", relevant="/data/g/x = 1"), "a group by what stands in it"),
        (bind("g/x", calculate="../y[position() = 1]/../x"), "the same, by a detour"),
        (bind("g/x", calculate="../y") + bind("g/y", calculate="../x"), "relative"),
    ],
)
def test_expressions_that_run_in_a_circle_are_refused(model: str, why: str) -> None:
    assert "绕成了圈" in faults("<a/><b/><g><x/><y/></g>", model), why


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (bind("a", constraint=". > /data/a - 1"), "a constraint may look at itself"),
        (bind("r/a", calculate="position(..)"), "a position is no value"),
        (bind("n", calculate="count(/data/r)") + bind("r/a", calculate="/data/n"), ""),
        (bind("n", calculate="/data/r[1]/b") + bind("r/a", calculate="/data/n"), ""),
        (
            bind("r/a", calculate="../../r[position() = position(current()/..) - 1]/a"),
            "the instance before is another one",
        ),
    ],
)
def test_what_only_looks_like_a_circle_is_none(model: str, why: str) -> None:
    data = "<a/><n/><r><a/><b/></r>"

    assert plan(data, model, REPEAT), why


@pytest.mark.parametrize(
    ("model", "body", "reason"),
    [
        (bind("a", calculate="1 +"), "", "/data/a"),
        (bind("a", calculate="no-such-function(1)"), "", "no-such-function"),
        (bind("a", calculate="count(1, 2)"), "", "/data/a"),
        (bind("a", calculate="/data/nowhere"), "", "/data/nowhere 在表单里找不到"),
        (bind("a", relevant="../nowhere = 1"), "", "../nowhere 在表单里找不到"),
        (bind("a", calculate="instance('l')/root/item"), "", "没有名为 'l' 的列表"),
        (bind("nowhere"), "", "表单里没有这项数据"),
        (
            "<setvalue event='odk-instance-load' ref='/data/x'/>",
            "",
            "要设值的数据不存在",
        ),
        ("<instance id='l' src='jr://file/l.csv'/>", "", "没有带上这份列表"),
        ("", "<repeat nodeset='/data/x'/>", "分组对应的数据不存在"),
        ("", "<input ref='/data'/>", "不能直接填写"),
        ("", "<input ref='/data/a'><label ref=\"jr:itext('x')\"/></input>", "没有编号"),
        (
            "",
            "<input ref='/data/a'><label><output value='/data/x'/></label></input>",
            "/data/x 在表单里找不到",
        ),
        (
            bind("a", calculate="jr:choice-name('1', '/data/b')"),
            inputs("b"),
            "不是可选的问题",
        ),
        (
            "",
            "<select1 ref='/data/a'><itemset nodeset=\"instance('l')/root/item\">"
            "<value ref='name'/></itemset></select1>",
            "没有名为 'l' 的列表",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_its_place(
    model: str, body: str, reason: str
) -> None:
    assert reason in faults("<a/><b/>", model, body)


def test_data_that_stands_twice_and_is_no_repeat_is_refused() -> None:
    assert "不止一次" in faults("<a/><a/>")


def test_each_instance_of_a_repeat_may_hold_data_of_the_same_name() -> None:
    assert plan("<r><a/></r><r><a/></r>", "", REPEAT)


def test_a_text_must_be_there_in_the_default_language() -> None:
    head = (
        '<itext><translation lang="en"><text id="x"><value>X</value></text>'
        '</translation><translation lang="zh" default=""/></itext>'
    )
    body = "<input ref='/data/a'><label ref=\"jr:itext('x')\"/></input>"

    assert "没有编号" in faults("<a/>", "", body, head)


def test_all_faults_are_found_at_once() -> None:
    said = faults("<a/><b/>", bind("a", calculate="(") + bind("b", calculate=")"))

    assert "/data/a" in said and "/data/b" in said


def test_a_sheet_of_ten_thousand_rows_is_no_form() -> None:
    data = "".join(f"<q{number}/>" for number in range(10_000))

    assert "超过 5000 个" in faults(data)
