import math
import random
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from forms.xpath import (
    ExpressionFailed,
    ExpressionRefused,
    Move,
    Origin,
    Reference,
    Setting,
    Value,
    compile_expression,
    to_boolean,
    to_number,
    to_string,
)

CHINA = timezone(timedelta(hours=8))
NOON = datetime(2026, 11, 22, 12, 0, 0, 5_000, tzinfo=CHINA)

# All instances of a form hang in one tree, each below a wrapper of its own.
MODEL = etree.fromstring("""
<model xmlns:x="urn:x">
  <instance>
    <data id="form">
      <name>张三</name><age>20</age><born>2006-05-01</born><none/>
      <picks>a c d</picks><zhen>z2</zhen><x:note kind="long">hi</x:note>
      <member><who>A</who><years>3</years></member>
      <member><who>B</who><years>30</years></member>
      <member><who>C</who><years/></member>
      <text>one<!-- two -->three</text>
    </data>
  </instance>
  <instance id="cun">
    <root>
      <item><zhen>z1</zhen><label>甲村</label></item>
      <item><zhen>z2</zhen><label>乙村</label></item>
      <item><zhen>z2</zhen><label>丙村</label></item>
    </root>
  </instance>
</model>
""")
DATA = MODEL[0][0]
SETTING = Setting(now=NOON, root=DATA, instances={"cun": MODEL[1]})
NAMESPACES = {"y": "urn:x", "jr": "http://openrosa.org/javarosa"}


def value(text: str, at: str = ".", setting: Setting = SETTING) -> Value:
    node = DATA.xpath(at)[0]
    return compile_expression(text, NAMESPACES).evaluate(node, setting)


def string(text: str, at: str = ".", setting: Setting = SETTING) -> str:
    return to_string(value(text, at, setting))


def texts(text: str, at: str = ".") -> list[str]:
    node = DATA.xpath(at)[0]
    nodes = compile_expression(text, NAMESPACES).evaluate_nodes(node, SETTING)
    return [to_string([node]) for node in nodes]


# Values


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (1.0, "1"),
        (-0.0, "0"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e21, "1000000000000000000000"),  # no exponent, says XPath 1.0
        (1.5e-7, "0.00000015"),
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
    ],
)
def test_a_number_is_written_in_full(number: float, written: str) -> None:
    assert to_string(number) == written


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (" 12 ", 12),
        ("-.5", -0.5),
        ("1.", 1),
        ("1970-01-02", 1),
        ("1970-01-01T12:00:00Z", 0.5),
        ("1970-01-01T02:00:00.000+02:00", 0),
    ],
)
def test_a_text_counts_as_its_number_or_its_days(text: str, number: float) -> None:
    assert to_number(text) == number


@pytest.mark.parametrize("text", ["", "+1", "1,000", "０", "2026-02-30", "12:00", "٣"])
def test_what_is_no_number_is_nan(text: str) -> None:
    assert math.isnan(to_number(text))


def test_a_day_begins_at_local_midnight() -> None:
    assert to_number("1970-01-02", CHINA) == pytest.approx(1 - 8 / 24)


def test_truth_follows_xpath() -> None:
    untrue: list[Value] = ["", 0.0, math.nan, [], False]

    assert not any(to_boolean(value) for value in untrue)
    assert to_boolean("false")
    assert to_boolean([DATA])


# Paths


@pytest.mark.parametrize(
    ("text", "at", "found"),
    [
        ("/data/name", "age", ["张三"]),
        ("../name", "age", ["张三"]),
        ("//who", ".", ["A", "B", "C"]),
        (".", "age", ["20"]),
        ("current()/../age", "name", ["20"]),
        ("/data/member[years > 18]/who", ".", ["B"]),
        ("/data/member[2]/who", ".", ["B"]),
        ("/data/member[last()]/who", ".", ["C"]),
        ("/data/member[position() = 1 or who = 'C']/who", ".", ["A", "C"]),
        ("/data/y:note", ".", ["hi"]),
        ("/data/y:note/@kind", ".", ["long"]),
        ("instance('cun')/root/item[zhen = /data/zhen]/label", ".", ["乙村", "丙村"]),
        ("instance('cun')/root/item[zhen = current()/../zhen]/label", "age", None),
        ("instance(concat('c', 'un'))/root/item[1]/label", ".", ["甲村"]),
        ("(/data/member | /data/name)[1]", ".", ["张三"]),
        ("if(true(), /data/age, /data/name)", ".", ["20"]),
    ],
)
def test_a_path_leads_to_nodes(text: str, at: str, found: list[str] | None) -> None:
    assert texts(text, at) == (found or ["乙村", "丙村"])


