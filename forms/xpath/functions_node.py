"""Functions on nodes, choices and places. Pure: no I/O."""

import hashlib
import math
from collections.abc import Iterator

from lxml import etree

from forms.xpath import geo
from forms.xpath.errors import NoValue
from forms.xpath.function import Function, Type, Use, row
from forms.xpath.setting import Setting
from forms.xpath.values import NAN, Node, Value, nodes_of, text_of, to_number, to_string

_PARK_MILLER = 2_147_483_647


def _position(_setting: Setting, nodes: list[Node]) -> float:
    """Return the place of a node among its siblings of the same name, from 1."""
    if not nodes or not isinstance(nodes[0], etree._Element):
        return NAN
    node = nodes[0]
    return 1.0 + sum(1 for _ in node.itersiblings(node.tag, preceding=True))


def _count_non_empty(_setting: Setting, nodes: list[Node]) -> float:
    return float(sum(1 for node in nodes if text_of(node)))


def _id(_setting: Setting, root: list[Node], value: Value) -> Value:
    """Return the elements whose attribute `id` is one of the names, in any order."""
    names = {name for node in nodes_of(value) for name in text_of(node).split()}
    found: dict[str, etree._Element] = {}
    for top in root:
        assert isinstance(top, etree._Element)
        for element in top.iter(etree.Element):
            name = element.get("id")
            if name in names:
                found.setdefault(name, element)
    return list(found.values())


def _instance(setting: Setting, name: str) -> Value:
    if name not in setting.instances:
        raise NoValue(f"没有名为 {name[:40]!r} 的数据表（instance）")
    return [setting.instances[name]]


def _randomize(setting: Setting, nodes: list[Node], seed: Value | None = None) -> Value:
    return shuffle(setting, nodes, seed)


def shuffle(setting: Setting, nodes: list[Node], seed: Value | None) -> list[Node]:
    """Return the nodes in another order, the same for the same seed.

    Source: ODK XForms, `randomize`: Fisher-Yates from the inside out; with a seed on
    the numbers of Park and Miller. A seed that is no number counts by its SHA-256.
    """
    numbers = _chances(setting, seed)
    shuffled: list[Node] = []
    for place, node in enumerate(nodes):
        other = math.floor(next(numbers) * (place + 1))
        shuffled.append(node)
        shuffled[place], shuffled[other] = shuffled[other], node
    return shuffled


def _chances(setting: Setting, seed: Value | None) -> Iterator[float]:
    """Give numbers from 0 to 1, 1 excluded, without end."""
    if seed is None:
        while True:
            yield setting.random.random()
    state = int(math.fmod(_seed_number(seed), _PARK_MILLER))
    state = state if state > 0 else state + _PARK_MILLER - 1
    while True:
        state = state * 16_807 % _PARK_MILLER
        yield (state - 1) / (_PARK_MILLER - 1)


