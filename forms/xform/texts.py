"""The texts of an XForm: labels with outputs, and the languages. Pure: no I/O."""

import re

from lxml import etree

from forms.errors import DefinitionFault
from forms.xform.definition import Entry, Form, Output, Text, Translation
from forms.xform.xml import elements, line_of, split

_ITEXT = re.compile(r"\s*jr:itext\s*\(")


def read_text(element: etree._Element) -> Text:
    """Return the text of a label, a hint or the like."""
    if ref := element.get("ref", "").strip():
        return Text(ref=ref)
    return Text(parts=read_parts(element))


def read_parts(element: etree._Element) -> tuple[str | Output, ...]:
    """Return the parts of a text; white space at its two ends is no part of it."""
    parts: list[str | Output] = []
    _collect(element, parts)
    if parts and isinstance(parts[0], str):
        parts[0] = parts[0].lstrip(" \t\r\n")
    if parts and isinstance(parts[-1], str):
        parts[-1] = parts[-1].rstrip(" \t\r\n")
    return tuple(part for part in parts if part != "")


def read_message(written: str) -> Text:
    """Return the text of jr:constraintMsg and jr:requiredMsg: plain, or jr:itext()."""
    if _ITEXT.match(written):
        return Text(ref=written.strip())
    return Text(parts=(written,)) if written.strip() else Text()


def read_translations(
    itext: etree._Element | None, faults: list[DefinitionFault]
) -> tuple[Translation, ...]:
    """Return the languages; where none says it is the default, the first one is."""
    found: list[Translation] = []
    for translation in elements(itext) if itext is not None else ():
        language = translation.get("lang", "")
        place = f"itext {language}"
        if not language or any(t.language == language for t in found):
            reason = "翻译没有写语言" if not language else "同一种语言写了两次"
            faults.append(DefinitionFault(place, reason, line_of(translation)))
            continue
        texts: dict[str, Entry] = {}
        for text in elements(translation):
            key = text.get("id", "")
            if not key or key in texts:
                reason = f"文字编号 {key[:80]!r} 重复" if key else "文字没有编号"
                faults.append(DefinitionFault(place, reason, line_of(text)))
                continue
            texts[key] = Entry(key, _forms(text))
        is_default = "default" in translation.attrib
        found.append(Translation(language, tuple(texts.values()), is_default))
    return tuple(found)


def _forms(text: etree._Element) -> tuple[Form, ...]:
    forms: dict[str, Form] = {}
    for value in elements(text):
        if split(str(value.tag))[1] == "value":
            name = value.get("form", "")
            forms.setdefault(name, Form(name, read_parts(value)))
    return tuple(forms.values())


def _collect(element: etree._Element, parts: list[str | Output]) -> None:
    _add(parts, element.text)
    for child in elements(element):
        if split(str(child.tag))[1] == "output":
            value = child.get("value") or child.get("ref") or ""
            parts.append(Output(value.strip()))
        else:
            # Markup of HTML in a label: its text counts.
            _collect(child, parts)
        _add(parts, child.tail)


def _add(parts: list[str | Output], text: str | None) -> None:
    if not text:
        return
    if parts and isinstance(parts[-1], str):
        parts[-1] += text
    else:
        parts.append(text)
