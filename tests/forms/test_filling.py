import sys
from datetime import timedelta

import pytest

from forms.errors import FillingRefused, NoSuchNode
from forms.filling import Filling, Validity
from forms.xform import Element, from_csv
from tests.forms.xforms import NOW, answered, bind, filling, inputs, plan

HOUSE = (
    '<count/><sum/><m jr:template=""><name/><income/><year/><at/></m>',
    bind("count", type="int", calculate="count(/data/m)")
    + bind("sum", type="decimal", calculate="sum(/data/m/year)")
    + bind("m/income", type="decimal")
    + bind("m/year", type="decimal", calculate="coalesce(../income, 0) * 12")
    + bind("m/at", type="int", calculate="position(..)"),
    '<group ref="/data/m"><label>成员</label><repeat nodeset="/data/m">'
    + inputs("m/name", "m/income")
    + "</repeat></group>",
)
TOWNS = (
    '<instance id="towns"><root><item><name>t1</name><in>a</in></item><item>'
    "<name>t2</name><in>a</in></item><item><name>t3</name><in>b</in></item></root>"
    "</instance>"
)


def towns(kind: str, ref: str, condition: str) -> str:
    return (
        f'<{kind} ref="/data/{ref}"><itemset nodeset="instance(\'towns\')/root/item'
        f'[{condition}]"><value ref="name"/><label ref="name"/></itemset></{kind}>'
    )


# Values


def test_a_calculation_follows_what_it_reads_through_all_its_steps() -> None:
    one = filling(
        "<a>2</a><b/><c/>",
        bind("a", type="int")
        + bind("c", type="int", calculate="/data/b + 1")
        + bind("b", type="int", calculate="/data/a * 3"),
    )

    one.answer("/data/a", 5)

    assert (one.value("/data/b"), one.value("/data/c")) == ("15", "16")


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        ("string", " 张 三 ", " 张 三 "),
        ("string", "e\u0301", "é"),  # one character for letter and accent
        ("string", "\ufa30", "\ufa30"),  # a rare character of a name stays itself
        ("string", "a\x00b", "ab"),
        ("int", "12", "12"),
        ("int", "-3.9", "-3"),
        ("int", "１２", "12"),
        ("string", "１２", "１２"),
        ("int", 7, "7"),
        ("int", "2147483647", "2147483647"),
        ("decimal", "860.00", "860.00"),
        ("decimal", "89", "89.0"),
        ("decimal", 1.5, "1.5"),
        ("decimal", "1e3", "1000.0"),
        ("boolean", True, "1"),
        ("boolean", "false", "0"),
        ("date", "2024-02-29", "2024-02-29"),
        ("date", "2024-02-29T10:00:00+08:00", "2024-02-29"),
        ("time", "14:30", "14:30:00"),
        ("time", "14:30:05.5+08:00", "14:30:05.5+08:00"),
        ("dateTime", "2024-02-29", "2024-02-29T00:00:00"),
        ("geopoint", "28.97 118.87", "28.97 118.87"),
        ("geotrace", "1 2;3 4", "1 2;3 4"),
        ("select", "b  a b", "b a"),
        ("select", "（１）", "（１）"),
        ("barcode", "6901", "6901"),
        ("strange", "x", "x"),
    ],
)
def test_an_answer_is_stored_in_the_form_of_its_type(
    kind: str, given: str | float | bool, stored: str
) -> None:
    one = filling("<a/>", bind("a", type=kind), inputs("a"))

    assert one.answer("/data/a", given) == ""
    assert one.value("/data/a") == stored


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("int", "abc"),
        ("int", "2147483648"),
        ("int", "1,000"),
        ("decimal", "--1"),
        ("decimal", "Infinity"),
        ("boolean", "maybe"),
        ("date", "2023-02-29"),
        ("date", "29.2.2024"),
        ("time", "24:00:00"),
        ("dateTime", "2024-01-01 10:00"),
        ("geopoint", "91 0"),
        ("geopoint", "1"),
        ("geotrace", "1 2; 3"),
        ("string", "x" * 20_001),
    ],
)
def test_an_answer_that_is_none_of_its_type_is_blank_and_the_reason_said(
    kind: str, given: str
) -> None:
    one = filling("<a/>", bind("a", type=kind), inputs("a"))

    assert one.answer("/data/a", given)
    assert one.value("/data/a") == ""


