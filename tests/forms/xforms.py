"""XForms for tests, without the frame that is the same in all of them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from forms.filling import Filling, Plan, prepare
from forms.xform import Element, read_form

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

_FRAME = """<?xml version="1.0"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
  xmlns:jr="http://openrosa.org/javarosa" xmlns:orx="http://openrosa.org/xforms"
  xmlns:odk="http://www.opendatakit.org/xforms">
<h:head><h:title>{title}</h:title><model>{head}
<instance><data id="test" version="1">{data}</data></instance>{model}</model></h:head>
<h:body>{body}</h:body></h:html>"""


def xform(
    data: str, model: str = "", body: str = "", *, head: str = "", title: str = "测试"
) -> str:
    """Return an XForm; `model` are binds, lists and actions, `head` is itext."""
    return _FRAME.format(data=data, model=model, body=body, head=head, title=title)


def plan(
    data: str, model: str = "", body: str = "", head: str = "", **lists: Element
) -> Plan:
    return prepare(read_form(xform(data, model, body, head=head)), lists)


def filling(
    data: str, model: str = "", body: str = "", head: str = "", **lists: Element
) -> Filling:
    return Filling(plan(data, model, body, head, **lists), NOW)


def inputs(*refs: str) -> str:
    return "".join(
        f'<input ref="/data/{ref}"><label>{ref}</label></input>' for ref in refs
    )


def bind(ref: str, **attributes: str) -> str:
    """Return a bind; `jr_preload` stands for `jr:preload`."""
    said = "".join(
        f' {name.replace("jr_", "jr:")}="{_escaped(value)}"'
        for name, value in attributes.items()
    )
    return f'<bind nodeset="/data/{ref}"{said}/>'


def answered(one: Filling, answers: Mapping[str, str]) -> Filling:
    for ref, value in answers.items():
        assert one.answer(f"/data/{ref}", value) == ""
    return one


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
