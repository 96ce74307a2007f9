"""Kinds of answers of this field of work: names, codes, amounts, times. Pure.

Each kind has a function that writes an answer in one way, and one that says what is
wrong with its shape; `forms.kinds` puts them into the table.
"""

import re
from datetime import date

from forms import credit_code
from forms.field import Field
from forms.text import narrow, tidy, unwanted

MAX_NAME = 60
MAX_CHOSEN = 200

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,12})(\.[0-9]{1,2})?")
_TYPED_AMOUNT = re.compile(r"(?>0*(?=[0-9]))([0-9]++(?:\.[0-9]++)?)")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(:[0-5][0-9])?")
_TYPED_TIME = re.compile(r"([0-9]{1,2})[:时.]([0-9]{1,2})分?")
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]+(\S+)")
_POINT = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,10})?")
_DIVISION = re.compile(r"[0-9]{6}([0-9]{3}([0-9]{3})?)?")


def name(_field: Field, typed: str) -> str:
    """Keep a name as it is, but for blanks around it and wide dots within."""
    return tidy(typed).replace("•", "·").replace("・", "·")


def name_fault(_field: Field, typed: str, _today: date) -> str | None:
    """Names have letters; which ones nobody can know."""
    if len(typed) > MAX_NAME:
        return f"太长了：最多 {MAX_NAME} 个字，现在 {len(typed)} 个"
    if any(character.isdigit() for character in typed):
        return "姓名里有数字，请核对"
    return unwanted(typed)


def amount(_field: Field, typed: str) -> str:
    """Drop what people write around an amount: 1,200元 is 1200."""
    plain = narrow(typed).removeprefix("¥").removesuffix("元").strip()
    plain = re.sub(r"(?<=[0-9]),(?=[0-9]{3})", "", plain)
    found = _TYPED_AMOUNT.fullmatch(plain)
    return found[1] if found else plain


def amount_fault(_field: Field, typed: str, _today: date) -> str | None:
    """An amount has at most two digits behind the point."""
    if _AMOUNT.fullmatch(typed):
        return None
    return "请填金额（元），如 860 或 860.50；不带负号，小数最多 2 位"


def show_amount(_field: Field, value: str) -> str:
    """Give an amount with its unit."""
    return f"{value} 元" if _AMOUNT.fullmatch(value) else value


def code(_field: Field, typed: str) -> str:
    """Write letters of a code as capitals."""
    return "".join(narrow(typed).split()).upper()


def credit_code_fault(_field: Field, typed: str, _today: date) -> str | None:
    """Check shape, organisation code and check character."""
    if len(typed) != 18:
        return f"统一社会信用代码应为 18 位，现在 {len(typed)} 位"
    if not credit_code.SHAPE.fullmatch(typed):
        return "只有数字和大写字母，没有 I、O、S、V、Z，请对着执照核对"
    expected = credit_code.expected_check_character(typed[:17])
    if typed[17] != expected:
        return f"校验位不对：第 18 位应为 {expected}，请对着执照核对"
    if typed[16] != credit_code.expected_organisation_character(typed[8:16]):
        return "第 9 至 17 位（主体标识码）的校验位不对，请对着执照核对"
    return None


def division_fault(_field: Field, typed: str, _today: date) -> str | None:
    """A division code has 6, 9 or 12 digits; which exist changes every year."""
    if _DIVISION.fullmatch(typed):
        return None
    return "行政区划代码应为 6、9 或 12 位数字"


def time(_field: Field, typed: str) -> str:
    """Write a time as 09:30."""
    plain = narrow(typed)
    found = _TYPED_TIME.fullmatch(plain)
    return f"{found[1]:0>2}:{found[2]:0>2}" if found else plain


def time_fault(_field: Field, typed: str, _today: date) -> str | None:
    """A time of the day."""
    return None if _TIME.fullmatch(typed) else "请按时:分填写，如 14:30"


def moment(_field: Field, typed: str) -> str:
    """Write a day with a time as 2026-11-21T09:30."""
    plain = narrow(typed)
    found = _MOMENT.fullmatch(plain)
    return f"{found[1]}T{time(_field, found[2])}" if found else plain


def moment_fault(_field: Field, typed: str, _today: date) -> str | None:
    """A day that exists, and a time."""
    day, _, clock = typed.partition("T")
    try:
        date.fromisoformat(day)
    except ValueError:
        return "请按年-月-日 时:分填写，如 2026-11-21 14:30"
    if not _TIME.fullmatch(clock):
        return "请按年-月-日 时:分填写，如 2026-11-21 14:30"
    return None


def point(_field: Field, typed: str) -> str:
    """Write latitude and longitude with one blank between."""
    return " ".join(narrow(typed).replace(",", " ").split())


def point_fault(_field: Field, typed: str, _today: date) -> str | None:
    """Latitude and longitude in degrees, maybe altitude and accuracy in metres."""
    parts = typed.split()
    if not 2 <= len(parts) <= 4 or not all(map(_POINT.fullmatch, parts[:2])):
        return "请填纬度和经度，以空格隔开，如 28.97 118.87"
    if abs(float(parts[0])) > 90 or abs(float(parts[1])) > 180:
        return "纬度在 ±90 以内，经度在 ±180 以内，请核对"
    return None


def choices(field: Field, typed: str) -> str:
    """Take values, labels or numbers on the screen, with blanks or commas between."""
    plain = narrow(tidy(typed)).replace("、", " ").replace(",", " ").replace(";", " ")
    meant = {}
    for position, choice in enumerate(field.choices, start=1):
        meant[str(position)] = choice.value
        meant["".join(narrow(tidy(choice.label)).split())] = choice.value
    meant |= {choice.value: choice.value for choice in field.choices}
    return " ".join(dict.fromkeys(meant.get(word, word) for word in plain.split()))


def choices_fault(field: Field, typed: str, _today: date) -> str | None:
    """Only what is listed."""
    known = {choice.value for choice in field.choices}
    words = typed.split()
    strange = [word for word in words if known and word not in known]
    if strange:
        return f"没有“{strange[0][:20]}”这一项，请从列出的 {len(known)} 项中选"
    if len(words) > MAX_CHOSEN:
        return f"最多选 {MAX_CHOSEN} 项"
    return None


def show_choices(field: Field, value: str) -> str:
    """Give the labels of what was chosen."""
    labels = {choice.value: choice.label for choice in field.choices}
    return "、".join(labels.get(word, word) for word in value.split())


def acknowledge(_field: Field, typed: str) -> str:
    """Write any yes as OK."""
    plain = narrow(tidy(typed)).upper()
    return "OK" if plain in ("OK", "1", "Y", "YES", "是", "知道", "已阅") else plain


def acknowledge_fault(_field: Field, typed: str, _today: date) -> str | None:
    """Only a yes."""
    return None if typed == "OK" else "知道了请按 1；没有看过就留空"


def show_acknowledged(_field: Field, value: str) -> str:
    """Give it in words."""
    return "已确认" if value == "OK" else value


def no_fault(_field: Field, _value: str, _today: date) -> str | None:
    """Whatever a form has calculated is as it is."""
    return None
