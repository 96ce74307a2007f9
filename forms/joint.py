"""Joint packages 一件事: what several items ask, each thing asked once. Pure: no I/O.

Two members mean the same thing when they use the same key. What they say of it is
joined so that the answer, or the paper, is good enough for each of them; where that
cannot be, the clash is named, and an author has to settle it.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from msgspec.structs import replace

from forms.field import Field
from forms.item import Item
from forms.kinds import KINDS, TODAY
from forms.material import Exemption, Material, Original
from forms.service import Member

T = TypeVar("T", Field, Material)
H = TypeVar("H", bound=Hashable)

# A limit is read on some day; which one does not matter for which is stricter.
_ANY_DAY = date(2000, 1, 1)
_STRICTNESS = (
    Original.UNSAID,
    Original.NOT_NEEDED,
    Original.CHECKED,
    Original.KEPT,
)


@dataclass(frozen=True, slots=True)
class Part:
    """What one member of a joint package asks for."""

    code: str
    fields: tuple[Field, ...]
    materials: tuple[Material, ...]


@dataclass(frozen=True, slots=True)
class Clash:
    """Two members use one key for things that cannot be one."""

    key: str
    codes: tuple[str, str]
    """Who asked first, and who asked for something else."""
    message: str


@dataclass(frozen=True, slots=True)
class Union:
    """What all members ask for, each thing once, in the order of the members."""

    fields: tuple[Field, ...]
    materials: tuple[Material, ...]
    field_users: dict[str, tuple[str, ...]]
    """For the key of each field, the codes of the members that ask it."""
    material_users: dict[str, tuple[str, ...]]
    clashes: tuple[Clash, ...]
    """Empty: the package can be used. Of a clash the first member's part is kept."""


def unite(parts: Sequence[Part]) -> Union:
    """Return what several items ask for together."""
    clashes: list[Clash] = []
    rows = [(part.code, field) for part in parts for field in part.fields]
    papers = [(part.code, paper) for part in parts for paper in part.materials]
    fields, field_users = _once(rows, _join_fields, clashes)
    materials, material_users = _once(papers, _join_materials, clashes)
    return Union(
        _roles_once(fields), materials, field_users, material_users, tuple(clashes)
    )


def papers_of(item: Item, member: Member) -> tuple[Material, ...]:
    """Return the papers of a joint package that serve one of its members.

    Each is handed in once, and is there for everybody whom it serves.
    """
    served = member.materials or tuple(one.key for one in item.materials)
    return tuple(one for one in item.materials if one.key in served)


def _once(
    asked: Iterable[tuple[str, T]],
    join: Callable[[T, T], T | str],
    clashes: list[Clash],
) -> tuple[tuple[T, ...], dict[str, tuple[str, ...]]]:
    """Return each thing once and who asks for it; add to `clashes` on the way."""
    things: dict[str, T] = {}
    users: dict[str, tuple[str, ...]] = {}
    for code, thing in asked:
        key: str = thing.key
        if key not in things:
            things[key], users[key] = thing, (code,)
            continue
        joined = join(things[key], thing)
        if isinstance(joined, str):
            clashes.append(Clash(key, (users[key][0], code), joined))
            continue
        things[key] = joined
        users[key] = _each_once((*users[key], code))
    return tuple(things.values()), users


def _join_fields(first: Field, second: Field) -> Field | str:
    """Return one question that serves both, or why there is none."""
    if first.kind != second.kind:
        return f"类型不同：{first.kind} 和 {second.kind}"
    if first.subject != second.subject:
        return "问的不是同一个人"
    if [c.value for c in first.choices] != [c.value for c in second.choices]:
        return "选项不同"
    lengths = [n for n in (first.max_length, second.max_length) if n is not None]
    for pair in ((first.minimum, second.minimum), (first.maximum, second.maximum)):
        # Which of the two is stricter changes with the day.
        if TODAY in pair and None not in pair and pair[0] != pair[1]:
            return "一个以今天为限，一个以固定日期为限"
    low = _limit(first.kind, [first.minimum, second.minimum], max)
    high = _limit(first.kind, [first.maximum, second.maximum], min)
    if _is_beyond(first.kind, low, high):
        return f"上下限合不到一起：{low} 和 {high}"
    return replace(
        first,
        required=first.required or second.required,
        hint=first.hint or second.hint,
        minimum=low,
        maximum=high,
        max_length=min(lengths, default=None),
        role=first.role or second.role,
    )


def _limit(
    kind: str, limits: Sequence[str | None], strictest: Callable[..., str]
) -> str | None:
    """Return the strictest of some limits; None where nobody set one."""
    said = [limit for limit in limits if limit is not None]
    return strictest(said, key=lambda limit: _order(kind, limit)) if said else None


def _is_beyond(kind: str, low: str | None, high: str | None) -> bool:
    if low is None or high is None or TODAY in (low, high):
        return False
    return _order(kind, low) > _order(kind, high)


def _order(kind: str, limit: str) -> Decimal:
    scale = KINDS[kind].scale
    assert scale is not None  # a limit without a scale is a fault of the field
    return scale.limit(limit, _ANY_DAY)


def _join_materials(first: Material, second: Material) -> Material:
    """Return one paper that is good for both."""
    wanted = [m for m in (first, second) if m.required] or [first, second]
    always = any(not m.relevant for m in wanted)
    counts = [n for n in (first.copy_count, second.copy_count) if n is not None]
    return replace(
        first,
        required=first.required or second.required,
        copies=first.copies or second.copies,
        review=_each_once((*first.review, *second.review)),
        proves=_each_once((*first.proves, *second.proves)),
        original=max(first.original, second.original, key=_STRICTNESS.index),
        copy_count=max(counts, default=None),
        issuer=first.issuer or second.issuer,
        relevant="" if always else _either([m.relevant for m in wanted]),
        condition="" if always else "；".join(_each_once(m.condition for m in wanted)),
        exempt_by=_common(first.exempt_by, second.exempt_by),
    )


def _either(expressions: Sequence[str]) -> str:
    apart = _each_once(expressions)
    return apart[0] if len(apart) == 1 else " or ".join(f"({e})" for e in apart)


def _common(
    first: tuple[Exemption, ...], second: tuple[Exemption, ...]
) -> tuple[Exemption, ...]:
    """Return what frees from the paper for both members, not for one only."""
    return tuple(exemption for exemption in first if exemption in second)


def _roles_once(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Return the fields with each role left to the first that plays it."""
    taken: set[str] = set()
    kept = []
    for field in fields:
        kept.append(replace(field, role="") if field.role in taken else field)
        taken |= {field.role} - {""}
    return tuple(kept)


def _each_once(values: Iterable[H]) -> tuple[H, ...]:
    return tuple(dict.fromkeys(values))