def test_the_root_of_a_form_is_as_if_it_were_a_document() -> None:
    assert value("/", "age") == [MODEL[0]]
    assert value("count(//item)") == 0


def test_without_a_root_paths_begin_at_the_document() -> None:
    expression = compile_expression("/model/instance[2]/root/item[1]/zhen")

    assert expression.evaluate_string(DATA, Setting()) == "z1"


def test_names_without_prefix_may_have_a_namespace() -> None:
    form = etree.fromstring('<data xmlns="urn:f"><age a="1">7</age></data>')
    expression = compile_expression("/data/age[@a = 1]", {"": "urn:f"})

    assert expression.evaluate_number(form, Setting()) == 7


def test_attributes_texts_and_the_document_are_nodes_too() -> None:
    (kind,) = compile_expression("/data/y:note/@kind", NAMESPACES).evaluate_nodes(
        DATA, SETTING
    )
    parts = compile_expression("/data/text/node()").evaluate_nodes(DATA, SETTING)

    parent = compile_expression("string(..)")
    assert parent.evaluate(kind, SETTING) == "hi"
    assert [parent.evaluate(part, SETTING) for part in parts] == ["onethree"] * 3
    document = compile_expression("/").evaluate_nodes(DATA, Setting())
    assert compile_expression("name(model)").evaluate(document[0], Setting()) == "model"


def test_current_may_be_another_node_than_the_context() -> None:
    setting = Setting(root=DATA, current=DATA[1])

    assert string("concat(., current())", "name", setting) == "张三20"


def test_a_hook_may_evaluate_the_same_expression_again() -> None:
    expression = compile_expression("concat(pulldata('t', 'c', 'k', .), .)")

    def pull(*_names: str) -> str:
        return expression.evaluate_string(DATA[1], Setting(pull=lambda *_: "inner"))

    assert expression.evaluate(DATA[0], Setting(pull=pull)) == "inner20张三"


def test_nodes_of_another_tree_are_a_mistake_of_ours() -> None:
    other = etree.fromstring("<instance><root/></instance>")
    setting = Setting(instances={"far": other}, itext=lambda *_: [other])

    for text in ("instance('far')/root", "instance(string('far'))", "jr:itext('a')"):
        with pytest.raises(AssertionError, match="another tree"):
            compile_expression(text).evaluate(DATA, setting)


def test_threads_share_an_expression() -> None:
    expression = compile_expression("concat(jr:itext('t'), today())")
    found: list[str] = []

    def work(number: int) -> None:
        now = datetime(2000 + number, 1, 1, tzinfo=UTC)
        setting = Setting(now=now, itext=lambda *_: f"{number}:")
        results = {expression.evaluate_string(DATA, setting) for _ in range(200)}
        found.extend(results)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == [f"{n}:200{n}-01-01" for n in range(4)]


# Operators


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 - 4 div 2", 5.0),
        ("1mod2 + 5mod3", 3.0),
        ("- - 3", 3.0),
        ("-(-3)", 3.0),
        ("2 > 1 = true()", True),
        ("/data/none >= 0", False),  # no answer is NaN
        ("/data/none = ''", True),
        ("/data/age + 1", 21.0),
        ("/data/missing + 1 = /data/missing", False),
        ("/data/member/years > 20", True),  # some of them
        ("/data/member/years = 3 and /data/member/years != 3", True),
        ("true() = /data/none", True),  # there is a node
        ("true() = /data/missing", False),
        ("coalesce(/data/none, 5) > 4", True),
        ("'a' < 'b'", False),
        ("'10' > '9'", True),
    ],
)
def test_operators_follow_xpath(text: str, expected: Value) -> None:
    assert value(text) == expected or (text == "- - 3" and value(text) == 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/data/born < today()", True),
        ("today() = '2026-11-22'", True),
        ("today() != date('2026-11-22')", False),
        ("/data/born = '2006-05-01'", True),
        ("'2026-01-31' + 1 = '2026-02-01'", True),
        ("date('2026-03-01') - date('2026-02-01')", 28.0),
        ("today() - /data/born", 7510.0),
        ("date(today() + 1)", "2026-11-23"),
        ("int((today() - date(/data/born)) div 365.25)", 20.0),
        ("/data/born > 13000", True),
        ("13000 < /data/born", True),
        ("now() > today()", True),
        ("'2026-11-22' = '2026-11-22T00:00:00+08:00'", False),  # two texts
        ("date('2026-11-22') = '2026-11-22T00:00:00+08:00'", True),
        ("date('2026-02-30')", "Invalid Date"),
        ("boolean(date('2026-02-30'))", False),
        ("date('')", ""),
        ("if(/data/none = '', '', today()) < today()", False),
    ],
)
def test_dates_count_as_days(text: str, expected: Value) -> None:
    assert value(text) == expected


