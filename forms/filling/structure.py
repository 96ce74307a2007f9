"""The places that answers can have: the shape of an instance. Pure: no I/O.

A `Place` stands for all nodes of one path, whatever instance of a repeat they are in.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from forms.errors import DefinitionFault, DefinitionRefused
from forms.xform.definition import (
    Bind,
    Control,
    Definition,
    Element,
    Group,
    Part,
    Repeat,
)

MAX_PLACES = 5_000
"""Most places of a form; a sheet of 10,000 rows is a mistake, no form."""


@dataclass(eq=False, slots=True)
class Place:
    """All nodes of one path."""

    path: str
    name: str
    """As written, with its prefix; of an attribute, without "@"."""
    tag: str
    """As lxml names it: "name" or "{uri}name"."""
    parent: "Place | None"
    order: int
    """Places come in document order; a place comes before those below it."""
    bind: Bind
    namespace: str = ""
    """As the form declares it, for writing; unprefixed names have none for reading."""
    children: dict[str, "Place"] = field(default_factory=dict)
    """By tag, in document order."""
    attributes: dict[str, "Place"] = field(default_factory=dict)
    is_attribute: bool = False
    is_repeat: bool = False
    template: Element | None = None
    """What a new instance of a repeat is made from."""
    control: Control | None = None
    group: Group | Repeat | None = None

    @property
    def is_leaf(self) -> bool:
        """Only such a place holds an answer."""
        return not self.children

    def above(self) -> "Iterator[Place]":
        """Return this place and those above it, upwards."""
        place: Place | None = self
        while place is not None:
            yield place
            place = place.parent

    def below(self) -> "Iterator[Place]":
        """Return this place and all below it, attributes too, in document order."""
        yield self
        yield from self.attributes.values()
        for child in self.children.values():
            yield from child.below()


@dataclass(frozen=True, slots=True)
class Structure:
    """All places of a form."""

    root: Place
    places: Mapping[str, Place]
    """By path, in document order."""
    instance_id: str = ""
    warnings: tuple[DefinitionFault, ...] = ()
    """What is left out, while the rest of the form works."""


def build(definition: Definition, faults: list[DefinitionFault]) -> Structure:
    """Return the places of a form; what does not fit together is added to `faults`."""
    repeats = {part.ref for part in _parts(definition.body) if isinstance(part, Repeat)}
    builder = _Builder(definition, repeats, faults)
    root = builder.place(definition.instance, None, [definition.instance])
    warnings = _attach(definition, builder.places, faults)
    return Structure(root, builder.places, definition.instance_id, tuple(warnings))


def tag_of(name: str, namespaces: Mapping[str, str]) -> str:
    """Return the name of lxml for a name as written; unprefixed: no namespace."""
    prefix, colon, local = name.partition(":")
    return f"{{{namespaces.get(prefix, prefix)}}}{local}" if colon else name


class _Builder:
    def __init__(
        self, definition: Definition, repeats: set[str], faults: list[DefinitionFault]
    ) -> None:
        self.binds = {bind.ref: bind for bind in definition.binds}
        self.namespaces = dict(definition.namespaces)
        self.repeats = repeats
        self.faults = faults
        self.places: dict[str, Place] = {}

    def place(
        self, element: Element, parent: Place | None, alike: list[Element]
    ) -> Place:
        """Return the place of these elements, which have one name and one parent."""
        path = f"{parent.path if parent else ''}/{element.name}"
        place = self._new(path, element.name, parent)
        place.namespace = element.namespace
        place.is_repeat = path in self.repeats or any(e.is_template for e in alike)
        if place.is_repeat:
            # Without a template, the first instance is the pattern of all others.
            templates = [e for e in alike if e.is_template] or alike
            place.template = templates[0]
        for name, _value in element.attributes:
            if name != "xmlns" and f"{path}/@{name}" not in self.places:
                attribute = self._new(f"{path}/@{name}", name, place)
                attribute.is_attribute = True
                place.attributes[attribute.tag] = attribute
        series: dict[str, list[Element]] = {}
        twice: set[str] = set()
        for one in alike:
            names = Counter(c.name for c in one.children if not c.is_template)
            twice.update(name for name, count in names.items() if count > 1)
            for child in one.children:
                series.setdefault(child.name, []).append(child)
        for children in series.values():
            below = self.place(children[0], place, children)
            place.children[below.tag] = below
            if below.name in twice and not below.is_repeat:
                reason = "同名的数据出现了不止一次，但它不是重复组"
                self._fault(below.path, reason)
        return place

    def _new(self, path: str, name: str, parent: Place | None) -> Place:
        tag = tag_of(name, self.namespaces)
        bind = self.binds.get(path) or Bind(path)
        place = Place(path, name, tag, parent, len(self.places), bind)
        if len(self.places) == MAX_PLACES:
            raise DefinitionRefused(path, f"数据项超过 {MAX_PLACES} 个")
        self.places[path] = place
        return place

    def _fault(self, place: str, message: str) -> None:
        self.faults.append(DefinitionFault(place, message))


def _attach(
    definition: Definition, places: dict[str, Place], faults: list[DefinitionFault]
) -> list[DefinitionFault]:
    """Let each place know its question or group; return what has no place."""
    homeless = []
    for bind in definition.binds:
        if bind.ref not in places:
            faults.append(DefinitionFault(f"bind {bind.ref}", "表单里没有这项数据"))
    for part in _parts(definition.body):
        place = places.get(part.ref)
        if place is None:
            if isinstance(part, Control):
                reason = "问题没有对应的数据，不会显示"
                homeless.append(DefinitionFault(part.ref, reason))
            elif part.ref:
                faults.append(DefinitionFault(part.ref, "分组对应的数据不存在"))
        elif isinstance(part, Control):
            if not place.is_leaf:
                faults.append(DefinitionFault(part.ref, "这是一个分组，不能直接填写"))
            elif place.control is None:
                place.control = part
        elif not (place.is_repeat and isinstance(part, Group)):
            place.group = part
    return homeless


def _parts(body: tuple[Part, ...]) -> Iterator[Part]:
    for part in body:
        yield part
        if not isinstance(part, Control):
            yield from _parts(part.parts)