@pytest.mark.parametrize(
    ("kind", "calculation", "stored"),
    [
        ("int", "7 div 2", "3"),
        ("int", "number('x')", ""),
        ("decimal", "7 div 2", "3.5"),
        ("decimal", "4", "4.0"),
        ("string", "4", "4"),
        ("string", "1 = 1", "true"),
        ("boolean", "1 = 1", "1"),
        ("date", "date('2024-01-01') + 1", "2024-01-02"),
        ("date", "today()", "2026-11-21"),
        ("string", "/data/x", ""),
    ],
)
def test_what_is_calculated_is_brought_to_the_type(
    kind: str, calculation: str, stored: str
) -> None:
    one = filling("<a/><x/>", bind("a", type=kind, calculate=calculation))

    assert one.value("/data/a") == stored


def test_what_reads_the_clock_follows_when_the_time_is_told() -> None:
    one = filling("<day/>", bind("day", type="date", calculate="today()"))

    one.set_now(NOW + timedelta(days=1))

    assert one.value("/data/day") == "2026-11-22"


# Relevance


def test_an_answer_that_is_not_relevant_is_blank_and_comes_back() -> None:
    one = filling(
        "<ask>yes</ask><g><a>old</a></g><copy/>",
        bind("g", relevant="/data/ask = 'yes'")
        + bind("copy", calculate="concat('[', /data/g/a, ']')"),
        inputs("ask", "g/a"),
    )
    one.answer("/data/g/a", "new")

    one.answer("/data/ask", "no")

    assert not one.is_relevant("/data/g/a")
    assert (one.value("/data/g/a"), one.value("/data/copy")) == ("", "[]")
    one.answer("/data/ask", "yes")
    assert (one.value("/data/g/a"), one.value("/data/copy")) == ("new", "[new]")


def test_the_submission_leaves_out_what_is_not_relevant_and_a_draft_does_not() -> None:
    one = filling(
        "<ask/><a>kept</a>", bind("a", relevant="/data/ask = 1"), inputs("ask", "a")
    )

    assert b"kept" in one.serialise()
    assert b"<a>" not in one.submission()


def test_functions_of_many_nodes_pass_over_what_is_not_relevant() -> None:
    one = filling(
        "<sum/><count/><names/><r><name>a</name><x>1</x></r>"
        "<r><name>b</name><x>2</x></r><r><name>c</name><x/></r>",
        bind("sum", calculate="sum(/data/r[position() < 9] [name != ''] /x)")
        + bind("count", calculate="count(/data/r)")
        + bind("names", calculate="join('[]', /data/r/name)")
        + bind("r", relevant="position() > 1")
        + bind("r/x", type="int", relevant="../name != 'c'"),
        '<repeat nodeset="/data/r">' + inputs("r/name", "r/x") + "</repeat>",
    )

    assert one.value("/data/sum") == "2"
    assert one.value("/data/count") == "2"
    assert one.value("/data/names") == "b[]c"
    one.remove_repeat("/data/r[1]")
    assert [one.value(f"/data/{name}") for name in ("sum", "count")] == ["0", "1"]


# Checks


def test_a_check_says_what_is_missing_and_what_is_wrong_in_document_order() -> None:
    one = filling(
        "<a/><b/><c/>",
        bind("a", required="true()", jr_requiredMsg="请填姓名")
        + bind("b", type="int", constraint=". &lt; 3".replace("&lt;", "<"))
        + bind("c", required="/data/b > 1"),
        inputs("a", "b", "c"),
    )
    one.answer("/data/b", 5)

    found = [(p.ref, p.validity, p.message) for p in one.problems()]

    assert found == [
        ("/data/a", Validity.MISSING, "请填姓名"),
        ("/data/b", Validity.VIOLATED, "这里填的内容不符合要求，请核对"),
        ("/data/c", Validity.MISSING, "请填写这一项"),
    ]