def test_the_truth_of_an_invalid_date_is_false() -> None:
    expression = compile_expression("date('soon')")

    assert not expression.evaluate_boolean(DATA, SETTING)
    assert math.isnan(expression.evaluate_number(DATA, SETTING))


# Functions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if(/data/age > 18, 'old', 'young')", "old"),
        ("if(/data/age > 90, 'old', if(/data/age > 18, 'grown', 'young'))", "grown"),
        ("coalesce(/data/none, /data/name)", "张三"),
        ("coalesce('', '')", ""),
        ("concat(/data/member/who, 1.50, true())", "ABC1.5true"),
        ("join('、', /data/member/who)", "A、B、C"),
        ("join('-', 'a', /data/age)", "a-20"),
        ("substr('身份证号', 1, 3)", "份证"),
        ("substr('abc', -2)", "bc"),
        ("substring('abcde', 2, 3)", "bcd"),
        ("string(1 div 3)", "0.3333333333333333"),
        ("string-length(/data/name)", 2.0),
        ("normalize-space('  a   b ')", "a b"),
        ("translate('abc', 'ab', 'x')", "xc"),
        ("ends-with(/data/name, '三')", True),
        ("boolean-from-string('true')", True),
        ("boolean-from-string('yes')", False),
        ("selected(/data/picks, 'c')", True),
        ("selected(/data/picks, 'b')", False),
        ("selected-at(/data/picks, 1)", "c"),
        ("selected-at(/data/picks, 7)", ""),
        ("count-selected(/data/picks)", 3.0),
        ("count-selected(/data/none)", 0.0),
        ("count(/data/member)", 3.0),
        ("count-non-empty(/data/member/years)", 2.0),
        ("sum(/data/member/years[. != ''])", 33.0),
        ("max(/data/member[years != '']/years)", 30.0),
        ("min(3, 2, '1')", 1.0),
        ("indexed-repeat(/data/member/who, /data/member, 2)", "B"),
        ("indexed-repeat(/data/member/who, /data/member, 9)", ""),
        ("int(-1.7)", -1.0),
        ("round(2.5)", 3.0),
        ("round(-2.5)", -3.0),
        ("round(1.005, 2)", 1.01),
        ("round(1234, -2)", 1200.0),
        ("pow(2, 10)", 1024.0),
        ("sqrt(2) * sqrt(2) > 1.999", True),
        ("log10(1000)", 3.0),
        ("atan2(0, -1) = pi()", True),
        ("exp(0) + abs(-2)", 3.0),
        ("checklist(2, -1, 1 = 1, 0, 'x')", True),
        ("checklist(-1, 1, 1 = 1, 2 = 2)", False),
        ("weighted-checklist(5, 5, true(), 5, false(), 9)", True),
        ("digest('abc', 'MD5', 'hex')", "900150983cd24fb0d6963f7d28e17f72"),
        ("base64-decode('5byg')", "张"),
        ("regex('13812345678', '^1[3-9][0-9]{9}$')", True),
        ("decimal-date-time('1970-01-01T08:00:00')", 0.0),
        ("decimal-time('12:00:00.000+08:00')", 0.5),
        ("format-date(/data/born, '%Y年%n月%e日')", "2006年5月1日"),
        ("format-date-time(now(), '%H:%M:%S.%3')", "12:00:00.005"),
        ("format-date(today(), '%a %b')", "Sun Nov"),
        ("format-date('never', '%Y')", ""),
        ("now()", "2026-11-22T12:00:00.005+08:00"),
        ("distance('0 0;0 1')", 111318.84),
        ("area('0 0;0 1;1 1;1 0')", 12391256135.81),
        ("geofence('0.5 0.5', '0 0;0 1;1 1;1 0;0 0')", True),
        ("geofence('2 2', '0 0;0 1;1 1;1 0;0 0')", False),
    ],
)
def test_a_function_gives(text: str, expected: Value) -> None:
    found = value(text)

    assert (found if isinstance(expected, float) else to_string(found)) == (
        pytest.approx(expected) if isinstance(expected, float) else to_string(expected)
    )


