"""Rules that items and forms share: lengths, keys, lists, repetition. Pure: no I/O."""

import re
from collections.abc import Iterable, Iterator, Sequence

from forms.errors import Fault
from forms.text import unwanted

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
MAX_LIST = 50
"""Most entries of a list of short texts."""

LISTED_TEXT = (1, 200)
BAD_KEY = "应以小写字母开头，只用小写字母、数字和下划线，最多 40 个字符"

Bounds = tuple[int, int]
"""The fewest and the most characters of a text, or the lowest and highest number."""


def of_key(key: str) -> Iterator[Fault]:
    """Find what is wrong with the key of a part."""
    if not KEY.fullmatch(key):
        yield Fault(("key",), BAD_KEY)


def of_texts(part: object, lengths: dict[str, Bounds]) -> Iterator[Fault]:
    """Find what is wrong with the texts of a part, by attribute."""
    for name, bounds in lengths.items():
        text = getattr(part, name)
        # Only a guide has lines.
        flat = text.replace("\n", " ") if name == "guide" else text
        yield from of_text((name,), flat, bounds)


def of_text(where: tuple[str | int, ...], text: str, bounds: Bounds) -> Iterator[Fault]:
    """Find what is wrong with one text."""
    least, most = bounds
    if not least <= len(text) <= most:
        message = f"应有 {least} 至 {most} 个字，现在 {len(text)} 个"
        yield Fault(where, message if text else "不能为空")
    elif least and not text.strip():
        yield Fault(where, "不能全是空格")
    if character := unwanted(text):
        yield Fault(where, character)


def of_list(name: str, texts: Sequence[str]) -> Iterator[Fault]:
    """Find what is wrong with a list of short texts."""
    if len(texts) > MAX_LIST:
        yield Fault((name,), f"最多 {MAX_LIST} 条，现在 {len(texts)} 条")
    for position, text in enumerate(texts):
        yield from of_text((name, position), text, LISTED_TEXT)


def of_numbers(part: object, ranges: dict[str, Bounds]) -> Iterator[Fault]:
    """Find what is wrong with the numbers of a part; None is no number."""
    for name, (least, most) in ranges.items():
        number = getattr(part, name)
        if number is not None and not least <= number <= most:
            yield Fault((name,), f"应在 {least} 至 {most} 之间")


def of_one(part: object, name: str, allowed: Iterable[str]) -> Iterator[Fault]:
    """Find whether an attribute is none of a few words."""
    if getattr(part, name) not in list(allowed):
        yield Fault((name,), f"应是 {spell(allowed)} 之一")


def of_several(part: object, name: str, allowed: Iterable[str]) -> Iterator[Fault]:
    """Find whether an attribute holds others than a few words, or one twice."""
    values, known = getattr(part, name), list(allowed)
    if not all(value in known for value in values):
        yield Fault((name,), f"每项应是 {spell(known)} 之一")
    elif len(set(values)) != len(values):
        yield Fault((name,), "同一项不能写两次")


def of_repetition(
    where: tuple[str, ...], name: str, values: Sequence[str]
) -> Iterator[Fault]:
    """Find which values of the parts of a list have been there before."""
    first: dict[str, int] = {}
    for position, value in enumerate(values):
        if value and first.setdefault(value, position) != position:
            message = f"与第 {first[value] + 1} 个重复：{value[:40]}"
            yield Fault((*where, position, name), message)


def of_count(
    where: tuple[str, ...], parts: Sequence[object], most: int, unit: str
) -> Iterator[Fault]:
    """Find whether there are too many parts; `unit` says what they are: "份材料"."""
    if len(parts) > most:
        yield Fault(where, f"最多 {most} {unit}，现在 {len(parts)} {unit[0]}")


def under(above: tuple[str | int, ...], faults: Iterable[Fault]) -> Iterator[Fault]:
    """Give the faults of a part as faults of the whole."""
    for fault in faults:
        yield Fault((*above, *fault.where), fault.message)


def spell(names: Iterable[str]) -> str:
    """Return the words of a choice, one after the other."""
    return "、".join(names)
