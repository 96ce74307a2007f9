"""The homes from which each measurement begins, made once and copied.

A district, a town, a village, and another village and another town for warming up,
enrolled without a socket. Cases are written through `node.drafting` and
`node.casework`, a hundred on each invented day, by an invented clock; a hundred share a
transaction, since how fast a village writes is not what is measured here.
"""

import datetime as dt
import os
import random
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

from bench import baseline
from bench.measure import cpu_s
from forms.author.packing import read_packages
from forms.catalog import shipped
from forms.check import CHINA
from node import answering, casework, drafting, enrol, talk, upkeep
from node.cases import Case, open_case
from node.lifecycle import Step
from node.sample import SAMPLED, applications
from node.wiring import Node, open_node

OPERATOR, PASSWORD = "代办员", "bench-only"
CASES_A_DAY = 100
_SEED = 7
_FIRST_DAY = dt.date(2026, 3, 2)
_LATER_DAY = dt.date(2030, 3, 4)
_DISTRICT, _TOWN, _OTHER_TOWN = "330881000000", "330881105000", "330881107000"
_VILLAGE, _WARMER = "330881105201", "330881105202"


@dataclass(slots=True)
class Clock:
    """A clock that is set from outside."""

    at_ms: int = 0
    _draw: random.Random = field(default_factory=lambda: random.Random(_SEED))

    def __call__(self) -> int:
        """Return the time."""
        return self.at_ms

    def set_day(self, day: dt.date) -> None:
        """Go to the morning of a day."""
        morning = dt.datetime.combine(day, dt.time(8, 30), CHINA)
        self.at_ms = int(morning.timestamp() * 1000)

    def pass_some_time(self) -> None:
        """Let some minutes go by."""
        self.at_ms += self._draw.randrange(60_000, 540_000)


@dataclass(frozen=True, slots=True)
class Start:
    """Where a measurement begins: a folder of homes, and for each home NAME a plain
    store NAME.db. See `NAMES`.
    """

    path: Path

    def copy_to(self, path: Path) -> "Start":
        """Return a fresh copy."""
        shutil.copytree(self.path, path)
        return Start(path)

    def __truediv__(self, name: str) -> Path:
        """Return what lies in the folder."""
        return self.path / name


NAMES = ("district", "town", "village", "warmer", "other-town")
"""`warmer` is another village of the town, `other-town` another town."""


def enrolled(path: Path) -> Start:
    """Make the nodes; all know their items, and the warmers have one case each."""
    path.mkdir(parents=True)
    start = Start(path)
    district = enrol.init_district(
        start / "district",
        division=_DISTRICT,
        name="江山市",
        operator=OPERATOR,
        password=PASSWORD,
    )
    upkeep.publish(district, read_packages(shipped(), SAMPLED))
    town = _join(district, start / "town", "town", _TOWN, "贺村镇")
    village = _join(town, start / "village", "village", _VILLAGE, "礼贤村")
    warmer = _join(town, start / "warmer", "village", _WARMER, "耕读村")
    other = _join(district, start / "other-town", "town", _OTHER_TOWN, "清湖镇")
    for below, above in (
        (town, district), (village, town), (warmer, town), (other, district),
        (town, district), (village, town), (warmer, town), (other, district),
    ):  # fmt: skip
        settle(below, above)
    for node in (district, town, village, warmer, other):
        node.sandbox.close()
        node.close()
    for name in NAMES:
        with plain(start / f"{name}.db"):
            pass
    for name in ("warmer", "other-town"):
        with plain(start / f"{name}.db") as db:
            baseline.put_out(db, write_cases(start / name, range(1)))
    return start


@dataclass(frozen=True, slots=True)
class Spent:
    """Time on the wall and of the CPU, in seconds."""

    wall_s: float = 0.0
    cpu_s: float = 0.0


def settle(below: Node, above: Node) -> Spent:
    """Exchange in this process until both agree; return what was spent above."""
    spent = Spent()

    def carry(run: Iterator[bytes]) -> Iterator[bytes]:
        nonlocal spent
        bundles = list(run)
        began_s, cpu_began_s = time.perf_counter(), cpu_s(os.getpid())
        replies = list(answering.answer(above, bundles))
        spent = Spent(
            spent.wall_s + time.perf_counter() - began_s,
            spent.cpu_s + cpu_s(os.getpid()) - cpu_began_s,
        )
        return iter(replies)

    report = talk.sync_over(below, above.certificate, carry)
    assert not report.refused, report.refused
    return spent