@pytest.mark.parametrize(
    "text",
    ["sqrt(-1)", "log(-1)", "max(/data/missing)", "pow(-1, 0.5)", "round('a')"],
)
def test_a_calculation_without_result_is_nan(text: str) -> None:
    found = value(text)

    assert isinstance(found, float) and math.isnan(found)


def test_months_are_said_in_the_language_of_the_screen() -> None:
    setting = Setting(now=NOON, language="中文(zh)")

    assert string("format-date(today(), '%b %a')", setting=setting) == "11月 周日"


def test_once_keeps_an_answer() -> None:
    assert string("once('new')", "age") == "20"
    assert string("once('new')", "none") == "new"


def test_position_tells_which_of_its_name_a_node_is() -> None:
    assert value("position(..)", "member[2]/who") == 2


def test_the_caller_answers_what_lies_outside() -> None:
    setting = Setting(
        root=DATA,
        language="zh",
        itext=lambda name, language: f"<{name} {language}>",
        pull=lambda *names: "/".join(names),
        choice_name=lambda value, path: f"{path}={value}",
    )

    assert string("jr:itext('q1')", setting=setting) == "<q1 zh>"
    assert string("pulldata('t', 'c', 'k', /data/age)", setting=setting) == "t/c/k/20"
    said = string("jr:choice-name(/data/zhen, '/data/zhen')", setting=setting)
    assert said == "/data/zhen=z2"


@pytest.mark.parametrize(
    "text", ["jr:itext('a')", "pulldata('a', 'b', 'c', 'd')", "instance('no')/root"]
)
def test_what_the_caller_does_not_have_is_said(text: str) -> None:
    with pytest.raises(ExpressionFailed, match="没有"):
        value(text)


def test_chance_comes_from_the_caller() -> None:
    def drawn(seed: int) -> Sequence[str]:
        setting = Setting(root=DATA, random=random.Random(seed))
        return [string("concat(random(), uuid(), uuid(8))", setting=setting)]

    assert drawn(1) == drawn(1) != drawn(2)


def test_a_seed_always_gives_the_same_order() -> None:
    once = texts("randomize(/data/member, 42)/who")
    order = texts("randomize(/data/member/who, 42)")

    assert once == ["A", "B", "C"]  # a path puts nodes in document order again
    assert order == texts("randomize(/data/member/who, '42')")
    assert sorted(order) == once


# What an expression depends on


def reference(origin: Origin, *steps: str, instance: str | None = None) -> Reference:
    moves = [
        Move(axis or "child", test)
        for axis, _, test in (s.rpartition("::") for s in steps)
    ]
    return Reference(origin, tuple(moves), instance)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (". > 18", [reference(Origin.CONTEXT)]),
        ("../a/@b", [reference(Origin.CONTEXT, "parent::node()", "a", "attribute::b")]),
        ("/data/a + /data/a", [reference(Origin.ROOT, "data", "a")]),
        (
            "instance('cun')/root/item[zhen = /data/z][x = current()/../y]/label",
            [
                reference(Origin.INSTANCE, "root", "item", instance="cun"),
                reference(Origin.INSTANCE, "root", "item", "zhen", instance="cun"),
                reference(Origin.ROOT, "data", "z"),
                reference(Origin.INSTANCE, "root", "item", "x", instance="cun"),
                reference(Origin.CURRENT, "parent::node()", "y"),
                reference(Origin.INSTANCE, "root", "item", "label", instance="cun"),
            ],
        ),
        (
            "(/a | b)/c",
            [
                reference(Origin.ROOT, "a"),
                reference(Origin.CONTEXT, "b"),
                reference(Origin.ROOT, "a", "c"),
                reference(Origin.CONTEXT, "b", "c"),
            ],
        ),
        ("once(1)", [reference(Origin.CURRENT)]),
        ("string()", [reference(Origin.CONTEXT)]),
        ("today()", []),
    ],
)
def test_an_expression_tells_its_paths(text: str, expected: list[Reference]) -> None:
    assert list(compile_expression(text).references) == expected


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("/data/a + 1", ""),
        ("/data/a < today()", "time"),
        ("concat(now(), uuid())", "time random"),
        ("a[random() > 0.5]", "random"),
        ("randomize(a)", "random"),
        ("randomize(a, 1)", ""),
        ("a[position() = 2]", ""),
        ("jr:itext('a')", "language"),
    ],
)
def test_an_expression_tells_what_else_it_uses(text: str, uses: str) -> None:
    expression = compile_expression(text)
    names = ("time", "random", "language")

    told = [name for name in names if getattr(expression, f"uses_{name}")]

    assert told == uses.split()


