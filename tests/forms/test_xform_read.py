import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.errors import DefinitionRefused
from forms.xform import (
    Element,
    decode,
    encode,
    from_csv,
    from_geojson,
    from_xml,
    read_form,
)
from forms.xform.definition import Control, Group, Itemset, Output, Repeat, Text
from forms.xform.steps import absolute
from tests.forms.xforms import bind, inputs, xform


def refusal(xml: str | bytes) -> str:
    with pytest.raises(DefinitionRefused) as found:
        read_form(xml)
    return str(found.value)


def test_a_form_is_read_with_all_that_it_says() -> None:
    form = read_form(
        xform(
            '<name>张三</name><house jr:template=""><age/></house>'
            "<house><age/></house>",
            bind("name", type="xsd:string", required="true()", jr_requiredMsg="请填")
            + '<bind nodeset="/data/house/age" type="integer" orx:max="3"/>'
            + '<submission action="http://127.0.0.1/s" method="post"/>',
            '<input ref="/data/name" appearance="  long  "><label>姓名</label>'
            "<hint>如身份证</hint></input>"
            '<group ref="/data/house"><label>户</label>'
            '<repeat nodeset="/data/house" jr:count="2">'
            '<input ref="age"/></repeat></group>',
        )
    )

    assert (form.id, form.version, form.title) == ("test", "1", "测试")
    assert [c.name for c in form.instance.children] == ["name", "house", "house"]
    assert form.instance.children[0].text == "张三"
    assert form.instance.children[1].is_template
    assert form.binds[0].required_message == Text(parts=("请填",))
    assert form.binds[1].type == "int" and form.binds[1].other == (("orx:max", "3"),)
    assert dict(form.submission)["method"] == "post"
    name, house = form.body
    assert isinstance(name, Control) and name.appearance == "long"
    assert isinstance(house, Repeat) and house.count == "2"
    assert house.label == Text(parts=("户",))
    assert isinstance(house.parts[0], Control)
    assert house.parts[0].ref == "/data/house/age"


def test_a_label_keeps_its_outputs_and_its_inner_spaces() -> None:
    form = read_form(
        xform(
            "<a/><b/>",
            body='<input ref="/data/b"><label>\n 您好 <output value=" /data/a "/> <b>请'
            "</b>看 </label></input>",
        )
    )

    (control,) = form.body
    assert control.label == Text(parts=("您好 ", Output("/data/a"), " 请看"))


def test_choices_come_inline_or_from_a_list() -> None:
    form = read_form(
        xform(
            "<a/><b/><c/>",
            '<instance id="towns"><root><item><name>1</name></item></root></instance>',
            '<select1 ref="/data/a"><item><label>甲</label><value>x</value></item>'
            '</select1><odk:rank ref="/data/b"><itemset nodeset="instance(\'towns\')'
            '/root/item"><value ref="name"/><label ref="label"/></itemset></odk:rank>'
            '<input ref="/data/c" query="instance(\'towns\')/root/item"/>',
        )
    )

    one, order, outside = (part for part in form.body if isinstance(part, Control))
    assert [(c.value, c.label.parts) for c in one.choices] == [("x", ("甲",))]
    assert order.kind == "rank"
    assert order.itemset == Itemset("instance('towns')/root/item", "name", "label")
    assert outside.kind == "select1" and outside.itemset is not None


def test_an_unprefixed_element_has_no_namespace_but_remembers_it() -> None:
    form = read_form(
        xform("<a/><meta xmlns='http://openrosa.org/xforms'><instanceID/></meta>")
    )

    meta = form.instance.children[1]
    assert (meta.name, meta.namespace) == ("meta", "http://openrosa.org/xforms")


def test_a_group_that_only_heads_its_repeat_is_the_repeat() -> None:
    form = read_form(
        xform(
            "<r><a/></r>",
            body='<group ref="/data/r"><label>人</label><repeat nodeset="/data/r">'
            '<input ref="/data/r/a"/></repeat></group><group><label>空</label></group>',
        )
    )

    repeat, group = form.body
    assert isinstance(repeat, Repeat) and repeat.label.parts == ("人",)
    assert isinstance(group, Group) and group.ref == ""


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        ("", "不是正确的 XML"),
        ("<a", "不是正确的 XML"),
        ("<a/>", "不是 XForm"),
        ("<html><model/></html>", "没有要填写的数据"),
        ("<!DOCTYPE a><html><model/></html>", "DOCTYPE"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><html>&b;</html>', "DOCTYPE"),
        ("<a>" * 150 + "</a>" * 150, "嵌套超过"),
        (b"<?xml version='1.0' encoding='nonsense'?><a/>", "不是正确的 XML"),
        (b"\xff\xfe\x00", "不是正确的 XML"),
        (b"<a>" + b" " * (8 * 1024 * 1024) + b"</a>", "最多"),
    ],
)
def test_what_is_no_form_is_refused_with_the_reason(
    xml: str | bytes, reason: str
) -> None:
    assert reason in refusal(xml)


