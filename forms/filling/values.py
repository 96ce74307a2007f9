"""How answers of each type are written, as a table. Pure: no I/O, no clock.

An answer is stored as text in the lexical form of its type, as the ODK XForms
specification gives it. `written` takes what a person or another program gives;
`calculated` takes what an expression gave. Both return "" for no answer.
"""

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from forms.text import narrow

MAX_ANSWER = 20_000
"""Most characters of one answer."""

MIN_INT, MAX_INT = -(2**31), 2**31 - 1
ACKNOWLEDGED = "OK"

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_ZONE = r"(Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?"
_TIME = re.compile(
    r"([01][0-9]|2[0-3]):([0-5][0-9])(:[0-5][0-9](?:\.[0-9]{1,9})?)?" + _ZONE
)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ACCENTED = re.compile(r"\w[\u0300-\u036f\u1ab0-\u1aff\u3099\u309a]+")
_EPOCH = date(1970, 1, 1)

NotReadable = ValueError
"""What a reader of the table below raises: its text says what is expected."""


def _text(typed: str) -> str:
    return typed


def _int(typed: str) -> str:
    """Return a whole number; a fraction is cut off, as in a cast."""
    whole = int(_decimal_of(typed))
    if not MIN_INT <= whole <= MAX_INT:
        raise NotReadable(f"整数应在 {MIN_INT} 至 {MAX_INT} 之间")
    return str(whole)


def _decimal(typed: str) -> str:
    """Return a number with at least one digit behind the point."""
    number = format(_decimal_of(typed), "f")
    if "." not in number:
        return f"{number}.0"
    whole, _, fraction = number.partition(".")
    return f"{whole}.{fraction or '0'}"


def as_number(decimal: str) -> str:
    """Return a decimal as XPath writes the number: 10 for 10.0, 860 for 860.00.

    XPath compares two nodes by their texts, and users expect what JavaRosa does:
    to compare the numbers. Where a number has but one text both are the same.
    """
    whole, point, fraction = decimal.partition(".")
    if not point or not fraction.isdecimal():
        return decimal
    left = fraction.rstrip("0")
    return f"{whole}.{left}" if left else whole


def _decimal_of(typed: str) -> Decimal:
    text = typed.strip()
    if not _NUMBER.fullmatch(text) or len(text) > 400:
        raise NotReadable("请只填数字，如 12 或 860.5")
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise NotReadable("请只填数字，如 12 或 860.5") from error
    return number if number else Decimal(0)


def _boolean(typed: str) -> str:
    try:
        return {"1": "1", "true": "1", "0": "0", "false": "0"}[typed.strip().lower()]
    except KeyError as error:
        raise NotReadable("请填是或否") from error


def _date(typed: str) -> str:
    """Return a day; of a moment, its day."""
    text = typed.strip()
    day, moment, clock = text.partition("T")
    found = _DATE.fullmatch(day)
    if not found or (moment and not _TIME.fullmatch(clock)):
        raise NotReadable("请按年-月-日填写，如 2026-11-21")
    year, month, number = (int(part) for part in found.groups())
    try:
        return date(year, month, number).isoformat()
    except ValueError as error:
        raise NotReadable("没有这一天，请核对") from error


def _time(typed: str) -> str:
    text = typed.strip()
    found = _TIME.fullmatch(text)
    if not found:
        raise NotReadable("请按时:分:秒填写，如 14:30:00")
    hour, minute, second, zone = found.groups()
    return f"{hour}:{minute}{second or ':00'}{zone or ''}"


def _moment(typed: str) -> str:
    """Return a day and a time; of a day alone, its first moment."""
    text = typed.strip()
    day, moment, clock = text.partition("T")
    day = _date(day)
    return f"{day}T{_time(clock)}" if moment else f"{day}T00:00:00"


def _point(typed: str) -> str:
    """Return latitude, longitude, and maybe altitude and accuracy."""
    parts = typed.split()
    if not 2 <= len(parts) <= 4 or not all(map(_NUMBER.fullmatch, parts)):
        raise NotReadable("请填纬度和经度，以空格隔开，如 28.97 118.87")
    latitude, longitude = float(parts[0]), float(parts[1])
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise NotReadable("纬度在 ±90 以内，经度在 ±180 以内")
    return " ".join(parts)


def _points(typed: str) -> str:
    written_points = [part for part in typed.split(";") if part.strip()]
    for part in written_points:
        _point(part)
    return typed.strip()


def _words(typed: str) -> str:
    """Return chosen values, each once, with one space between."""
    return " ".join(dict.fromkeys(typed.split()))


READERS: dict[str, Callable[[str], str]] = {
    "string": _text,
    "int": _int,
    "decimal": _decimal,
    "boolean": _boolean,
    "date": _date,
    "time": _time,
    "dateTime": _moment,
    "geopoint": _point,
    "geotrace": _points,
    "geoshape": _points,
    "barcode": _text,
    "binary": _text,
    "select": _words,
    "select1": _text,
    "rank": _words,
}
"""For each type, its reader; a type that is not here is read as text."""


def written(kind: str, value: str | float | bool | None) -> str:
    """Return the stored form of an answer.

    Raises:
        NotReadable: it is none of this type; the text says what is expected.
    """
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        value = "1" if value else "0"
    text = value if isinstance(value, str) else number_text(value)
    if len(text) > MAX_ANSWER:
        raise NotReadable(f"最多 {MAX_ANSWER} 个字，现在 {len(text)} 个")
    if not text.strip() and kind != "string":
        return ""
    read = READERS.get(kind, _text)
    text = _clean(text)
    # Digits of full width are a keyboard's whim, except in texts and names of choices.
    return read(text if read in (_text, _words) else narrow(text))


def calculated(kind: str, value: bool | float | str) -> str:
    """Return the stored form of what an expression gave; what does not fit is none."""
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        if kind in ("date", "dateTime") and abs(value) < 3_000_000:
            moment = datetime.combine(_EPOCH, datetime.min.time())
            try:
                moment += timedelta(days=value)
            except OverflowError:
                return ""
            value = moment.isoformat(timespec="seconds")
    if isinstance(value, bool) and kind != "boolean":
        value = "true" if value else "false"
    try:
        return written(kind, value)
    except ValueError:
        return ""


def number_text(value: float) -> str:
    """Return a number as XPath writes it: no point where it is whole."""
    if isinstance(value, int):
        return str(value)
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if math.isnan(value):
        return "NaN"
    if value == int(value) and abs(value) < 1e17:
        return str(int(value))
    return format(Decimal(repr(value)), "f")


def _clean(text: str) -> str:
    """Drop what XML cannot hold, and write letter and accent as one character.

    Only accents are composed: full NFC would also replace rare Chinese characters of
    names by others that look alike.
    """
    return _ACCENTED.sub(
        lambda found: unicodedata.normalize("NFC", found[0]), _NOT_XML.sub("", text)
    )