def test_the_same_text_is_compiled_once() -> None:
    assert compile_expression("1 + 1") is compile_expression("1 + 1")


# What is refused


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("", 0, "写到一半"),
        ("1 +", 3, "写到一半"),
        ("1 + + 2", 4, "'\\+'"),
        ("a b", 2, "前面缺少运算符"),
        ("'abc", 0, "引号"),
        ("(1", 2, r"应是 \)"),
        ("1)", 1, r"'\)'"),
        ("a[1", 3, "应是 ]"),
        ("$x", 0, "变量"),
        ("${age} > 1", 0, "变量"),
        ("/data/a ＝ 1", 8, "全角"),
        (". ．5", 2, "全角"),
        ("/data/a ÷ 2", 8, "除号写 div"),
        ("/data/a / /data/b", 10, "除号写 div"),
        ("selcted(., 'a')", 0, "是不是 selected"),
        ("SUM(/data/a)", 0, "是不是 sum"),  # as Excel writes it
        ("vlookup(1)", 0, "是不是 pulldata"),
        ("1 + nonsense()", 4, "没有函数"),
        ("a/fn()", 2, "不能写在"),
        ("round()", 0, "参数"),
        ("if(1, 2)", 0, "3 个参数"),
        ("count('a')", 0, "路径"),
        ("'a'/b", 0, "路径"),
        ("a | 1", 0, "路径"),
        ("zz:a", 0, "前缀"),
        ("upwards::a", 0, "轴"),
        ("namespace::a", 0, "轴"),
        ("1 And 1", 2, "运算符"),
        ("'\x00'", 1, "字符"),
        ("(" * 200 + "1" + ")" * 200, 80, "太深"),
        ("1 + " * 10_000 + "1", 20_000, "太长"),
        ("1+" * 9_000 + "1", 5_001, "太复杂"),
        ("regex(., '(a')", 0, "没有配对"),
        (r"regex(., '(a)\1')", 0, "反向引用"),
    ],
)
def test_a_wrong_expression_is_refused_with_its_place(
    text: str, position: int, reason: str
) -> None:
    with pytest.raises(ExpressionRefused, match=reason) as caught:
        compile_expression(text)

    assert (caught.value.text, caught.value.position) == (text, position)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 and nonsense(/data)", False),
        ("true() or round()", True),
        ("if(false(), nonsense(), 'a')", "a"),
    ],
)
def test_what_is_never_reached_is_not_judged(text: str, expected: Value) -> None:
    assert value(text) == expected


def test_an_untaken_branch_is_not_worked_out() -> None:
    assert string("if(/data/age > 18, 'a', pulldata('a', 'b', 'c', 'd'))") == "a"


@pytest.mark.parametrize(
    "text",
    [
        "count(//*[count(//*[count(//*) > 1]) > 1])",
        "count(//*/following::*/preceding::*)",
        "count(//*[count(//*[count(//*[//*]) > 1]) > 1])",
    ],
)
def test_work_that_grows_out_of_hand_is_not_begun(text: str) -> None:
    large = etree.fromstring(f"<m>{'<i><a/></i>' * 5_000}</m>")

    with pytest.raises(ExpressionFailed, match="太久"):
        compile_expression(text).evaluate(large, Setting())


