"""The nodes of one filling, beside the XML that expressions read. Pure: no I/O.

A node that is not relevant keeps its answer in `kept`, while its element is blank.
"""

import re
from collections.abc import Iterator

from lxml import etree

from forms.errors import NoSuchNode
from forms.filling.near import HIDDEN
from forms.filling.structure import Place, Structure
from forms.filling.values import as_number
from forms.xform.definition import Element

_STEP = re.compile(r"(@?[^\[\]/]+)(?:\[([0-9]{1,6})\])?")


class Node:
    """One node: a group, an instance of a repeat, an answer or an attribute."""

    __slots__ = (
        "attributes",
        "children",
        "element",
        "is_relevant",
        "is_relevant_here",
        "kept",
        "offered",
        "parent",
        "place",
        "seen",
        "source",
    )

    def __init__(
        self, place: Place, parent: "Node | None", source: Element | None
    ) -> None:
        self.place = place
        self.parent = parent
        self.source = source
        """What of the form it was made from."""
        self.element: etree._Element
        """Of an attribute: the element that bears it."""
        self.kept = ""
        """The answer, whatever relevance and choices make of it."""
        self.seen = ""
        """The answer as expressions see it."""
        self.offered: tuple[str, ...] | None = None
        """The values that are offered; None: anything may be answered."""
        self.is_relevant_here = True
        self.is_relevant = True
        self.children: dict[str, list[Node]] = {}
        self.attributes: dict[str, Node] = {}
        if place.is_attribute:
            assert parent is not None
            self.element = parent.element
        else:
            self.element = etree.Element(place.tag)

    @property
    def root(self) -> "Node":
        """The topmost node: that of the filling, or what was taken out."""
        node = self
        while node.parent is not None:
            node = node.parent
        return node

    @property
    def position(self) -> int:
        """The position among the instances of a repeat, from 1."""
        if self.parent is None or self.place.is_attribute:
            return 1
        return self.parent.children[self.place.tag].index(self) + 1

    @property
    def path(self) -> str:
        """The way to this node, with positions on repeats."""
        steps = []
        for node in self.above():
            at = f"[{node.position}]" if node.place.is_repeat else ""
            sign = "@" if node.place.is_attribute else ""
            steps.append(f"/{sign}{node.place.name}{at}")
        return "".join(reversed(steps))

    def above(self) -> "Iterator[Node]":
        """Return this node and those above it, upwards."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent

    def below(self) -> "Iterator[Node]":
        """Return this node and all below it, attributes too, in document order."""
        yield self
        yield from self.attributes.values()
        for series in self.children.values():
            for child in series:
                yield from child.below()

    def show(self, value: str) -> None:
        """Let expressions see this value."""
        self.seen = value
        if self.place.bind.type == "decimal":
            value = as_number(value)
        if self.place.is_attribute:
            self.element.set(self.place.tag, value)
        else:
            self.element.text = value or None

    def appear(self, is_relevant: bool) -> None:
        """Take note of whether this is relevant, with all that stands above it."""
        self.is_relevant = is_relevant
        if self.place.is_attribute:
            return
        if not is_relevant:
            self.element.set(HIDDEN, "")
        elif HIDDEN in self.element.attrib:
            del self.element.attrib[HIDDEN]

    def up_to(self, place: Place) -> "Node | None":
        """Return the node of this place at or above this one."""
        return next((node for node in self.above() if node.place is place), None)

    def all_of(self, place: Place) -> "list[Node]":
        """Return all nodes of a place at or below this one, in document order."""
        steps = []
        for step in place.above():
            if step is self.place:
                break
            steps.append(step)
        else:
            return []
        found = [self]
        for step in reversed(steps):
            if step.is_attribute:
                found = [node.attributes[step.tag] for node in found]
            else:
                found = [c for node in found for c in node.children.get(step.tag, ())]
        return found


def make(place: Place, source: Element | None, parent: Node | None) -> Node:
    """Return a node with all below it, not yet in the tree of its parent.

    `source` has the values to begin with; None: all is blank, without any repeats.
    """
    node = Node(place, parent, source)
    given = dict(source.attributes) if source else {}
    for tag, attribute in place.attributes.items():
        made = Node(attribute, node, None)
        node.attributes[tag] = made
        made.kept = given.get(attribute.name, "")
        made.show(made.kept)
    if place.is_leaf:
        node.kept = source.text if source else ""
    series: dict[str, list[Element]] = {}
    for element in source.children if source else ():
        if not element.is_template:
            series.setdefault(element.name, []).append(element)
    for tag, below in place.children.items():
        sources: list[Element | None] = list(series.get(below.name, ()))
        if not sources and not below.is_repeat:
            sources = [None]
        node.children[tag] = [make(below, one, node) for one in sources]
        node.element.extend(child.element for child in node.children[tag])
    return node


def insert(parent: Node, node: Node) -> None:
    """Put a new instance of a repeat behind the others of its kind."""
    before: Node | None = None
    for series in parent.children.values():
        for sibling in series:
            if sibling.place.order <= node.place.order:
                before = sibling
    parent.children[node.place.tag].append(node)
    if before is None:
        parent.element.insert(0, node.element)
    else:
        before.element.addnext(node.element)


def remove(node: Node) -> None:
    """Take an instance of a repeat out; it has no parent any more."""
    assert node.parent is not None
    node.parent.children[node.place.tag].remove(node)
    node.parent.element.remove(node.element)
    node.parent = None


def find(root: Node, ref: str) -> Node:
    """Return the node at a path; a repeat needs its position, where it has several.

    Raises:
        NoSuchNode: there is none, or not just one.
    """
    found = find_all(root, ref)
    if len(found) != 1:
        raise NoSuchNode(ref) if not found else NoSuchNode(ref, "这里有不止一处")
    return found[0]


def find_all(root: Node, ref: str) -> list[Node]:
    """Return the nodes at a path; without a position, all instances of a repeat."""
    first, *steps = ref.removeprefix("/").split("/")
    nodes = [root] if _STEP.sub(r"\1", first) == root.place.name else []
    for step in steps:
        found = _STEP.fullmatch(step)
        if not found:
            raise NoSuchNode(ref)
        name, position = found[1], found[2]
        below: list[Node] = []
        for node in nodes:
            if name.startswith("@"):
                own = node.attributes.values()
                below += [a for a in own if a.place.name == name[1:]]
                continue
            series = _series(node, name)
            below += series[int(position) - 1 : int(position)] if position else series
        nodes = below
    return nodes


def _series(node: Node, name: str) -> list[Node]:
    for tag, place in node.place.children.items():
        if place.name == name:
            return node.children[tag]
    return []


def repeat_at(root: Node, structure: Structure, ref: str) -> tuple[Node, Place]:
    """Return where the instances of a repeat stand: their parent, and their place."""
    above, _, _name = ref.rpartition("/")
    place = structure.places.get(re.sub(r"\[[0-9]+\]", "", ref))
    if place is None or not place.is_repeat:
        raise NoSuchNode(ref, "这不是重复组")
    return find(root, above), place