def test_a_constraint_is_not_applied_to_a_blank_answer() -> None:
    one = filling("<a/>", bind("a", constraint="false()"), inputs("a"))

    assert one.validity("/data/a") is Validity.OK
    one.answer("/data/a", "x")
    assert one.validity("/data/a") is Validity.VIOLATED


def test_readonly_is_inherited() -> None:
    one = filling("<lock/><g><a/></g>", bind("g", readonly="/data/lock = 1"))

    one.answer("/data/lock", "1")

    assert one.is_readonly("/data/g/a") and not one.is_readonly("/data/lock")


# Repeats


def test_sums_counts_and_positions_follow_the_instances() -> None:
    one = filling(*HOUSE)
    for income in (100, 200, 300):
        ref = one.create_repeat("/data/m")
        one.answer(f"{ref}/income", income)

    assert (one.value("/data/count"), one.value("/data/sum")) == ("3", "7200.0")
    one.remove_repeat("/data/m[1]")
    assert (one.value("/data/count"), one.value("/data/sum")) == ("2", "6000.0")
    assert [one.value(f"/data/m[{n}]/at") for n in (1, 2)] == ["1", "2"]


def test_an_instance_begins_as_its_template_says() -> None:
    one = filling(
        '<r jr:template=""><a>x</a></r><r><a>first</a></r>',
        body='<repeat nodeset="/data/r">' + inputs("r/a") + "</repeat>",
    )

    one.create_repeat("/data/r")

    assert [one.value(f"/data/r[{n}]/a") for n in (1, 2)] == ["first", "x"]


def test_a_count_adds_and_removes_and_nobody_else_may() -> None:
    one = filling(
        "<n>2</n><r><a/></r>",
        bind("n", type="int"),
        '<repeat nodeset="/data/r" jr:count="/data/n">' + inputs("r/a") + "</repeat>",
    )

    assert one.count("/data/r") == 2
    one.answer("/data/n", 4)
    assert one.count("/data/r") == 4
    one.answer("/data/n", None)
    assert one.count("/data/r") == 0
    with pytest.raises(NoSuchNode, match="由表单决定"):
        one.create_repeat("/data/r")


@pytest.mark.parametrize("count", ["../n", "/data/o/n", "current()/../n"])
def test_a_count_inside_a_repeat_is_that_of_its_own_instance(count: str) -> None:
    one = filling(
        '<o jr:template=""><n/><i jr:template=""><a/></i></o>',
        bind("o/n", type="int"),
        '<repeat nodeset="/data/o">'
        + inputs("o/n")
        + f'<repeat nodeset="/data/o/i" jr:count="{count}">'
        + inputs("o/i/a")
        + "</repeat></repeat>",
    )
    for number in (2, 3):
        one.answer(f"{one.create_repeat('/data/o')}/n", number)

    one.answer("/data/o[1]/n", 1)

    assert [one.count(f"/data/o[{n}]/i") for n in (1, 2)] == [1, 3]


def test_choices_may_come_from_two_lists() -> None:
    one = filling(
        "<a/>",
        '<instance id="l"><root><x><k>1</k></x><y><k>2</k></y></root></instance>',
        '<select1 ref="/data/a"><itemset nodeset="instance(\'l\')/root/x | '
        "instance('l')/root/y\"><value ref='k'/><label ref='k'/></itemset></select1>",
    )

    one.answer("/data/a", "1")

    assert one.value("/data/a") == "1"
    assert [value for value, _ in one.choices("/data/a")] == ["1", "2"]


def test_a_count_may_depend_on_the_last_instance() -> None:
    more = "count(/data/r) = 0 or /data/r[position() = last()]/more = 'yes'"
    one = filling(
        "<n/><r><more/></r>",
        bind("n", type="int", calculate=f"count(/data/r) + number({more})"),
        '<repeat nodeset="/data/r" jr:count="/data/n">'
        + inputs("r/more")
        + "</repeat>",
    )

    one.answer("/data/r[1]/more", "yes")
    one.answer("/data/r[2]/more", "yes")

    assert one.count("/data/r") == 3