def _seed_number(seed: Value) -> int:
    number = to_number(seed)
    if math.isfinite(number):
        return math.trunc(number)
    digest = hashlib.sha256(to_string(seed).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _indexed_repeat(
    _setting: Setting, current: list[Node], nodes: list[Node], *levels: Value
) -> str:
    """Return the text of the node that lies in the numbered repeats.

    `levels` are pairs: the instances of a repeat, and which of them, from 1. Where a
    repeat lies in another that is not named, the one around the current node counts.
    """
    if len(levels) % 2:
        raise NoValue("indexed-repeat 的每个循环组后面要有序号")
    around = _lineage(current[0]) if current else set()
    inside: etree._Element | None = None
    # The outer repeat may be named after the inner one, and still comes first.
    pairs = sorted(zip(levels[::2], levels[1::2], strict=True), key=_depth)
    for repeats, number in pairs:
        inside = _instance_number(repeats, to_number(number), inside, around)
        if inside is None:
            return ""
    for node in nodes:
        if inside is None or inside in _lineage(node):
            return text_of(node)
    return ""


def _depth(pair: tuple[Value, Value]) -> int:
    repeats = pair[0]
    first = repeats[0] if isinstance(repeats, list) and repeats else ""
    return len(_lineage(first))


def _instance_number(
    repeats: Value,
    number: float,
    inside: etree._Element | None,
    around: set[etree._Element],
) -> etree._Element | None:
    if not isinstance(repeats, list):
        raise NoValue("indexed-repeat 需要循环组的路径")
    families: dict[etree._Element | None, list[etree._Element]] = {}
    for repeat in repeats:
        if isinstance(repeat, etree._Element) and (
            inside is None or inside in _lineage(repeat)
        ):
            families.setdefault(repeat.getparent(), []).append(repeat)
    if not families:
        return None
    near = [family for parent, family in families.items() if parent in around]
    family = near[-1] if near else next(iter(families.values()))
    place = int(number) if math.isfinite(number) else 0
    return family[place - 1] if 1 <= place <= len(family) else None


def _lineage(node: Node) -> set[etree._Element]:
    """Return an element and all elements around it."""
    if isinstance(node, str):
        parent = getattr(node, "getparent", lambda: None)()
        return set() if parent is None else _lineage(parent)
    if not isinstance(node, etree._Element):
        return set()
    return {node, *node.iterancestors()}


def _selected(_setting: Setting, chosen: str, value: str) -> bool:
    return value.strip() in chosen.split()


def _selected_at(_setting: Setting, chosen: str, place: float) -> str:
    values = chosen.split()
    return values[int(place)] if 0 <= place < len(values) else ""


def _count_selected(_setting: Setting, chosen: str) -> float:
    return float(len(chosen.split()))


def _points(value: Value) -> list[geo.Point] | None:
    texts = [text_of(node) for node in nodes_of(value)]
    return geo.read_points([text for text in texts if text.strip()])


def _area(_setting: Setting, value: Value) -> float:
    points = _points(value)
    return NAN if points is None else geo.area_m2(points)


def _distance(_setting: Setting, *values: Value) -> float:
    points = []
    for value in values:
        some = _points(value)
        if some is None:
            return NAN
        points += some
    return geo.length_m(points)


def _geofence(_setting: Setting, point: str, shape: str) -> bool:
    inside, around = geo.read_point(point), geo.read_points([shape])
    return inside is not None and around is not None and geo.is_inside(inside, around)


def _if(_setting: Setting, condition: bool, yes: Value, no: Value) -> Value:
    """Choose; libxml2 has worked out both (an outermost `if` never comes here)."""
    return yes if condition else no


ROWS: list[Function] = [
    row("if", "baa", Type.ANY, _if),
    row("count", "N", Type.NUMBER),
    row("sum", "N", Type.NUMBER),
    row("last", "", Type.NUMBER, None, Use.POSITION),
    row("position", "?N", Type.NUMBER, _position, Use.POSITION),
    row("local-name", "?N", Type.STRING),
    row("name", "?N", Type.STRING),
    row("namespace-uri", "?N", Type.STRING),
    row("lang", "s", Type.BOOLEAN),
    row("id", "a", Type.NODES, _id, after_current=True),
    row(
        "indexed-repeat",
        "NNn?a*",
        Type.STRING,
        _indexed_repeat,
        Use.POSITION,
        after_current=True,
    ),
    row("count-non-empty", "N", Type.NUMBER, _count_non_empty),
    row("randomize", "N?a", Type.NODES, _randomize),
    row("instance", "s", Type.NODES, _instance),
    row("current", "", Type.NODES),
    row("selected", "ss", Type.BOOLEAN, _selected),
    row("selected-at", "sn", Type.STRING, _selected_at),
    row("count-selected", "s", Type.NUMBER, _count_selected),
    row("area", "a", Type.NUMBER, _area),
    row("distance", "a*", Type.NUMBER, _distance),
    row("geofence", "ss", Type.BOOLEAN, _geofence),
]
