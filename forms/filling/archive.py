"""A filling written as XML, and read again. Pure: no I/O.

`serialise` writes all that was answered, also what is not relevant at the moment, so
that a draft loses nothing. `submission` writes what counts: relevant nodes only.
"""

from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from forms.errors import DefinitionRefused, FillingRefused
from forms.filling.nodes import Node
from forms.filling.recalculate import MAX_INSTANCES
from forms.filling.structure import Place
from forms.xform.definition import Element
from forms.xform.xml import XFORMS, elements, parse, split


@dataclass(slots=True)
class Saved:
    """A saved filling, as far as the form has a place for it."""

    instance: Element
    dropped: list[tuple[str, str]] = field(default_factory=list)
    """Path and text of what has no place in this form."""


def serialise(root: Node) -> bytes:
    """Return the whole filling as XML, to be read by `read_saved`."""
    return etree.tostring(_draft(root), encoding="utf-8")


def submission(root: Node) -> bytes:
    """Return the filling as XML, without what is not relevant."""
    element = _relevant(root)
    return etree.tostring(
        _empty(root) if element is None else element, encoding="utf-8"
    )


def read_saved(root: Place, data: bytes) -> Saved:
    """Return a saved filling in the shape of the form.

    What the form asks and the saved text lacks is blank; default values are for new
    fillings only.

    Raises:
        FillingRefused: no XML, too large, or of another form.
    """
    try:
        top = parse(data)
    except DefinitionRefused as error:
        raise FillingRefused(str(error.faults[0])) from error
    if not _fits(root, top):
        name = split(str(top.tag))[1]
        raise FillingRefused(f"这是 {name[:60]!r} 的内容，不是 {root.name!r} 的")
    saved = Saved(Element(root.name))
    saved.instance = _read(root, top, saved, f"/{root.name}")
    return saved


def adopt(node: Node, pattern: Element | None) -> None:
    """Let nodes that were read know what the form gives in their place."""
    node.source = pattern
    given: dict[str, list[Element]] = {}
    for element in pattern.children if pattern else ():
        if not element.is_template:
            given.setdefault(element.name, []).append(element)
    for tag, place in node.place.children.items():
        patterns = given.get(place.name, [])
        for number, child in enumerate(node.children[tag]):
            known = number < len(patterns)
            adopt(child, patterns[number] if known else place.template)


def _read(place: Place, saved: etree._Element, into: Saved, path: str) -> Element:
    attributes = []
    for attribute in place.attributes.values():
        value = saved.get(attribute.tag)
        attributes.append((attribute.name, "" if value is None else str(value)))
    found: dict[Place, list[etree._Element]] = {}
    by_name = {split(tag)[1]: below for tag, below in place.children.items()}
    for child in elements(saved):
        below = by_name.get(split(str(child.tag))[1])
        full = below is not None and below in found and not below.is_repeat
        if below is None or full or not _fits(below, child):
            _drop(child, into, path)
        else:
            found.setdefault(below, []).append(child)
    children: list[Element] = []
    for below in place.children.values():
        there = found.get(below, [])
        if len(there) > MAX_INSTANCES:
            raise FillingRefused(f"{below.path} 超过 {MAX_INSTANCES} 组")
        for number, child in enumerate(there, start=1):
            at = f"[{number}]" if below.is_repeat else ""
            children.append(_read(below, child, into, f"{path}/{below.name}{at}"))
    text = (saved.text or "") if place.is_leaf else ""
    return Element(
        place.name,
        attributes=tuple(attributes),
        text=text,
        children=tuple(children),
    )


def _drop(saved: etree._Element, into: Saved, path: str) -> None:
    here = f"{path}/{split(str(saved.tag))[1]}"
    if text := (saved.text or "").strip():
        into.dropped.append((here, text))
    for child in elements(saved):
        _drop(child, into, here)


def _fits(place: Place, saved: etree._Element) -> bool:
    uri, name = split(str(saved.tag))
    own, local = split(place.tag)
    return local == name and (not own or own == uri)


def _empty(node: Node) -> etree._Element:
    """Return an element as the form declares it, with its attributes."""
    place = node.place
    uri, name = split(place.tag)
    namespaces: dict[Any, str] = {}  # the stubs do not know of a default namespace
    if uri:
        namespaces[place.name.partition(":")[0]] = uri
    elif place.namespace and place.namespace != XFORMS:
        uri = namespaces[None] = place.namespace
    for tag, attribute in place.attributes.items():
        if own := split(tag)[0]:
            namespaces[attribute.name.partition(":")[0]] = own
    return etree.Element(f"{{{uri}}}{name}" if uri else name, nsmap=namespaces)


def _draft(node: Node) -> etree._Element:
    element = _empty(node)
    for tag, attribute in node.attributes.items():
        element.set(tag, attribute.kept)
    element.text = node.kept or None
    for series in node.children.values():
        element.extend(_draft(child) for child in series)
    return element


def _relevant(node: Node) -> etree._Element | None:
    if not node.is_relevant:
        return None
    element = _empty(node)
    for tag, attribute in node.attributes.items():
        if attribute.is_relevant:
            element.set(tag, attribute.seen)
    element.text = node.seen or None
    for series in node.children.values():
        for child in series:
            below = _relevant(child)
            if below is not None:
                element.append(below)
    return element