def test_a_count_without_end_is_cut_off() -> None:
    one = filling(
        "<n>99999</n><r><a/></r>",
        body='<repeat nodeset="/data/r" jr:count="/data/n * 99999"/>',
    )

    assert one.count("/data/r") == 500


def test_a_value_may_depend_on_the_same_in_the_instance_before() -> None:
    before = "/data/r[position() = position(current()/..) - 1]/total"
    one = filling(
        '<r jr:template=""><amount/><total/></r>',
        bind("r/amount", type="int")
        + bind("r/total", type="int", calculate=f"sum({before}) + ../amount"),
        '<repeat nodeset="/data/r">' + inputs("r/amount") + "</repeat>",
    )
    for amount in range(60):
        one.answer(f"{one.create_repeat('/data/r')}/amount", amount)

    one.answer("/data/r[1]/amount", 1000)

    assert one.value("/data/r[60]/total") == str(sum(range(60)) + 1000)
    one.remove_repeat("/data/r[1]")
    assert one.value("/data/r[59]/total") == str(sum(range(60)))


def test_a_count_that_never_settles_comes_to_an_end() -> None:
    one = filling(
        "<a/><r><a/></r>",
        body='<repeat nodeset="/data/r" jr:count="3 - count(/data/r)"/>',
    )

    one.answer("/data/a", "x")

    assert one.count("/data/r") <= 3


def test_a_new_instance_has_its_preloads() -> None:
    one = filling(
        '<r jr:template=""><day/></r>',
        bind("r/day", type="date", jr_preload="date"),
        '<repeat nodeset="/data/r"/>',
    )

    assert one.value(f"{one.create_repeat('/data/r')}/day") == "2026-11-21"


def test_an_answer_costs_as_much_as_what_follows_from_it() -> None:
    def calls(number: int) -> int:
        names = [f"{letter}{n}" for n in range(number) for letter in "abc"]
        binds = "".join(
            bind(f"b{n}", type="int", calculate=f"/data/a{n} * 2")
            + bind(f"c{n}", relevant=f"/data/b{n} > 3")
            for n in range(number)
        )
        one = filling("".join(f"<{name}/>" for name in names), binds, inputs(*names))
        one.answer("/data/a5", 1)
        done = []
        sys.setprofile(lambda _frame, event, _what: done.append(event == "call"))
        one.answer("/data/a5", 7)
        sys.setprofile(None)
        assert one.is_relevant("/data/c5")
        return sum(done)

    assert calls(200) == calls(20)


def test_an_absolute_path_means_the_same_instance_where_one_value_is_wanted() -> None:
    one = filling(
        '<r jr:template=""><a/><double/><all/></r>',
        bind("r/a", type="int")
        + bind("r/double", type="int", calculate="/data/r/a * 2")
        + bind("r/all", type="int", calculate="sum(/data/r/a)"),
        '<repeat nodeset="/data/r">' + inputs("r/a") + "</repeat>",
    )
    for number in (1, 2, 3):
        one.answer(f"{one.create_repeat('/data/r')}/a", number)

    assert [one.value(f"/data/r[{n}]/double") for n in (1, 2, 3)] == ["2", "4", "6"]
    assert [one.value(f"/data/r[{n}]/all") for n in (1, 2, 3)] == ["6", "6", "6"]


# Choices


def test_a_choice_that_is_not_offered_any_more_is_blank_until_it_is_again() -> None:
    one = filling(
        "<d/><t/><copy/>",
        bind("copy", calculate="/data/t") + TOWNS,
        inputs("d") + towns("select1", "t", "in = /data/d"),
    )
    answered(one, {"d": "a", "t": "t2"})

    one.answer("/data/d", "b")

    assert one.choices("/data/t") == [("t3", "t3")]
    assert (one.value("/data/t"), one.value("/data/copy")) == ("", "")
    one.answer("/data/d", "a")
    assert (one.value("/data/t"), one.value("/data/copy")) == ("t2", "t2")
    assert one.selected_labels("/data/t") == ["t2"]


def test_an_answer_that_is_not_offered_is_said() -> None:
    one = filling("<d/><t/>", TOWNS, inputs("d") + towns("select", "t", "in = /data/d"))
    one.answer("/data/d", "b")

    assert one.answer("/data/t", "t1 t3") == "现在没有这个选项：t1"
    assert one.value("/data/t") == "t3"
    assert one.answer("/data/t", "t3") == "" == one.answer("/data/t", None)


