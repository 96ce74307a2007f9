"""The body of an XForm: groups, repeats and questions. Pure: no I/O."""

from collections.abc import Iterable, Mapping

from lxml import etree

from forms.errors import DefinitionFault
from forms.xform.definition import (
    NO_TEXT,
    Action,
    Choice,
    Control,
    Group,
    Itemset,
    Part,
    Repeat,
    Text,
)
from forms.xform.steps import absolute, without_predicates
from forms.xform.texts import read_text
from forms.xform.xml import elements, line_of, split, written_attributes

CONTROLS = {
    "input": "one value that is typed",
    "secret": "one value that is typed and not shown",
    "select": "any number of choices",
    "select1": "one choice",
    "rank": "all choices, put in an order",
    "range": "a number on a scale",
    "trigger": "an acknowledgement",
    "upload": "a file",
}

EVENTS = {
    "odk-instance-first-load": "a new filling was begun",
    "odk-instance-load": "a filling was begun, or opened again",
    "odk-new-repeat": "an instance of this repeat was added",
    "xforms-value-changed": "the question got another value",
}
# As forms of earlier years called them.
_OLD_EVENTS = {
    "xforms-ready": "odk-instance-first-load",
    "jr-insert": "odk-new-repeat",
}

UNSERVED = {
    "setgeopoint": "终端没有定位，不能自动取坐标；请改用 geopoint，由填表的人照着填",
    "recordaudio": "终端不能录音；请改用 audio，由填表的人附上录好的文件",
}
"""Actions that no terminal can take, and what to write instead."""
NO_SEARCH = (
    "不支持 search()：请改用 select_one_from_file，"
    "把列表放在旁边的 CSV 里，用 choice_filter 筛选"
)

_NAMED = {"ref", "nodeset", "bind", "appearance", "class", "query"}


