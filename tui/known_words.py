"""What is said of a person who has been here before, on screens and command lines.
Pure but for names of places.
"""

from collections.abc import Callable, Mapping, Sequence

from forms.kinds import KINDS
from forms.package import Package
from node import known
from node.known import Person
from node.material import Material
from node.reuse import Offer
from node.store.cases import CaseRow
from node.wiring import Node
from tui import labels, times

SHOWN_TWINS = 3
NOTHING = "没有可再取用的资料"


def summary(person: Person, count: int) -> str:
    """Return how often somebody has been here, and how much there is to take over."""
    if not person.rows:
        return ""
    given = f"可取用 {count} 项资料" if count else NOTHING
    return f"此人在本点办过 {len(person.rows)} 件，{given}"


def twins(node: Node, rows: Sequence[CaseRow]) -> str:
    """Return which open cases of the same item a person has: number, day, state, and
    who has them now; "" for none.
    """
    if not rows:
        return ""
    said = "；".join(_twin(node, row) for row in rows[:SHOWN_TWINS])
    many = "一" if len(rows) == 1 else f" {len(rows)} "
    return f"此人另有{many}件同事项在办：{said}。请先核对，重复的不用再收"


def source(offer: Offer) -> str:
    """Return of which case an offer comes, and since when it is verified."""
    one = offer.source
    number = labels.short_number(one.number)
    return f"{one.item_name}，单号 {number}，{day(one.verified_at_ms)} 上级核过"


def day(at_ms: int) -> str:
    """Return a day with its year: what is taken over may be years old."""
    return times.local(at_ms).strftime("%Y-%m-%d")


def shown(
    package: Package,
    key: str,
    answers: Mapping[str, str],
    material: Callable[[str], Material],
) -> str:
    """Return an answer, or those of a whole repeat, as people read it."""
    instances: dict[str, list[str]] = {}
    for one, value in answers.items():
        field = package.question(one)
        inside = one.removeprefix(f"{key}/")
        if field is None or not value or (one != key and inside == one):
            continue
        said = KINDS[field.kind].show(field, value)
        if field.kind == "file":
            said = "、".join(material(digest).name for digest in value.split())
        instances.setdefault(inside.partition("/")[0], []).append(said)
    said_of_each = "；".join(" ".join(each) for each in instances.values())
    return said_of_each if key in answers else f"{len(instances)} 组：{said_of_each}"


def _twin(node: Node, row: CaseRow) -> str:
    taken_in = times.day(row.submitted_at_ms, node.now_ms())
    return (
        f"单号 {labels.short_number(row.number)}，{taken_in} 收件，"
        f"{labels.word(labels.STATES, row.state)}，现在{known.holder(node, row)}"
    )
