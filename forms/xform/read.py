"""An XForm made into a `Definition`. Pure: no I/O.

Read here is what is written; whether expressions and references can work is judged by
`forms.filling.prepare`. All faults are found at once.
"""

from collections.abc import Sequence

from lxml import etree

from forms.errors import DefinitionFault, DefinitionRefused
from forms.xform.body import BodyReader
from forms.xform.definition import Bind, Definition, Element, Secondary
from forms.xform.steps import absolute
from forms.xform.texts import read_message, read_translations
from forms.xform.xml import (
    JAVAROSA,
    ODK,
    OPENROSA,
    XHTML,
    elements,
    line_of,
    parse,
    split,
    written,
    written_attributes,
)

# What expressions may use even where the form does not declare it.
_PREFIXES = {"jr": JAVAROSA, "orx": OPENROSA, "odk": ODK, "h": XHTML}

TYPES = {
    "integer": "int",
    "long": "int",
    "double": "decimal",
    "float": "decimal",
    "datetime": "dateTime",
    "odk:rank": "rank",
}
"""Other names of types."""

# Attributes of a bind that have a place of their own; the rest is kept by name.
_BIND = {
    "nodeset",
    "ref",
    "id",
    "type",
    "relevant",
    "required",
    "readonly",
    "constraint",
    "calculate",
    "jr:requiredMsg",
    "jr:constraintMsg",
    "jr:preload",
    "jr:preloadParams",
}


def read_form(xml: bytes | str) -> Definition:
    """Return the form that an XForm describes.

    Raises:
        DefinitionRefused: it is no XForm, or has faults; all of them are named.
    """
    root = parse(xml)
    faults: list[DefinitionFault] = []
    model = _first(root, "model")
    if model is None:
        raise DefinitionRefused("", "这不是 XForm：没有 model 一节")
    instances = [e for e in elements(model) if split(str(e.tag))[1] == "instance"]
    primary = next((e for e in elements(instances[0])), None) if instances else None
    if primary is None:
        raise DefinitionRefused("model", "没有要填写的数据（instance）")
    instance = element_of(primary)
    binds, by_id = _binds(model, instance.name, faults)
    reader = BodyReader(by_id, faults)
    body = _first(root, "body")
    context = f"/{instance.name}"
    attributes = dict(instance.attributes)
    title = _first(root, "title")
    itext = next((e for e in elements(model) if split(str(e.tag))[1] == "itext"), None)
    definition = Definition(
        id=attributes.get("id") or instance.namespace or instance.name,
        instance=instance,
        instance_id=instances[0].get("id") or "",
        version=attributes.get("version") or attributes.get("orx:version", ""),
        title=" ".join("".join(map(str, title.itertext())).split())
        if title is not None
        else "",
        style=body.get("class", "") if body is not None else "",
        namespaces=_namespaces(root),
        binds=binds,
        body=reader.read(body, context) if body is not None else (),
        secondary=_secondary(instances[1:], faults),
        translations=read_translations(itext, faults),
        actions=reader.actions([model], context),
        submission=_submission(model),
    )
    if faults:
        raise DefinitionRefused("", "", faults)
    return definition


def element_of(source: etree._Element) -> Element:
    """Return an instance element; white space alone is no default value."""
    attributes = written_attributes(source)
    children = tuple(element_of(child) for child in elements(source))
    text = "" if children else (source.text or "")
    return Element(
        name=written(source),
        namespace=split(str(source.tag))[0],
        attributes=tuple((n, v) for n, v in attributes if n != "jr:template"),
        text=text if text.strip() else "",
        children=children,
        is_template=any(name == "jr:template" for name, _value in attributes),
    )


def _first(root: etree._Element, name: str) -> etree._Element | None:
    return next(root.iter("{*}" + name), None)


def _binds(
    model: etree._Element, root_name: str, faults: list[DefinitionFault]
) -> tuple[tuple[Bind, ...], dict[str, str]]:
    """Return the binds, one for a node, and the paths of those with an id."""
    found: dict[str, Bind] = {}
    by_id: dict[str, str] = {}
    for element in elements(model):
        if split(str(element.tag))[1] != "bind":
            continue
        attributes = dict(written_attributes(element))
        nodeset = attributes.get("nodeset") or attributes.get("ref", "")
        ref = absolute(nodeset, f"/{root_name}") if nodeset.strip() else None
        if ref is None:
            reason = "bind 要写一条不带条件的路径（nodeset）"
            place = f"bind {nodeset[:80]}".strip()
            faults.append(DefinitionFault(place, reason, line_of(element)))
            continue
        if key := attributes.get("id"):
            by_id[key] = ref
        found[ref] = _bind(ref, attributes, found.get(ref))
    return tuple(found.values()), by_id


def _bind(ref: str, attributes: dict[str, str], earlier: Bind | None) -> Bind:
    """Return a bind; of two for one node, what the later one says counts."""
    before = earlier or Bind(ref)
    kind = attributes.get("type", "").strip().removeprefix("xsd:").removeprefix("xs:")
    required = attributes.get("jr:requiredMsg", "")
    constraint = attributes.get("jr:constraintMsg", "")
    other = dict(before.other) | {
        name: value for name, value in attributes.items() if name not in _BIND
    }

    def said(name: str, otherwise: str) -> str:
        return attributes.get(name, "").strip() or otherwise

    return Bind(
        ref=ref,
        type=TYPES.get(kind, kind) or before.type,
        relevant=said("relevant", before.relevant),
        required=said("required", before.required),
        readonly=said("readonly", before.readonly),
        constraint=said("constraint", before.constraint),
        calculate=said("calculate", before.calculate),
        required_message=read_message(required) or before.required_message,
        constraint_message=read_message(constraint) or before.constraint_message,
        preload=said("jr:preload", before.preload),
        preload_params=said("jr:preloadParams", before.preload_params),
        other=tuple(other.items()),
    )


def _secondary(
    instances: Sequence[etree._Element], faults: list[DefinitionFault]
) -> tuple[Secondary, ...]:
    found: dict[str, Secondary] = {}
    for instance in instances:
        key = instance.get("id", "")
        if not key or key in found:
            reason = f"列表 {key[:60]!r} 重复" if key else "第二个 instance 没有 id"
            faults.append(DefinitionFault("instance", reason, line_of(instance)))
            continue
        child = next((e for e in elements(instance)), None)
        root = element_of(child) if child is not None else None
        found[key] = Secondary(key, instance.get("src", ""), root)
    return tuple(found.values())


def _namespaces(root: etree._Element) -> tuple[tuple[str, str], ...]:
    """Return all prefixes of the document; the outermost meaning counts."""
    found: dict[str, str] = {}
    for _event, declared in etree.iterwalk(root, events=("start-ns",)):
        prefix, uri = declared
        if prefix:
            found.setdefault(str(prefix), str(uri))
    return tuple(sorted((_PREFIXES | found).items()))


def _submission(model: etree._Element) -> tuple[tuple[str, str], ...]:
    for element in elements(model):
        if split(str(element.tag))[1] == "submission":
            return tuple(written_attributes(element))
    return ()