class BodyReader:
    """Reads the parts of a body and collects what is wrong on the way."""

    def __init__(
        self, binds_by_id: Mapping[str, str], faults: list[DefinitionFault]
    ) -> None:
        self.binds_by_id = binds_by_id
        self.faults = faults

    def read(self, parent: etree._Element, context: str) -> tuple[Part, ...]:
        """Return the parts of a group; relative references start at `context`."""
        parts: list[Part] = []
        for element in elements(parent):
            name = split(str(element.tag))[1]
            if name == "group":
                parts.append(self._group(element, context))
            elif name == "repeat":
                parts.append(self._repeat(element, context))
            elif name in CONTROLS:
                parts.append(self._control(element, name, context))
        return tuple(parts)

    def actions(
        self, parents: Iterable[etree._Element], context: str
    ) -> tuple[Action, ...]:
        """Return the actions that stand directly in these elements."""
        found = []
        for parent in parents:
            for element in elements(parent):
                name = split(str(element.tag))[1]
                if name == "setvalue":
                    found.append(self._action(element, context))
                elif name in UNSERVED:
                    ref = (element.get("ref") or name).strip()
                    self._fault(ref, UNSERVED[name], element, "type")
        return tuple(found)

    def _group(self, element: etree._Element, context: str) -> Group | Repeat:
        ref = self._ref(element, context, required=False)
        parts = self.read(element, ref or context)
        label = _child_text(element, "label")
        appearance = _appearance(element)
        own = [p for p in parts if isinstance(p, Repeat) and p.ref == ref]
        if len(parts) == 1 and own:
            # The usual wrapping: this group is nothing but the repeat's heading.
            return _under_heading(own[0], label, appearance)
        if own:
            ref = ""
        actions = self.actions([element], ref or context)
        return Group(ref, appearance, label, parts, actions)

    def _repeat(self, element: etree._Element, context: str) -> Repeat:
        ref = self._ref(element, context)
        attributes = dict(written_attributes(element))
        fixed = attributes.get("jr:noAddRemove", "").strip()
        return Repeat(
            ref=ref,
            appearance=_appearance(element),
            label=_child_text(element, "label"),
            parts=self.read(element, ref),
            actions=self.actions([element], ref),
            count=attributes.get("jr:count", "").strip(),
            is_fixed=fixed.replace(" ", "") in ("true()", "true", "1"),
        )

    def _control(self, element: etree._Element, kind: str, context: str) -> Control:
        ref = self._ref(element, context)
        if "search(" in _appearance(element).replace(" ", ""):
            self._fault(ref, NO_SEARCH, element, "appearance")
        itemset = self._itemset(element)
        query = element.get("query", "").strip()
        if query:
            # "select one external": a select1 under another name.
            kind, itemset = "select1", Itemset(query, "name", "label")
        attributes = written_attributes(element)
        return Control(
            kind=kind,
            ref=ref,
            appearance=_appearance(element),
            label=_child_text(element, "label"),
            hint=_child_text(element, "hint"),
            choices=self._choices(element, ref),
            itemset=itemset,
            other=tuple((n, v) for n, v in attributes if n not in _NAMED),
            actions=self.actions([element], ref),
        )

    def _choices(self, control: etree._Element, ref: str) -> tuple[Choice, ...]:
        found: list[Choice] = []
        for item in _all_items(control):
            value = "".join(_values(item)).strip()
            if not value or " " in value:
                reason = f"选项的值 {value[:40]!r} 应有内容，且不含空格"
                self._fault(ref, reason, item)
            else:
                found.append(Choice(value, _child_text(item, "label")))
        return tuple(found)

    def _itemset(self, control: etree._Element) -> Itemset | None:
        for element in elements(control):
            if split(str(element.tag))[1] != "itemset":
                continue
            refs = {
                split(str(child.tag))[1]: child.get("ref", "").strip()
                for child in elements(element)
            }
            nodeset = element.get("nodeset", "").strip()
            if not nodeset or not refs.get("value"):
                self._fault("itemset", "选项列表没有写 nodeset 或 value", element)
                continue
            return Itemset(nodeset, refs["value"], refs.get("label", ""))
        return None

    def _action(self, element: etree._Element, context: str) -> Action:
        events = []
        for name in element.get("event", "").split():
            event = _OLD_EVENTS.get(name, name)
            if event in EVENTS:
                events.append(event)
            else:
                self._fault("setvalue", f"不认识的事件 {name[:60]!r}", element)
        if not events:
            self._fault("setvalue", "没有写事件（event）", element)
        target = (element.get("ref") or "").strip()
        path = without_predicates(target)
        if path == target:
            target = ""
        else:
            element.set("ref", path)
        ref = self._ref(element, context)
        text = "".join(str(part) for part in element.itertext())
        value = element.get("value")
        said = "" if value else text.strip()
        return Action(tuple(events), ref, target, value or "", said)

    def _ref(self, element: etree._Element, context: str, required: bool = True) -> str:
        written = element.get("ref") or element.get("nodeset")
        if bind := element.get("bind"):
            written = self.binds_by_id.get(bind, "")
            if not written:
                self._fault(f"bind {bind[:60]}", "没有这个 bind", element)
        if not written:
            if required:
                name = split(str(element.tag))[1]
                self._fault(name, "没有写对应的数据（ref）", element)
            return ""
        path = absolute(written, context)
        if path is None:
            self._fault(written[:80], "这里要写一条路径，不能带条件或函数", element)
            return ""
        return path

    def _fault(
        self, place: str, message: str, element: etree._Element, part: str = ""
    ) -> None:
        self.faults.append(DefinitionFault(place, message, line_of(element), part))


def _under_heading(repeat: Repeat, label: Text, appearance: str) -> Repeat:
    return Repeat(
        ref=repeat.ref,
        appearance=" ".join(filter(None, (appearance, repeat.appearance))),
        label=label or repeat.label,
        parts=repeat.parts,
        actions=repeat.actions,
        count=repeat.count,
        is_fixed=repeat.is_fixed,
    )


def _child_text(element: etree._Element, name: str) -> Text:
    for child in elements(element):
        if split(str(child.tag))[1] == name:
            return read_text(child)
    return NO_TEXT


def _appearance(element: etree._Element) -> str:
    return " ".join(element.get("appearance", "").split())


def _all_items(control: etree._Element) -> Iterable[etree._Element]:
    """Return the items, also those that stand in groups of choices."""
    for element in elements(control):
        name = split(str(element.tag))[1]
        if name == "item":
            yield element
        elif name == "choices":
            yield from _all_items(element)


def _values(item: etree._Element) -> Iterable[str]:
    for child in elements(item):
        if split(str(child.tag))[1] == "value":
            yield "".join(str(part) for part in child.itertext())
