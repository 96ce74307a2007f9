"""Functions on texts. Pure: no I/O."""

import base64
import binascii
import hashlib
import math
import re
import string
import uuid

from forms.xpath import regex
from forms.xpath.errors import NoValue
from forms.xpath.function import Function, Type, Use, row
from forms.xpath.running import RUNNING
from forms.xpath.setting import Setting
from forms.xpath.values import Value, nodes_of, text_of, to_string

MAX_RESULT = 1_000_000
"""Most characters of a text that a function makes."""
MAX_RANDOM = 1_000

_LETTERS = string.ascii_letters + string.digits
_DIGESTS = {
    "MD5": hashlib.md5,
    "SHA-1": hashlib.sha1,
    "SHA-256": hashlib.sha256,
    "SHA-384": hashlib.sha384,
    "SHA-512": hashlib.sha512,
}


def _string(_setting: Setting, value: Value) -> str:
    return to_string(value)


def _concat(_setting: Setting, *values: Value) -> str:
    return _joined("", values)


def _join(_setting: Setting, separator: str, *values: Value) -> str:
    return _joined(separator, values)


def _joined(separator: str, values: tuple[Value, ...]) -> str:
    texts, size = [], 0
    for value in values:
        for node in nodes_of(value):
            text = text_of(node)
            size += len(text) + len(separator)
            if size > MAX_RESULT:
                raise NoValue(f"拼出的文字太长：最多 {MAX_RESULT} 个字符")
            texts.append(text)
    return separator.join(texts)


def _substr(
    _setting: Setting, text: str, start: float, end: float | None = None
) -> str:
    begin, stop = _index(start), len(text) if end is None else _index(end)
    return "" if begin is None or stop is None else text[begin:stop]


def _index(number: float) -> int | None:
    """Return a place in a text, to be counted from its end if negative."""
    if math.isnan(number):
        return None
    return int(max(-MAX_RESULT, min(MAX_RESULT, number)))


def _ends_with(_setting: Setting, text: str, end: str) -> bool:
    return text.endswith(end)


def _regex(_setting: Setting, text: str, pattern: str) -> bool:
    try:
        found, steps = regex.search(pattern, text, RUNNING.regex_steps)
        RUNNING.regex_steps -= steps
        return found
    except (regex.PatternRefused, regex.TextTooLong) as error:
        raise NoValue(str(error)) from error


def _coalesce(_setting: Setting, *values: Value) -> Value:
    # A number that is none is as good as no answer.
    said = [value for value in values if to_string(value) not in {"", "NaN"}]
    return said[0] if said else ""


def _once(_setting: Setting, current: Value, value: Value) -> Value:
    if answer := to_string(current):
        return answer
    return "" if to_string(value) == "NaN" else value


def _digest(
    _setting: Setting, text: str, algorithm: str, encoding: str = "base64"
) -> str:
    if algorithm.upper() not in _DIGESTS or encoding not in {"base64", "hex"}:
        raise NoValue(f"digest 只认 {'、'.join(_DIGESTS)}，编码只认 base64、hex")
    digest = _DIGESTS[algorithm.upper()](text.encode()).digest()
    return digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()


def _base64_decode(_setting: Setting, text: str) -> str:
    try:
        return base64.b64decode(re.sub(r"\s", "", text)).decode(errors="replace")
    except (binascii.Error, ValueError):
        return ""


def _uuid(setting: Setting, length: float | None = None) -> str:
    if length is None:
        return str(uuid.UUID(int=setting.random.getrandbits(128), version=4))
    if not 0 <= length <= MAX_RANDOM:
        raise NoValue(f"uuid 最多 {MAX_RANDOM} 个字符")
    return "".join(setting.random.choices(_LETTERS, k=int(length)))


def _boolean_from_string(_setting: Setting, text: str) -> bool:
    return text in {"true", "1"}


def _itext(setting: Setting, name: str) -> Value:
    found = setting.itext(name, setting.language)
    return found if isinstance(found, str) else list(found)


def _choice_name(setting: Setting, value: str, path: str) -> str:
    return setting.choice_name(value, path)


def _pulldata(
    setting: Setting, table: str, column: str, key_column: str, key: str
) -> str:
    return setting.pull(table, column, key_column, key)


ROWS: list[Function] = [
    row("string", "?a", Type.STRING, _string),
    row("concat", "a*", Type.STRING, _concat),
    row("join", "s?a*", Type.STRING, _join),
    row("substr", "sn?n", Type.STRING, _substr),
    row("substring", "sn?n", Type.STRING),
    row("substring-before", "ss", Type.STRING),
    row("substring-after", "ss", Type.STRING),
    row("translate", "sss", Type.STRING),
    row("normalize-space", "?s", Type.STRING),
    row("string-length", "?s", Type.NUMBER),
    row("contains", "ss", Type.BOOLEAN),
    row("starts-with", "ss", Type.BOOLEAN),
    row("ends-with", "ss", Type.BOOLEAN, _ends_with),
    row("regex", "ss", Type.BOOLEAN, _regex),
    row("boolean-from-string", "s", Type.BOOLEAN, _boolean_from_string),
    row("coalesce", "aa*", Type.ANY, _coalesce),
    row("digest", "ss?s", Type.STRING, _digest),
    row("base64-decode", "s", Type.STRING, _base64_decode),
    row("uuid", "?n", Type.STRING, _uuid, Use.CHANCE),
    row("jr:itext", "s", Type.ANY, _itext, Use.LANGUAGE),
    row("jr:choice-name", "ss", Type.STRING, _choice_name, Use.LANGUAGE),
    row("pulldata", "ssss", Type.STRING, _pulldata),
    row("once", "a", Type.ANY, _once, after_current=True),
]