def test_all_faults_are_named_at_once_with_their_lines() -> None:
    said = refusal(
        xform(
            "<a/>",
            '\n<bind nodeset="/data/a[1]"/>\n<instance><root/></instance>'
            '<setvalue event="no-such" ref="/data/a"/>',
            '<input><label>没有 ref</label></input><select1 ref="/data/a"><item>'
            "<label>空</label><value/></item></select1>",
        )
    )

    assert "有 5 处要改" not in said
    for part in ("第 7 行", "不带条件的路径", "没有 id", "no-such", "没有写对应的数据"):
        assert part in said


def test_a_definition_survives_its_bytes() -> None:
    form = read_form(xform("<a>1</a>", bind("a", type="int"), inputs("a")))

    assert decode(encode(form)) == form
    assert encode(decode(encode(form))) == encode(form)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[1]", b'{"id":1}', b"\xff", b"[" * 9999]
)
def test_bytes_that_are_no_definition_are_refused(data: bytes) -> None:
    with pytest.raises(DefinitionRefused):
        decode(data)


@given(st.text(max_size=60))
@settings(max_examples=60)
def test_any_text_is_read_or_refused(text: str) -> None:
    label = f'<input ref="/data/a"><label>{text}</label></input>'

    with contextlib.suppress(DefinitionRefused):
        assert read_form(xform("<a/>", body=label)).id == "test"


@pytest.mark.parametrize(
    ("written", "context", "meant"),
    [
        ("/data/a", "/data/b", "/data/a"),
        (" a ", "/data/g", "/data/g/a"),
        ("../a", "/data/g/b", "/data/g/a"),
        ("./a/../b", "/data", "/data/b"),
        ("current()/../a", "/data/g/b", "/data/g/a"),
        ("/data/e/@id", "/", "/data/e/@id"),
        ("/data/orx:meta", "/", "/data/orx:meta"),
        ("../../../a", "/data/g", None),
        ("/data/a[1]", "/", None),
        ("count(/data/a)", "/", None),
        ("//a", "/", None),
        ("", "/", None),
    ],
)
def test_a_plain_path_is_brought_to_its_absolute_form(
    written: str, context: str, meant: str | None
) -> None:
    assert absolute(written, context) == meant


def test_a_table_becomes_a_list_whatever_excel_made_of_it() -> None:
    text = "name,label,不 行\r\n1,衢江区,x\r\n\r\n2,全旺镇\r\n"

    lists = [from_csv("v.csv", text.encode(code)) for code in ("utf-8-sig", "gb18030")]

    item = lists[0].children[0]
    assert [(c.name, c.text) for c in item.children] == [
        ("name", "1"),
        ("label", "衢江区"),
    ]
    assert len(lists[0].children) == 2
    assert lists[0] == lists[1]


@pytest.mark.parametrize("text", ["", "a,a\n1,2", " , \n", "a\n" + "x" * 200_000])
def test_a_table_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(DefinitionRefused):
        from_csv("v.csv", text.encode())


def test_features_of_a_map_become_a_list() -> None:
    data = (
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "id": "a", '
        '"properties": {"name": "村委会"}, '
        '"geometry": {"type": "Point", "coordinates": [118.87, 28.97]}}]}'
    )

    (item,) = from_geojson("m.geojson", data.encode()).children

    values = {child.name: child.text for child in item.children}
    assert values == {"id": "a", "name": "村委会", "geometry": "28.97 118.87 0.0 0.0"}


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"features": [1]}', b"\xff"])
def test_a_map_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(DefinitionRefused):
        from_geojson("m.geojson", data)


def test_an_outside_xml_is_a_list_as_it_is() -> None:
    assert from_xml(b"<root><item k='1'>a</item></root>") == Element(
        "root", children=(Element("item", attributes=(("k", "1"),), text="a"),)
    )
