"""Functions on numbers, truth and dates. Pure: no I/O, no clock."""

import math
from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from forms.xpath import dates
from forms.xpath.errors import NoValue
from forms.xpath.function import Function, Type, Use, row
from forms.xpath.setting import Setting
from forms.xpath.values import (
    NAN,
    SPACE,
    Value,
    text_of,
    to_number,
    to_string,
)

MAX_DECIMALS = 300


def _number(setting: Setting, value: Value) -> float:
    return to_number(value, setting.zone)


def _truncated(_setting: Setting, number: float) -> float:
    return float(math.trunc(number)) if math.isfinite(number) else number


def _round(_setting: Setting, number: float, decimals: float = 0) -> float:
    """Round half away from zero, on the digits as they are written."""
    if not math.isfinite(number):
        return number
    if not abs(decimals) <= MAX_DECIMALS:
        return NAN
    written = Decimal(repr(number))
    places = math.trunc(decimals)
    if -written.as_tuple().exponent <= places:  # type: ignore[operator]
        return number
    shifted = written.scaleb(places).to_integral_value(ROUND_HALF_UP)
    return float(shifted.scaleb(-places))


def _pow(_setting: Setting, base: float, exponent: float) -> float:
    try:
        result = base**exponent
    except OverflowError:
        return math.inf
    except ZeroDivisionError:
        return math.inf
    return result if isinstance(result, float) else NAN


def _of_number(work: Callable[[float], float]) -> Callable[[Setting, float], float]:
    """Return a function of one number; outside of its range it gives NaN."""

    def calculate(_setting: Setting, number: float) -> float:
        try:
            return work(number)
        except OverflowError:
            return math.inf
        except ValueError:
            return NAN

    return calculate


def _logarithm(work: Callable[[float], float]) -> Callable[[Setting, float], float]:
    return _of_number(lambda number: -math.inf if number == 0 else work(number))


def _atan2(_setting: Setting, y: float, x: float) -> float:
    return math.atan2(y, x)


def _pi(_setting: Setting) -> float:
    return math.pi


def _random(setting: Setting) -> float:
    return setting.random.random()


def _extreme(
    choose: Callable[[list[float]], float],
) -> Callable[..., float]:
    """Return `min` or `max` over all nodes and numbers; one that is none makes NaN."""

    def find(setting: Setting, *values: Value) -> float:
        numbers = [to_number(value, setting.zone) for value in _each(values)]
        if not numbers or any(math.isnan(number) for number in numbers):
            return NAN
        return choose(numbers)

    return find


def _checklist(setting: Setting, least: float, most: float, *values: Value) -> bool:
    weights = [1.0 if _is_ticked(node) else 0.0 for node in _each(values)]
    return _is_between(least, math.fsum(weights), most)


def _weighted_checklist(
    setting: Setting, least: float, most: float, *values: Value
) -> bool:
    if len(values) % 2:
        raise NoValue("weighted-checklist 的每个选项后面要有它的分值")
    total = 0.0
    for ticks, weights in zip(values[::2], values[1::2], strict=True):
        for tick, weight in zip(_each((ticks,)), _each((weights,)), strict=False):
            total += to_number(weight, setting.zone) if _is_ticked(tick) else 0.0
    return _is_between(least, total, most)


def _each(values: tuple[Value, ...]) -> list[Value]:
    """Return the values with each node-set as the texts of its nodes."""
    each: list[Value] = []
    for value in values:
        if isinstance(value, list):
            each += [text_of(node) for node in value]
        else:
            each.append(value)
    return each


def _is_ticked(value: Value) -> bool:
    if isinstance(value, str):
        number = to_number(value)
        return bool(value) if math.isnan(number) else number > 0
    return to_number(value) > 0


def _is_between(least: float, number: float, most: float) -> bool:
    return (least < 0 or number >= least) and (most < 0 or number <= most)


def _moment(setting: Setting, value: Value) -> datetime | None:
    """Return the moment that a number of days, or the text of a date, means."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return dates.moment_of(value, setting.zone)
    text = to_string(value).strip(SPACE)
    moment = dates.read_moment(text, setting.zone)
    if moment is not None:
        return moment
    return dates.moment_of(to_number(text, setting.zone), setting.zone)


def _date(setting: Setting, value: Value) -> str:
    if not isinstance(value, bool | float) and not to_string(value).strip(SPACE):
        return ""
    return dates.write_moment(_moment(setting, value), setting.zone)


def _today(setting: Setting) -> str:
    return setting.now.date().isoformat()


def _now(setting: Setting) -> str:
    return setting.now.isoformat(timespec="milliseconds")


def _decimal_time(setting: Setting, text: str) -> float:
    fraction = dates.day_fraction(text.strip(SPACE), setting.now)
    return NAN if fraction is None else fraction


def _format_date(setting: Setting, value: Value, pattern: str) -> str:
    moment = _moment(setting, value)
    if moment is None:
        return ""
    local = moment.astimezone(setting.zone)
    return dates.format_moment(local, pattern, setting.language)


_UNARY: dict[str, Callable[[Setting, float], float]] = {
    "abs": _of_number(abs),
    "acos": _of_number(math.acos),
    "asin": _of_number(math.asin),
    "atan": _of_number(math.atan),
    "cos": _of_number(math.cos),
    "exp": _of_number(math.exp),
    "exp10": _of_number(lambda number: math.pow(10, number)),
    "log": _logarithm(math.log),
    "log10": _logarithm(math.log10),
    "sin": _of_number(math.sin),
    "sqrt": _of_number(math.sqrt),
    "tan": _of_number(math.tan),
}

ROWS: list[Function] = [
    row("true", "", Type.BOOLEAN),
    row("false", "", Type.BOOLEAN),
    row("not", "b", Type.BOOLEAN),
    row("boolean", "b", Type.BOOLEAN),
    row("checklist", "nna*", Type.BOOLEAN, _checklist),
    row("weighted-checklist", "nnaa*", Type.BOOLEAN, _weighted_checklist),
    row("number", "?a", Type.NUMBER, _number),
    row("int", "n", Type.NUMBER, _truncated),
    row("floor", "n", Type.NUMBER),
    row("ceiling", "n", Type.NUMBER),
    row("round", "n?n", Type.NUMBER, _round),
    row("pow", "nn", Type.NUMBER, _pow),
    row("atan2", "nn", Type.NUMBER, _atan2),
    row("pi", "", Type.NUMBER, _pi),
    row("random", "", Type.NUMBER, _random, Use.CHANCE),
    row("min", "a*", Type.NUMBER, _extreme(min)),
    row("max", "a*", Type.NUMBER, _extreme(max)),
    row("date", "a", Type.DATE, _date),
    row("date-time", "a", Type.DATE, _date),
    row("today", "", Type.DATE, _today, Use.TIME),
    row("now", "", Type.DATE, _now, Use.TIME),
    row("decimal-date-time", "a", Type.NUMBER, _number),
    row("decimal-time", "s", Type.NUMBER, _decimal_time, Use.TIME),
    row("format-date", "as", Type.STRING, _format_date),
    row("format-date-time", "as", Type.STRING, _format_date),
    *(row(name, "n", Type.NUMBER, work) for name, work in _UNARY.items()),
]