def test_two_questions_may_exclude_the_answer_of_each_other() -> None:
    one = filling(
        "<x/><y/>",
        TOWNS,
        towns("select1", "x", "name != /data/y")
        + towns("select1", "y", "name != /data/x"),
    )

    answered(one, {"x": "t1", "y": "t2"})

    assert (one.value("/data/x"), one.value("/data/y")) == ("t1", "t2")
    assert [value for value, _ in one.choices("/data/y")] == ["t2", "t3"]


def test_choices_may_come_from_the_instances_of_a_repeat() -> None:
    one = filling(
        '<m jr:template=""><name/></m><head/>',
        "",
        '<repeat nodeset="/data/m">' + inputs("m/name") + "</repeat>"
        '<select1 ref="/data/head"><itemset nodeset="/data/m[name != \'\']">'
        '<value ref="name"/><label ref="name"/></itemset></select1>',
    )
    for name in ("甲", "乙"):
        one.answer(f"{one.create_repeat('/data/m')}/name", name)
    one.answer("/data/head", "乙")

    one.remove_repeat("/data/m[2]")

    assert one.choices("/data/head") == [("甲", "甲")]
    assert one.value("/data/head") == ""


def test_a_random_order_stays_while_the_form_is_open() -> None:
    items = "".join(f"<item><name>n{n}</name></item>" for n in range(20))
    one = filling(
        "<a/>",
        f'<instance id="l"><root>{items}</root></instance>',
        '<select1 ref="/data/a">'
        "<itemset nodeset=\"randomize(instance('l')/root/item)\">"
        '<value ref="name"/><label ref="name"/></itemset></select1>',
    )

    shown = one.choices("/data/a")

    assert shown == one.choices("/data/a")
    assert [v for v, _ in shown] != [f"n{n}" for n in range(20)]
    assert len(set(shown)) == 20


def test_a_list_from_outside_is_looked_up_by_filter_and_by_pulldata() -> None:
    table = from_csv("v.csv", "code,town,name\n1,t1,东村\n2,t2,西村\n".encode())
    one = filling(
        "<town/><village/><name/>",
        bind("name", calculate="pulldata('v', 'name', 'code', /data/village)")
        + '<instance id="v" src="jr://file-csv/v.csv"/>',
        inputs("town") + '<select1 ref="/data/village">'
        "<itemset nodeset=\"instance('v')/root/item[town = /data/town]\">"
        '<value ref="code"/><label ref="name"/></itemset></select1>',
        v=table,
    )

    answered(one, {"town": "t2", "village": "2"})

    assert one.choices("/data/village") == [("2", "西村")]
    assert one.value("/data/name") == "西村"


# Texts

ITEXT = (
    '<itext><translation lang="zh" default="true()"><text id="a"><value>姓名'
    '<output value="/data/n"/></value><value form="guidance">照身份证</value></text>'
    '<text id="b"><value>乙</value></text></translation>'
    '<translation lang="en"><text id="a"><value>Name</value></text>'
    '<text id="b"><value>-</value></text></translation></itext>'
)


def test_what_is_not_translated_is_said_in_the_default_language() -> None:
    one = filling(
        "<n>1</n><b/>",
        body='<input ref="/data/n"><label ref="jr:itext(\'a\')"/>'
        "<hint ref=\"jr:itext('a')\"/></input>"
        '<input ref="/data/b"><label ref="jr:itext(\'b\')"/></input>',
        head=ITEXT,
    )

    assert one.label("/data/n") == "姓名1"
    assert one.hint("/data/n", "guidance") == "照身份证"
    one.set_language("en")
    assert (one.label("/data/n"), one.label("/data/b")) == ("Name", "乙")
    assert one.languages == ["zh", "en"]


def test_a_text_in_a_calculation_follows_the_language() -> None:
    one = filling("<n/><c/>", bind("c", calculate="jr:itext('a')"), head=ITEXT)

    one.set_language("en")

    assert one.value("/data/c") == "Name"