def write_cases(home: Path, numbers: range) -> Iterator[dict[str, Any]]:
    """Submit cases; yield each as the baseline carries it.

    `numbers` are counted from the first ever; both ends are multiples of a day's
    cases, or less than one day.
    """
    clock = Clock()
    with opened(home, clock) as node:
        packages = [
            package
            for row in node.store.registry.current_packages()
            if (package := node.package(row.digest))
        ]
        for first in range(numbers.start, numbers.stop, CASES_A_DAY):
            number = first // CASES_A_DAY
            day = _FIRST_DAY + dt.timedelta(days=number)
            clock.set_day(day)
            drawn = applications(
                packages,
                seed=_SEED + number,
                today=day,
                division=node.certificate.division,
                count=min(CASES_A_DAY, numbers.stop - first),
            )
            with node.store.transaction():
                for application in drawn:
                    clock.pass_some_time()
                    draft = drafting.begin_draft(
                        node, application.item_code, application.answers
                    )
                    yield _new_case(drafting.submit_draft(node, draft))


@dataclass(frozen=True, slots=True)
class Edit:
    """Another answer to one question of a case."""

    case_id: str
    what: Literal["phone", "remark"]
    value: str


def phones(case_ids: Iterable[str], seed: int = _SEED) -> list[Edit]:
    """Return another telephone number for each case; each seed gives others."""
    draw = random.Random(seed)
    return [
        Edit(case_id, "phone", f"138{draw.randrange(10**8):08d}")
        for case_id in case_ids
    ]


def edit_cases(home: Path, edits: Iterable[Edit]) -> Iterator[dict[str, Any]]:
    """Amend cases, all in one transaction; yield the changes for the baseline."""
    with _later(home) as (node, clock), node.store.transaction():
        for edit in edits:
            clock.pass_some_time()
            package = open_case(node, edit.case_id).package
            phone = package.field_of("applicant_phone")
            assert phone is not None
            key = phone.key if edit.what == "phone" else "remark"
            answers = {key: edit.value}
            case = casework.take_step(node, edit.case_id, Step.AMEND, answers=answers)
            yield _change(case, answers)


def accept_and_forward(home: Path, case_id: str) -> Iterator[dict[str, Any]]:
    """Take the town's steps in a case; yield them for the baseline."""
    with _later(home) as (node, clock):
        yield _change(casework.take_step(node, case_id, Step.ACCEPT))
        clock.pass_some_time()
        _, (case,) = casework.forward_batch(node, [case_id])
        yield _change(case)


def grant(home: Path, case_id: str) -> Iterator[dict[str, Any]]:
    """Decide a case; yield it for the baseline."""
    with _later(home) as (node, _):
        yield _change(casework.take_step(node, case_id, Step.GRANT, note="符合条件"))


def conflicting(home: Path, case_ids: Iterable[str]) -> set[str]:
    """Return the cases of which a field with two living values is shown."""
    with opened(home) as node:
        return {one for one in case_ids if open_case(node, one).conflicts}


@contextmanager
def opened(home: Path, now_ms: Clock | None = None) -> Iterator[Node]:
    """Open a home; it is closed afterwards."""
    node = open_node(home, OPERATOR, PASSWORD, now_ms=now_ms)
    try:
        yield node
    finally:
        node.sandbox.close()
        node.close()


@contextmanager
def plain(path: Path) -> Iterator[Any]:
    """Open a plain store; it is closed, not only committed, afterwards."""
    db = baseline.open_plain(path)
    try:
        yield db
    finally:
        db.close()


@contextmanager
def _later(home: Path) -> Iterator[tuple[Node, Clock]]:
    """Open a home on a day when all of its cases have been handed in."""
    clock = Clock()
    clock.set_day(_LATER_DAY)
    with opened(home, clock) as node:
        yield node, clock


def _join(above: Node, path: Path, tier: str, division: str, name: str) -> Node:
    code = enrol.invite(
        above,
        tier=tier,
        division=division,
        department="",
        name=name,
        address="127.0.0.1:1",
    )
    with patch.object(enrol, "Client", _client_of(above)):
        return enrol.join(path, code, operator=OPERATOR, password=PASSWORD)


def _client_of(above: Node) -> Callable[..., object]:
    class Direct:
        """Asks the node above without a socket."""

        def __init__(self, *_: object) -> None:
            pass

        def join(self, data: bytes) -> bytes:
            return enrol.grant(above, data)

        def close(self) -> None:
            pass

    return Direct


def _new_case(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "number": case.row.number,
        "item": case.package.item.code,
        "answers": case.fields,
        "event": _event(case),
    }


def _change(case: Case, answers: dict[str, str] | None = None) -> dict[str, Any]:
    return {"id": case.id, "answers": answers or {}, "event": _event(case)}


def _event(case: Case) -> dict[str, Any]:
    """Return what the newest event says. What follows from the copies' own work, as
    its id or what its author had seen, the baseline need not carry.
    """
    event = case.story.happened[-1].event
    return {"step": event.step, "at": event.at, "by": event.by}
