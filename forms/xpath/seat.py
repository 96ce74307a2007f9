"""From where an expression is evaluated. Pure: no I/O."""

from dataclasses import dataclass

from lxml import etree

from forms.xpath.setting import Setting
from forms.xpath.values import Node


@dataclass(frozen=True, slots=True)
class Seat:
    """From where an expression is evaluated.

    Attributes:
        below_parent: absolute paths start at the variable `root`, not at the document.
        moved: `current()` is the variable `current`, not the context node.
        way: from the element that libxml2 gets to the context node, which may be an
            attribute, a text or the document; empty: it is that element.
    """

    below_parent: bool
    moved: bool
    way: str


PLAIN = Seat(below_parent=False, moved=False, way="")
"""At an element, with nothing out of the ordinary."""


def seat_of(setting: Setting, way: str) -> Seat:
    """Return the seat for a setting and the way to the context node."""
    below_parent = setting.root is not None and setting.root.getparent() is not None
    if not (below_parent or way or setting.current is not None):
        return PLAIN
    return Seat(below_parent, setting.current is not None, way)


def locate(node: Node) -> tuple[etree._Element, str]:
    """Return an element, and the way from it to the context node.

    lxml evaluates at elements only; a text belongs to the element before or around it.
    """
    if isinstance(node, etree._Comment | etree._ProcessingInstruction):
        return _beside(node)
    if isinstance(node, etree._Element):
        return node, ""
    if isinstance(node, etree._ElementTree):
        root = node.getroot()
        assert root is not None
        return root, "/"
    assert isinstance(node, etree._ElementUnicodeResult), "a string of no tree"
    owner = node.getparent()
    assert owner is not None
    if node.is_attribute:
        name = etree.QName(node.attrname or "")
        uri = name.namespace or ""
        quote = '"' if "'" in uri else "'"
        test = f"local-name() = '{name.localname}'"
        return owner, f"@*[{test} and namespace-uri() = {quote}{uri}{quote}]"
    if node.is_tail:
        if isinstance(owner, etree._Comment | etree._ProcessingInstruction):
            owner, way = _beside(owner)
            return owner, f"{way}/following-sibling::node()[1]"
        return owner, "following-sibling::node()[1]"
    return owner, "child::node()[1]"


def _beside(node: etree._Element) -> tuple[etree._Element, str]:
    """Return the way to a comment or an instruction."""
    is_comment = isinstance(node, etree._Comment)
    test = "comment()" if is_comment else "processing-instruction()"
    kind = etree.Comment if is_comment else etree.PI
    number = 1 + sum(1 for _ in node.itersiblings(kind, preceding=True))
    parent = node.getparent()
    if parent is None:
        return node.getroottree().getroot(), f"/child::{test}[{number}]"
    return parent, f"child::{test}[{number}]"