def test_regular_expressions_share_the_work_of_one_evaluation() -> None:
    rows = etree.fromstring("<m>" + f"<a>{'a' * 2_000}</a>" * 50 + "</m>")
    expression = compile_expression("count(/m/a[regex(., '(a{1,50})+b')])")

    with pytest.raises(ExpressionFailed, match="太久"):
        expression.evaluate(rows, Setting())


def test_a_text_that_grows_too_long_is_refused() -> None:
    long = etree.fromstring(f"<m><a>{'x' * 300_000}</a></m>")

    with pytest.raises(ExpressionFailed, match="太长"):
        compile_expression("concat(a, a, a, a)").evaluate(long, Setting())


def test_an_error_shows_no_more_than_the_beginning() -> None:
    with pytest.raises(ExpressionRefused) as caught:
        compile_expression("1 2" + " 3" * 5_000)

    assert len(str(caught.value)) < 200


# Whatever the text is

ATOMS = st.sampled_from(
    [
        *("/data/age", "..", ".", "//*", "*", "@*", "/", "(", ")", "[", "]", ",", "|"),
        *("1", ".5", "'a'", "'2020-01-01'", "and", "or", "div", "mod", "-", "+", "="),
        *("!=", "<", ">=", "today()", "concat(", "if(", "regex(", "count(", "date("),
        *("self::node()", "text()", "position()", "last()", "current()", "round("),
        *("randomize(", "instance('cun')", "indexed-repeat(", "id(", "string()"),
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(), st.lists(ATOMS, max_size=9).map(" ".join)))
@example("//*/..|/")
@example("randomize(1)")
def test_no_text_leads_to_another_error_than_ours(text: str) -> None:
    nodes: list[Any] = [DATA, DATA[1], DATA.getroottree(), *DATA.xpath("*/@kind")]
    try:
        expression = compile_expression(text, NAMESPACES)
    except ExpressionRefused:
        return
    assert expression.references is not None
    for node in nodes:
        try:
            found = expression.evaluate(node, SETTING)
        except ExpressionFailed:
            continue
        assert isinstance(found, bool | float | str | list)


def native() -> st.SearchStrategy[str]:
    """Expressions that mean the same in XPath 1.0 and in OpenRosa."""
    nodes = st.sampled_from(
        ["/m/a", "a", "b/c", "*", "//c", ".", "b/..", "b[2]", "b[c = 'x']", "@k", "zz"]
    )
    leaves = st.one_of(
        st.integers(-9, 99).map(str),
        st.sampled_from(["0.5", "1.25", "'x'", "'7'", "''", "true()", "false()"]),
        nodes,
        nodes.map("count({})".format),
        nodes.map("string({})".format),
        nodes.map("sum({})".format),
    )

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        signs = [
            "+",
            "-",
            "*",
            "div",
            "mod",
            "=",
            "!=",
            "<",
            "<=",
            ">",
            ">=",
            "and",
            "or",
        ]
        return st.one_of(
            st.builds("({} {} {})".format, inner, st.sampled_from(signs), inner),
            st.builds("-{}".format, inner),
            st.builds("not({})".format, inner),
            st.builds("boolean({})".format, inner),
            st.builds("number({})".format, inner),
            st.builds("floor({})".format, inner),
            st.builds("contains({}, {})".format, inner, inner),
            st.builds("substring({}, {})".format, inner, inner),
        )

    return st.recursive(leaves, larger, max_leaves=8)


@settings(max_examples=400, deadline=None)
@given(native())
@example("(b/c != b/c)")
@example("((b/c + 0.5) <= //c)")
@example("(true() < a)")
def test_native_expressions_agree_with_libxml2(text: str) -> None:
    document = etree.fromstring(
        "<m k='3'><a>7</a><b><c>x</c></b><b><c>-1.5</c><c/></b></m>"
    )

    found = compile_expression(text).evaluate(document, Setting())
    plain = document.xpath(text)

    if isinstance(plain, str) and isinstance(found, str) and plain != found:
        # libxml2 writes fifteen digits, XPath 1.0 wants as many as are needed.
        assert float(plain) == pytest.approx(float(found))
    elif isinstance(plain, float) and math.isnan(plain):
        assert isinstance(found, float) and math.isnan(found)
    else:
        # lxml leaves the document out of a node-set.
        whole = etree._ElementTree
        nodes = found if isinstance(found, list) else []
        kept = [node for node in nodes if not isinstance(node, whole)]
        assert (kept if isinstance(found, list) else found) == plain
