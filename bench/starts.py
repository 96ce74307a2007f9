"""The states from which the workloads begin, made when they are first asked for.

They are kept in bench/out until the program changes: 100,000 cases take minutes.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bench import baseline, homes
from bench.homes import Edit, Start
from node.sample import CODES
from node.store.cases import Filter

ROOT = Path(__file__).parent.parent
_, ELDER_CARD, _ = CODES
_MADE_BY = ("node", "sync", "forms", "bench/homes.py", "bench/starts.py")

Say = Callable[[str], None]


class Starts:
    """Makes starts, and keeps them in a folder; none of them may be changed."""

    def __init__(self, folder: Path, say: Say) -> None:
        """Use a folder; what another version of the program has left there goes."""
        name = f"starts-{_version()}"
        for other in folder.glob("starts-*"):
            if other.name != name:
                shutil.rmtree(other)
        self._folder, self._say = folder / name, say

    def enrolled(self) -> Start:
        """All nodes, and nothing to exchange."""
        return self._kept("enrolled", homes.enrolled)

    def new(self, cases: int) -> Start:
        """So many new cases at the village."""

        def make(path: Path) -> Start:
            start = self.enrolled().copy_to(path)
            with homes.plain(start / "village.db") as db:
                baseline.put_out(db, homes.write_cases(start / "village", range(cases)))
            return start

        return self._kept(f"new-{cases}", make)

    def held(self, cases: int) -> Start:
        """So many cases at the village and at its town, and nothing to exchange."""

        def make(path: Path) -> Start:
            start = self.enrolled().copy_to(path)
            rows = list(homes.write_cases(start / "village", range(cases)))
            _settle(start, "village", "town")
            for name in ("village", "town"):
                with homes.plain(start / f"{name}.db") as db:
                    baseline.keep(db, rows)
            return start

        return self._kept(f"held-{cases}", make)

    def edited(self, edits: int, cases: int) -> Start:
        """Of so many cases that both hold, some are edited at the village."""

        def make(path: Path) -> Start:
            start = self.held(cases).copy_to(path)
            edit(start, homes.phones(some_ids(start, edits)))
            return start

        return self._kept(f"edited-{edits}-of-{cases}", make)

    def edited_by_both(self, edits: int, cases: int) -> Start:
        """Of so many cases that both hold, the same ones are edited at both ends.

        Half of them get two different numbers; a quarter the same one twice; in a
        quarter the town writes into another field.
        """

        def make(path: Path) -> Start:
            start = self.held(cases).copy_to(path)
            ids = some_ids(start, edits)
            here, half = homes.phones(ids), conflicts_of(ids)
            there = homes.phones(half, seed=1)
            there += [
                one if number % 2 else Edit(one.case_id, "remark", "已电话核实")
                for number, one in enumerate(here[len(half) :])
            ]
            edit(start, here)
            edit(start, there, "town", "village")
            return start

        return self._kept(f"both-{edits}-of-{cases}", make)

    def forwarded(self, cases: int) -> Start:
        """So many cases at the town, of which the district knows nothing; the town
        has accepted and forwarded the first that the district decides.
        """

        def make(path: Path) -> Start:
            start = self.held(cases).copy_to(path)
            with homes.plain(start / "town.db") as db:
                baseline.put_out(db, _new_rows(db))
                steps = homes.accept_and_forward(start / "town", decided_id(start))
                baseline.put_out(db, steps)
            return start

        return self._kept(f"forwarded-{cases}", make)

    def decided(self, cases: int) -> Start:
        """All three hold all cases; the district has decided one, nobody else knows."""

        def make(path: Path) -> Start:
            start = self.forwarded(cases).copy_to(path)
            _settle(start, "town", "district")
            _settle(start, "village", "town")
            with homes.plain(start / "town.db") as db:
                rows = map(json.loads, baseline.take_out(db))
                with homes.plain(start / "district.db") as above:
                    baseline.keep(above, rows)
            with homes.plain(start / "district.db") as db:
                step = homes.grant(start / "district", decided_id(start))
                baseline.put_out(db, step, "town")
            return start

        return self._kept(f"decided-{cases}", make)

    def answered(self, cases: int) -> Start:
        """As before; the town has heard of the decision, and the village has not."""

        def make(path: Path) -> Start:
            start = self.decided(cases).copy_to(path)
            _settle(start, "town", "district")
            with homes.plain(start / "district.db") as db:
                rows = list(map(json.loads, baseline.take_out(db, "town")))
            with homes.plain(start / "town.db") as db:
                baseline.keep(db, rows)
                baseline.put_out(db, rows, "village")
            return start

        return self._kept(f"answered-{cases}", make)

    def _kept(self, name: str, make: Callable[[Path], Start]) -> Start:
        path = self._folder / name
        if not path.exists():
            unfinished = path.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            began_s = time.monotonic()
            make(unfinished)
            unfinished.rename(path)
            self._say(f"made {name} in {time.monotonic() - began_s:.0f} s")
        return Start(path)


def edit(
    start: Start, edits: Iterable[Edit], name: str = "village", peer: str = ""
) -> None:
    """Edit cases at one node, for both kinds; they lie ready for its peer."""
    with homes.plain(start / f"{name}.db") as db:
        rows = list(homes.edit_cases(start / name, edits))
        baseline.keep(db, rows)
        baseline.put_out(db, rows, peer)


def some_ids(start: Start, count: int) -> list[str]:
    """Return so many of the cases that the village can edit, from its whole length."""
    with homes.plain(start / "village.db") as db:
        # What forms ask of ages and of births that are expected may not be so any more
        # when these are edited, years later.
        rows = db.execute(
            "SELECT id FROM cases WHERE item <> ? "
            "AND answers ->> '$.expected_date' IS NULL ORDER BY number",
            (ELDER_CARD,),
        )
        every = [row[0] for row in rows]
    return every[:: len(every) // count][:count]


def conflicts_of(edited: list[str]) -> list[str]:
    """Return which of the cases that both have edited really are in conflict."""
    return edited[: len(edited) // 2]


def decided_id(start: Start) -> str:
    """Return the first case that the district decides."""
    with homes.opened(start / "village") as node:
        (row,) = node.store.cases.page(Filter(decide="district"), None, 1)
    return row.id


def _new_rows(db: Any) -> list[dict[str, Any]]:
    """Return all cases of a plain store as they were sent when they were new."""
    columns = "id, number, item, json(answers), json_extract(events, '$[0]')"
    return [
        {
            "id": one[0],
            "number": one[1],
            "item": one[2],
            "answers": json.loads(one[3]),
            "event": json.loads(one[4]),
        }
        for one in db.execute(f"SELECT {columns} FROM cases ORDER BY number")
    ]


def _version() -> str:
    """Return a name for what the program that makes the starts is now."""
    digest = hashlib.sha256()
    for name in _MADE_BY:
        path = ROOT / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _settle(start: Start, below: str, above: str) -> None:
    """Exchange everything; once more, so that each also knows what the other knows."""
    with homes.opened(start / below) as one, homes.opened(start / above) as other:
        homes.settle(one, other)
        homes.settle(one, other)
