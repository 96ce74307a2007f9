"""The homes from which each measurement begins, made once and copied.

A district, a town, a village and a second village (the warmer), enrolled without a
socket. Cases are written through `node.casework`, a hundred on each invented day, by
an invented clock; a hundred share a transaction, since how fast a village writes is
not what is measured here.
"""

import datetime as dt
import itertools
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench import baseline
from forms import catalog
from node import casework, enrol, talk, upkeep
from node.cases import Case, open_case
from node.lifecycle import Step
from node.sample import applications
from node.vault import Cost
from node.wiring import Node, open_node

OPERATOR, PASSWORD = "代办员", "bench-only"
CASES_A_DAY = 100
_SEED = 7
_FIRST_DAY = dt.date(2026, 3, 2)
_DISTRICT, _TOWN = "330881000000", "330881105000"
_VILLAGE, _WARMER = "330881105201", "330881105202"
_CHEAP = Cost(64, 1)


@dataclass(slots=True)
class Clock:
    """A clock that is set from outside."""

    at_ms: int = 0

    def __call__(self) -> int:
        """Return the time."""
        return self.at_ms

    def set_day(self, day: dt.date) -> None:
        """Go to the morning of a day."""
        morning = dt.datetime.combine(day, dt.time(8, 30), casework.CHINA)
        self.at_ms = int(morning.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Start:
    """Where a measurement begins: a folder with town/, village/, warmer/, plain.db."""

    path: Path

    def copy_to(self, path: Path) -> "Start":
        """Return a fresh copy."""
        shutil.copytree(self.path, path)
        return Start(path)

    def __truediv__(self, name: str) -> Path:
        """Return what lies in the folder."""
        return self.path / name


def enrolled(path: Path) -> Start:
    """Make the nodes; the villages know their town and all packages."""
    path.mkdir(parents=True)
    district = enrol.init_district(
        path / "district",
        division=_DISTRICT,
        name="江山市",
        operator=OPERATOR,
        password=PASSWORD,
        cost=_CHEAP,
    )
    upkeep.publish(district, catalog.read_catalog(catalog.shipped()))
    town = _join(district, path / "town", "town", _TOWN, "贺村镇")
    village = _join(town, path / "village", "village", _VILLAGE, "礼贤村")
    warmer = _join(town, path / "warmer", "village", _WARMER, "耕读村")
    for below, above in (
        (town, district), (village, town), (town, district), (village, town),
        (warmer, town),
    ):  # fmt: skip
        settle(below, above)
    for node in (district, town, village, warmer):
        node.sandbox.close()
        node.close()
    shutil.rmtree(path / "district")
    rows = write_cases(path / "warmer", range(1))
    with plain(path / "warmer.db") as db:
        baseline.put_out(db, [next(rows)])
    list(rows)
    return Start(path)


def settle(below: Node, above: Node) -> float:
    """Exchange in this process until both agree; return the seconds spent above."""
    spent_s = 0.0

    def carry(data: bytes) -> bytes:
        nonlocal spent_s
        began_s = time.perf_counter()
        reply = talk.answer(above, data)
        spent_s += time.perf_counter() - began_s
        return reply

    report = talk.sync_over(below, above.certificate, carry)
    assert not report.refused, report.refused
    return spent_s


def write_cases(home: Path, numbers: range) -> Iterator[dict[str, Any]]:
    """Submit cases; yield each as the baseline carries it.

    `numbers` are counted from the first ever; both ends are multiples of a day's
    cases, or less than one day.
    """
    clock = Clock()
    node = open_node(home, OPERATOR, PASSWORD, now_ms=clock)
    packages = [
        package
        for row in node.store.registry.current_packages()
        if (package := node.package(row.digest))
    ]
    pause = random.Random(numbers.start)
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
                clock.at_ms += pause.randrange(60_000, 540_000)
                draft = casework.begin_draft(
                    node, application.item_code, application.answers
                )
                yield _new_case(casework.submit_draft(node, draft))
    node.close()


def edit_cases(
    home: Path, case_ids: list[str], times: int = 1
) -> Iterator[dict[str, Any]]:
    """Give the applicant of each case another telephone number; yield the changes."""
    clock = Clock()
    node = open_node(home, OPERATOR, PASSWORD, now_ms=clock)
    clock.set_day(_FIRST_DAY + dt.timedelta(days=300))
    draw = random.Random(_SEED)
    with node.store.transaction():
        for case_id in itertools.chain.from_iterable([case_ids] * times):
            clock.at_ms += draw.randrange(60_000, 540_000)
            phone = f"138{draw.randrange(10**8):08d}"
            package = open_case(node, case_id).package
            wanted = package.field_of("applicant_phone")
            assert wanted is not None
            answers = {wanted.key: phone}
            case = casework.take_step(node, case_id, Step.AMEND, answers=answers)
            yield {"id": case_id, "answers": answers, "event": _event(case)}
    node.close()


@contextmanager
def opened(start: Start) -> Iterator[tuple[Node, Node]]:
    """Open (village, town) of a start; both are closed afterwards."""
    nodes = [
        open_node(start / name, OPERATOR, PASSWORD) for name in ("village", "town")
    ]
    try:
        yield nodes[0], nodes[1]
    finally:
        for node in nodes:
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
        return enrol.join(path, code, operator=OPERATOR, password=PASSWORD, cost=_CHEAP)


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


def _event(case: Case) -> dict[str, Any]:
    """Return what the newest event says. What follows from the copies' own work, as
    its id or what its author had seen, the baseline need not carry.
    """
    event = case.story.happened[-1].event
    return {"step": event.step, "at": event.at, "by": event.by}
