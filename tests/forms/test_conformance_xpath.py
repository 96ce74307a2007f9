"""Score of the expressions against cases that other projects publish."""

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from forms.xpath import (
    ExpressionFailed,
    ExpressionRefused,
    Node,
    Setting,
    compile_expression,
    to_string,
)
from tests.forms.outside import outside_cases

FLOORS = {"xpath-native.json": 1.0, "xpath-openrosa.json": 0.99}
"""The least part of the undisputed cases that must pass."""
XFORMS = "{http://www.w3.org/2002/xforms}"
PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


@pytest.mark.parametrize("name", FLOORS)
def test_expressions_give_what_other_programs_expect(name: str) -> None:
    cases = outside_cases(name)

    failed = [(case, why) for case in cases if (why := failure(case))]

    for case, why in failed:
        print(f"{case['id']} {case['expression'][:100]!r}: {why}")
    print(f"{name}: {len(cases) - len(failed)} of {len(cases)} pass")
    assert len(failed) <= len(cases) * (1 - FLOORS[name])


def failure(case: dict[str, Any]) -> str:
    """Return what is wrong with the result; empty: nothing."""
    try:
        found = result(case)
    except (ExpressionRefused, ExpressionFailed) as error:
        return "" if case["error_expected"] else f"refused: {error.reason}"
    if case["error_expected"]:
        return "should have been refused"
    return "" if fits(case, found) else f"{found!r}, not {case['expected_value']!r}"


def result(case: dict[str, Any]) -> Any:
    document = etree.fromstring((case["context_xml"] or "<root/>").encode(), PARSER)
    tree = document.getroottree()
    node = at(tree, case["context_node"] or "/")
    namespaces = dict(case["namespaces"])
    root = None
    if "root_node" in case:
        around = at(tree, case["root_node"])
        assert isinstance(around, etree._Element)
        root = around[0]
        namespaces[""] = root.nsmap.get(None, "")
    expression = compile_expression(case["expression"], namespaces)
    return READERS[case["expected_type"]](
        expression, node, setting_of(case, tree, root)
    )


def setting_of(
    case: dict[str, Any], tree: etree._ElementTree, root: etree._Element | None
) -> Setting:
    zone = ZoneInfo(case.get("timezone", "America/Phoenix"))
    return Setting(
        now=datetime(2026, 11, 22, 9, 30, tzinfo=zone),
        root=root,
        instances={
            element.get("id", ""): element
            for element in tree.iter(f"{XFORMS}instance")
            if element.get("id")
        },
        language=case.get("language", ""),
        itext=lambda name, language: texts(tree, name, language),
    )


def texts(tree: etree._ElementTree, name: str, language: str) -> list[etree._Element]:
    translations = list(tree.iter(f"{XFORMS}translation"))
    chosen = [t for t in translations if t.get("lang") == language]
    chosen += [t for t in translations if t.get("default") is not None]
    found = [text for text in (*chosen, *translations)[0] if text.get("id") == name]
    return list(found[0])


def at(tree: etree._ElementTree, path: str) -> Node:
    """Return the node that a path of the cases names."""
    if path == "/":
        return tree
    (node,) = tree.getroot().xpath(path)
    return node


def paths(nodes: list[Node]) -> list[str]:
    return [path_of(node) for node in nodes]


def path_of(node: Node) -> str:
    if isinstance(node, etree._ElementTree):
        return "/"
    if isinstance(node, etree._ElementUnicodeResult):
        parent = node.getparent()
        if node.is_attribute:
            names = {uri: prefix for prefix, uri in parent.nsmap.items() if prefix}
            name = etree.QName(node.attrname)
            prefix = f"{names[name.namespace]}:" if name.namespace else ""
            return f"{path_of(parent)}/@{prefix}{name.localname}"
        around = parent.getparent() if node.is_tail else parent
        before = around.xpath("text()")
        number = 1 + next(
            n
            for n, text in enumerate(before)
            if text.getparent() is parent and text.is_tail == node.is_tail
        )
        return f"{path_of(around)}/text()[{number}]"
    kind = {etree.Comment: "comment()", etree.PI: "processing-instruction()"}
    test = kind.get(node.tag, "*")
    number = 1 + len(node.xpath(f"preceding-sibling::{test}"))
    above = node.getparent()
    return f"{'' if above is None else path_of(above)}/{test}[{number}]"


READERS: dict[str, Callable[..., Any]] = {
    "boolean": lambda e, n, s: e.evaluate_boolean(n, s),
    "number": lambda e, n, s: e.evaluate_number(n, s),
    "string": lambda e, n, s: e.evaluate_string(n, s),
    "string-length": lambda e, n, s: len(e.evaluate_string(n, s)),
    "string-pattern": lambda e, n, s: e.evaluate_string(n, s),
    "nodes": lambda e, n, s: paths(e.evaluate_nodes(n, s)),
    "nodes-unordered": lambda e, n, s: sorted(paths(e.evaluate_nodes(n, s))),
    "first-node": lambda e, n, s: paths(e.evaluate_nodes(n, s))[:1],
    "node-count": lambda e, n, s: len(e.evaluate_nodes(n, s)),
    "nodes-text-joined": lambda e, n, s: "".join(
        to_string([node]) for node in e.evaluate_nodes(n, s)
    ),
    "error": lambda e, n, s: e.evaluate(n, s),
}


def fits(case: dict[str, Any], found: Any) -> bool:
    wanted = case["expected_value"]
    match case["expected_type"]:
        case "string-pattern":
            return re.search(wanted, found) is not None
        case "nodes-unordered":
            return bool(found == sorted(wanted))
        case "number":
            wanted = float(wanted)
            if math.isnan(wanted) or math.isinf(wanted):
                return repr(found) == repr(wanted)
            if factor := case.get("round_factor"):
                found = math.floor(found * factor + 0.5) / factor
            return math.isclose(found, wanted, rel_tol=1e-12)
        case _:
            return bool(found == wanted)
