"""The kinds of fields, as a table. Pure: no I/O, no clock.

A kind says how an answer is written (`normalise`), when it is wrong (`check`) and how
it is shown. A new kind is a row of `KINDS` and its functions. The functions take the
text that `normalise` returned; an empty text is no answer and never reaches them.
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from forms import citizen_id
from forms import office_kinds as office
from forms.field import Field
from forms.kind import Kind, Scale
from forms.text import narrow, tidy, unwanted

__all__ = ["DEFAULT_TEXT", "FLAT_KINDS", "KINDS", "MAX_AGE", "MAX_FILES", "MAX_TEXT"]
__all__ += ["TODAY", "Kind", "Scale"]

MAX_TEXT = 2_000
DEFAULT_TEXT = 200
MAX_FILES = 20
MAX_AGE = 150
TODAY = "today"
"""As a limit of a date: the day on which the form is filled."""

_INTEGER = re.compile(r"-?[0-9]{1,15}")
_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_SMALL = re.compile(r"[0-9]{1,3}")
# Atomic, so that thousands of zeros before a letter cost no more than once through.
_TYPED_NUMBER = re.compile(r"(?:\+|(-))?(?>0*(?=[0-9]))([0-9]++(?:\.[0-9]++)?)")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_SPELLED_DAY = re.compile(
    r"([0-9]{4}) ?[-/.年] ?([0-9]{1,2}) ?[-/.月] ?([0-9]{1,2}) ?日?"
    r"|([0-9]{4})([0-9]{2})([0-9]{2})"
)
_FIRST_YEAR, _LAST_YEAR = 1850, 2199
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_ABROAD = re.compile(r"(?:\+|00)?86(1[3-9][0-9]{9})")
_FIXED = re.compile(r"(010|02[0-9]|0[3-9][0-9]{2})([2-9][0-9]{6,7})")
_SPACING = re.compile(r"[\s()\-\u2010-\u2015]+")
_DIGEST = re.compile(r"[0-9a-f]{64}")


# Text


def _tidy(_field: Field, typed: str) -> str:
    return tidy(typed)


def _text_fault(field: Field, typed: str, _today: date) -> str | None:
    most = field.max_length or DEFAULT_TEXT
    if len(typed) > most:
        return f"太长了：最多 {most} 个字，现在 {len(typed)} 个"
    return unwanted(typed)


def _as_is(_field: Field, value: str) -> str:
    return value


# Numbers


def _number(_field: Field, typed: str) -> str:
    """Drop a plus sign and zeros in front; the digits behind the point stay."""
    plain = narrow(typed)
    found = _TYPED_NUMBER.fullmatch(plain)
    if not found:
        return plain
    sign, digits = found.groups()
    return digits if digits == "0" else (sign or "") + digits


def _integer_fault(_field: Field, typed: str, _today: date) -> str | None:
    if _INTEGER.fullmatch(typed):
        return None
    return "请只填整数，如 12；最多 15 位，不写小数、单位和逗号"


def _decimal_fault(_field: Field, typed: str, _today: date) -> str | None:
    if _DECIMAL.fullmatch(typed):
        return None
    return "请只填数字，如 860.00；小数最多 6 位，不写单位和逗号"


def _exact(shape: re.Pattern[str], most: int | None = None) -> Callable[..., Decimal]:
    """Return a reader of numbers of this shape, at most `most`."""

    def read(number: str, _today: date) -> Decimal:
        if not shape.fullmatch(number) or (most is not None and int(number) > most):
            raise ValueError("not a number of this kind")
        return Decimal(number)

    return read


# Dates


def _date(_field: Field, typed: str) -> str:
    plain = narrow(typed)
    found = _SPELLED_DAY.fullmatch(plain)
    if not found:
        return plain
    year, month, day = (part for part in found.groups() if part is not None)
    return f"{year}-{month:0>2}-{day:0>2}"


def _date_fault(_field: Field, typed: str, _today: date) -> str | None:
    found = _DAY.fullmatch(typed)
    if not found:
        return "请按年-月-日填写，如 2026-11-21"
    year, month, day = (int(part) for part in found.groups())
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return f"年份应在 {_FIRST_YEAR} 至 {_LAST_YEAR} 之间，请核对"
    if not 1 <= month <= 12:
        return "月份应在 1 至 12 之间，请核对"
    if _day_of(typed) is None:
        return f"{year} 年 {month} 月没有 {day} 日，请核对"
    return None


def _day_of(written: str) -> date | None:
    """Return the day written YYYY-MM-DD, or None if there is none."""
    found = _DAY.fullmatch(written)
    try:
        return date(*(int(part) for part in found.groups())) if found else None
    except ValueError:
        return None


def _day_number(written: str, today: date) -> Decimal:
    day = today if written == TODAY else _day_of(written)
    if day is None or not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError("not a day")
    return Decimal(day.toordinal())


def _day_name(limit: str, today: date) -> str:
    return (
        f"今天（{_spell(today)}）"
        if limit == TODAY
        else _spell(_day_of(limit) or today)
    )


def _show_date(_field: Field, value: str) -> str:
    day = _day_of(value)
    return _spell(day) if day else value


def _spell(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


# Choices


def _choice(field: Field, typed: str) -> str:
    """Take a value, or a label, or the number that stands before it on the screen."""
    plain = narrow(tidy(typed))
    if any(plain == choice.value for choice in field.choices):
        return plain
    for position, choice in enumerate(field.choices, start=1):
        if plain in (narrow(tidy(choice.label)), str(position)):
            return choice.value
    return plain


def _choice_fault(field: Field, typed: str, _today: date) -> str | None:
    # What a filter works out cannot always be listed; the form itself judges it.
    if not field.choices or any(typed == choice.value for choice in field.choices):
        return None
    return f"请从列出的 {len(field.choices)} 项中选一项，可输入序号"


def _show_choice(field: Field, value: str) -> str:
    labels = {choice.value: choice.label for choice in field.choices}
    return labels.get(value, value)


# Citizen ids


def _citizen_id(_field: Field, typed: str) -> str:
    return "".join(narrow(typed).split()).replace("x", "X")


def _id_fault(_field: Field, typed: str, today: date) -> str | None:
    if len(typed) == 15:
        return "15 位的旧号码已经停用，请按现在的身份证填 18 位"
    if len(typed) != 18:
        return f"身份证号应为 18 位，现在 {len(typed)} 位"
    if not citizen_id.SHAPE.fullmatch(typed):
        return "前 17 位应是数字，第 18 位应是数字或 X，请对着证件核对"
    try:
        born_on = citizen_id.birth_date(typed)
    except ValueError:
        return "第 7 至 14 位不是真实的出生日期，请对着证件核对"
    expected = citizen_id.expected_check_character(typed[:17])
    if typed[17] != expected:
        return f"校验位不对：第 18 位应为 {expected}，请对着证件核对"
    if born_on > today:
        return f"出生日期晚于今天（{_spell(today)}），请核对证件和本机日期"
    return None


def _age(number: str, today: date) -> Decimal:
    return Decimal(citizen_id.age_on(number, today))


def _show_id(_field: Field, value: str) -> str:
    return citizen_id.mask(value)


# Telephones


def _phone(_field: Field, typed: str) -> str:
    compact = _SPACING.sub("", narrow(typed))
    if mobile := _ABROAD.fullmatch(compact):
        return mobile[1]
    fixed = _FIXED.fullmatch(compact)
    return "-".join(fixed.groups()) if fixed else compact


def _phone_fault(_field: Field, typed: str, _today: date) -> str | None:
    if _MOBILE.fullmatch(typed) or _FIXED.fullmatch(typed.replace("-", "", 1)):
        return None
    if re.fullmatch(r"1[0-9]*", typed) and len(typed) != 11:
        return f"手机号应为 11 位，现在 {len(typed)} 位"
    return "请填 11 位手机号，或带区号的固定电话，如 0570-4012345"


def _show_phone(_field: Field, value: str) -> str:
    if not _MOBILE.fullmatch(value):
        return value
    return f"{value[:3]} {value[3:7]} {value[7:]}"


# Files


def _files(_field: Field, typed: str) -> str:
    return " ".join(dict.fromkeys(narrow(typed).lower().split()))


def _files_fault(_field: Field, typed: str, _today: date) -> str | None:
    names = typed.split(" ")
    if not all(_DIGEST.fullmatch(name) for name in names):
        return "附件没有登记成功，请重新选择文件"
    if len(names) > MAX_FILES:
        return f"最多 {MAX_FILES} 个文件，现在 {len(names)} 个"
    return None


def _file_count(names: str, _today: date) -> Decimal:
    return Decimal(len(names.split()))


def _show_files(_field: Field, value: str) -> str:
    return f"{len(value.split())} 个文件"


# Notes


def _note_fault(_field: Field, _typed: str, _today: date) -> str | None:
    return "这里只是说明，不用填写"


def _show_nothing(_field: Field, _value: str) -> str:
    return ""


_BELOW, _ABOVE = "不能小于 {limit}", "不能大于 {limit}"
_INTEGERS = Scale(_exact(_INTEGER), _exact(_INTEGER), _BELOW, _ABOVE)
_DECIMALS = Scale(_exact(_DECIMAL), _exact(_DECIMAL), _BELOW, _ABOVE)
_DAYS = Scale(_day_number, _day_number, "不能早于{limit}", "不能晚于{limit}", _day_name)
_AGES = Scale(
    _exact(_SMALL, MAX_AGE),
    _age,
    "须满 {limit} 周岁，按此号码现在是 {measure} 周岁",
    "须不超过 {limit} 周岁，按此号码现在是 {measure} 周岁",
)
_COUNTS = Scale(
    _exact(_SMALL, MAX_FILES),
    _file_count,
    "至少要 {limit} 个文件，现在 {measure} 个",
    "最多 {limit} 个文件，现在 {measure} 个",
)

_FILL, _PICK, _ATTACH = "请填写这一项", "请选一项", "请附上文件"

# fmt: off
_ROWS = (
    Kind("text", "文字", _FILL, _tidy, _text_fault, _as_is, options=("max_length",)),
    Kind("integer", "整数", _FILL, _number, _integer_fault, _as_is, _INTEGERS),
    Kind("decimal", "小数", _FILL, _number, _decimal_fault, _as_is, _DECIMALS),
    Kind("date", "日期", _FILL, _date, _date_fault, _show_date, _DAYS),
    Kind(
        "choice", "单选", _PICK, _choice, _choice_fault, _show_choice,
        options=("choices",),
    ),
    Kind("citizen_id", "身份证号", _FILL, _citizen_id, _id_fault, _show_id, _AGES),
    Kind("phone", "电话", _FILL, _phone, _phone_fault, _show_phone),
    Kind("file", "附件", _ATTACH, _files, _files_fault, _show_files, _COUNTS),
    Kind(
        "choices", "多选", _PICK, office.choices, office.choices_fault,
        office.show_choices, options=("choices",),
    ),
    Kind("time", "时间", _FILL, office.time, office.time_fault, _as_is),
    Kind("moment", "日期和时间", _FILL, office.moment, office.moment_fault, _as_is),
    Kind("point", "位置", _FILL, office.point, office.point_fault, _as_is),
    Kind("person_name", "姓名", _FILL, office.name, office.name_fault, _as_is),
    Kind(
        "amount_yuan", "金额", _FILL, office.amount, office.amount_fault,
        office.show_amount,
    ),
    Kind(
        "credit_code", "统一社会信用代码", _FILL, office.code,
        office.credit_code_fault, _as_is,
    ),
    Kind("division", "行政区划", _FILL, office.code, office.division_fault, _as_is),
    Kind(
        "acknowledge", "确认", "请确认这一项", office.acknowledge,
        office.acknowledge_fault, office.show_acknowledged,
    ),
    Kind("computed", "算出", "", _tidy, office.no_fault, _as_is),
    Kind("note", "说明", "", _tidy, _note_fault, _show_nothing, answers=False),
)
# fmt: on

KINDS: dict[str, Kind] = {kind.name: kind for kind in _ROWS}

FLAT_KINDS: tuple[str, ...] = ("text", "integer", "decimal", "date", "choice")
FLAT_KINDS += ("citizen_id", "phone", "file", "note")
"""Those of which a plain list of fields may be made: what format 1 of packages has."""