# Actions


def test_a_value_is_set_at_the_first_load_and_never_again() -> None:
    form = plan(
        "<a/><b/>",
        '<setvalue event="odk-instance-first-load" ref="/data/a" value="1 + 1"/>'
        '<setvalue event="odk-instance-load" ref="/data/b">now</setvalue>',
        inputs("a", "b"),
    )
    one = Filling(form, NOW)
    assert (one.value("/data/a"), one.value("/data/b")) == ("2", "now")
    answered(one, {"a": "mine", "b": "mine"})

    again = Filling.restore(form, one.serialise(), NOW)

    assert (again.value("/data/a"), again.value("/data/b")) == ("mine", "now")


def test_an_action_may_set_another_instance() -> None:
    one = filling(
        "<r><a/><b/></r><r><a/><b/></r>",
        "",
        '<repeat nodeset="/data/r"><input ref="/data/r/a"><setvalue '
        'event="xforms-value-changed" value="../a" '
        'ref="/data/r[position() != position(current()/..)]/b"/></input></repeat>',
    )

    one.answer("/data/r[2]/a", "x")

    assert [one.value(f"/data/r[{n}]/b") for n in (1, 2)] == ["", ""]
    one.answer("/data/r[1]/a", "y")
    one.answer("/data/r[2]/a", "z")
    assert [one.value(f"/data/r[{n}]/b") for n in (1, 2)] == ["y", "x"]


def test_actions_that_set_each_other_come_to_an_end() -> None:
    one = filling(
        "<a/><b/>",
        "",
        '<input ref="/data/a"><setvalue event="xforms-value-changed" ref="/data/b" '
        'value="/data/a + 1"/></input><input ref="/data/b"><setvalue '
        'event="xforms-value-changed" ref="/data/a" value="/data/b + 1"/></input>',
    )

    one.answer("/data/a", "1")

    assert int(one.value("/data/a")) > 1


def test_preloads_are_given_once() -> None:
    form = plan(
        "<id/><day/><begun/><ended/><device/>",
        bind("id", jr_preload="uid")
        + bind("day", type="date", jr_preload="date")
        + bind(
            "begun", type="dateTime", jr_preload="timestamp", jr_preloadParams="start"
        )
        + bind("ended", type="dateTime", jr_preload="timestamp", jr_preloadParams="end")
        + bind("device", jr_preload="property", jr_preloadParams="deviceid"),
    )
    one = Filling(form, NOW, seed="s", properties={"deviceid": "village-1"})

    assert one.value("/data/id").startswith("uuid:")
    assert one.value("/data/id") == Filling(form, NOW, seed="s").value("/data/id")
    assert one.value("/data/day") == "2026-11-21"
    assert one.value("/data/begun") == "2026-11-21T09:00:00.000+00:00"
    assert (one.value("/data/ended"), one.value("/data/device")) == ("", "village-1")
    one.finish()
    assert one.value("/data/ended") == "2026-11-21T09:00:00.000+00:00"


# Saving


def test_what_has_no_place_in_a_form_is_named_when_it_is_read_again() -> None:
    old = filling("<a/><gone/><g><b/></g>", "", inputs("a", "gone", "g/b"))
    answered(old, {"a": "1", "gone": "2", "g/b": "3"})

    new = Filling.restore(plan("<a/><fresh>x</fresh><g/>"), old.serialise(), NOW)

    assert new.value("/data/a") == "1"
    assert new.value("/data/fresh") == ""
    assert new.dropped == [("/data/gone", "2"), ("/data/g/b", "3")]


@pytest.mark.parametrize(
    "data", [b"", b"<other/>", b"<data", b"<!DOCTYPE data><data/>", b"\xff"]
)
def test_bytes_that_are_no_filling_of_the_form_are_refused(data: bytes) -> None:
    with pytest.raises(FillingRefused):
        Filling.restore(plan("<a/>"), data, NOW)


def test_a_draw_by_chance_is_not_drawn_again() -> None:
    form = plan("<id/>", bind("id", calculate="concat('uuid:', uuid())"))
    one = Filling(form, NOW, seed="1")

    again = Filling.restore(form, one.serialise(), NOW, seed="2")

    assert again.value("/data/id") == one.value("/data/id")


