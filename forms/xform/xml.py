"""The one door through which XML comes in. Pure: no I/O.

The bytes may be hostile: no document type, no entities, no network; size, depth and
the number of elements have limits.
"""

from collections.abc import Iterator

from lxml import etree

from forms.errors import DefinitionRefused

MAX_XML_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 100
MAX_ELEMENTS = 300_000

_TOO_DEEP = f"嵌套超过 {MAX_DEPTH} 层，请减少分组"

XFORMS = "http://www.w3.org/2002/xforms"
XHTML = "http://www.w3.org/1999/xhtml"
JAVAROSA = "http://openrosa.org/javarosa"
OPENROSA = "http://openrosa.org/xforms"
ODK = "http://www.opendatakit.org/xforms"


def parse(data: bytes | str) -> etree._Element:
    """Return the root of a document, comments and processing instructions gone.

    Raises:
        DefinitionRefused: no XML, or beyond a limit, or with a document type.
    """
    raw = data.encode() if isinstance(data, str) else data
    if len(raw) > MAX_XML_BYTES:
        raise DefinitionRefused("", f"有 {len(raw)} 字节，最多 {MAX_XML_BYTES} 字节")
    try:
        root = etree.fromstring(raw, _parser())
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        said = str(error)[:200]
        reason = _TOO_DEEP if "depth" in said else f"不是正确的 XML（{said}）"
        raise DefinitionRefused("", reason) from error
    # The declared names of a document type are refused, not only left unread.
    if root.getroottree().docinfo.internalDTD is not None:
        raise DefinitionRefused("", "不能带文档类型声明（DOCTYPE）")
    _measure(root)
    return root


def elements(parent: etree._Element) -> Iterator[etree._Element]:
    """Return the child elements, without comments and the like."""
    return (child for child in parent if isinstance(child.tag, str))


def split(tag: str) -> tuple[str, str]:
    """Return namespace and local name of "{uri}name"."""
    if tag.startswith("{"):
        uri, _, name = tag[1:].partition("}")
        return uri, name
    return "", tag


def line_of(element: etree._Element) -> int:
    """Return the line on which an element begins, from 1; 0: not known."""
    line: object = element.sourceline  # a property, though the stubs do not say so
    return line if isinstance(line, int) else 0


def written(element: etree._Element) -> str:
    """Return the name of an element as it was written, with its prefix."""
    name = split(str(element.tag))[1]
    return f"{element.prefix}:{name}" if element.prefix else name


def written_attributes(element: etree._Element) -> list[tuple[str, str]]:
    """Return the attributes, names with their prefixes."""
    prefixes = {uri: prefix for prefix, uri in element.nsmap.items() if prefix}
    found = []
    for name, value in element.attrib.items():
        uri, local = split(str(name))
        prefix = prefixes.get(uri, "") if uri else ""
        found.append((f"{prefix}:{local}" if prefix else local, str(value)))
    return found


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _measure(root: etree._Element) -> None:
    depth, count = 0, 0
    for event, _element in etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            depth -= 1
            continue
        depth, count = depth + 1, count + 1
        if depth > MAX_DEPTH:
            raise DefinitionRefused("", _TOO_DEEP)
        if count > MAX_ELEMENTS:
            raise DefinitionRefused("", f"元素超过 {MAX_ELEMENTS} 个")