# Places


@pytest.mark.parametrize("ref", ["", "/", "/x", "/data/x", "/data/m[9]", "/data/m[0]"])
def test_a_place_that_is_not_there_is_no_such_node(ref: str) -> None:
    with pytest.raises(NoSuchNode):
        filling(*HOUSE).value(ref)


def test_rows_show_what_is_relevant_in_the_order_of_the_body() -> None:
    one = filling(*HOUSE)
    one.create_repeat("/data/m")

    assert [(row.kind, row.ref, row.depth) for row in one.rows()] == [
        ("repeat", "/data/m", 0),
        ("instance", "/data/m[1]", 1),
        ("input", "/data/m[1]/name", 2),
        ("input", "/data/m[1]/income", 2),
    ]
    assert one.label("/data/m[1]") == "成员"


def test_an_attribute_can_be_calculated_and_read() -> None:
    one = filling(
        '<a/><e kind="" create="1"/>',
        bind("e/@kind", calculate="concat(../../a, '!')"),
        inputs("a"),
    )

    one.answer("/data/a", "x")

    assert one.value("/data/e/@kind") == "x!"
    assert b'kind="x!"' in one.submission()


def test_a_question_without_data_is_left_out_and_said() -> None:
    one = filling("<a/>", "", inputs("a", "nowhere"))

    assert [row.ref for row in one.rows()] == ["/data/a"]
    assert [fault.place for fault in one.warnings] == ["/data/nowhere"]


def test_a_missing_list_from_outside_may_be_given_as_an_empty_one() -> None:
    one = filling("<a/>", '<instance id="l" src="jr://file/l.xml"/>', l=Element("root"))

    assert one.value("/data/a") == ""


@pytest.mark.parametrize(
    ("one", "other", "condition", "holds"),
    [
        # As JavaRosa: what is a number is compared as one, whatever its type.
        ("12", "12", "/data/a = /data/b", "true"),
        ("12", "12.00", "/data/a = /data/b", "true"),
        ("12", "12.5", "/data/a != /data/b", "true"),
        ("12", "12.50", "/data/b = 12.5", "true"),
        ("12", "12.50", "/data/b = /data/c", "true"),
        ("12", "12.0", "/data/b = '12'", "true"),
        ("", "", "/data/a = /data/b", "true"),
        ("", "0", "/data/a = /data/b", "false"),
        ("12", "", "/data/b = ''", "true"),
        ("12", "0.0", "/data/b = ''", "false"),
    ],
)
def test_whole_numbers_and_decimals_are_compared_as_numbers(
    one: str, other: str, condition: str, holds: str
) -> None:
    form = filling(
        "<a/><b/><c/><d/>",
        bind("a", type="int")
        + bind("b", type="decimal")
        + bind("c", calculate="12 + 0.5")
        + bind("d", calculate=condition),
        inputs("a", "b"),
    )

    form.answer("/data/a", one)
    form.answer("/data/b", other)

    assert form.value("/data/d") == holds


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("11010519491231002X", ("1949-12-31", "female", "76")),
        ("１１０１０５１９４９１２３１００２x", ("1949-12-31", "female", "76")),
        ("330881200811210017", ("2008-11-21", "male", "18")),  # the birthday itself
        ("330881200811220017", ("2008-11-22", "male", "17")),
        ("330881200802300017", ("", "male", "")),  # there is no such day
        ("1101051949123100", ("", "", "")),
        ("", ("", "", "")),
    ],
)
def test_an_id_number_tells_birth_sex_and_age(
    number: str, told: tuple[str, str, str]
) -> None:
    form = filling(
        "<id/><born/><sex/><age/>",
        bind("born", type="date", calculate="lianban:birth-date(/data/id)")
        + bind("sex", calculate="lianban:sex(/data/id)")
        + bind("age", type="int", calculate="lianban:age(/data/id)"),
        inputs("id"),
    )

    form.answer("/data/id", number)

    assert tuple(form.value(f"/data/{name}") for name in ("born", "sex", "age")) == told
