"""Three real nodes on one disk, joined and synced without a socket, for the screens."""

import atexit
import shutil
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from unittest import mock

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from node import answering, casework, drafting, enrol, peers, talk, upkeep, wiring
from node.cases import Case
from node.lifecycle import Step
from node.vault import Cost
from node.wiring import Node, open_node
from tests.node.nodes import sandbox
from tests.shipping import shipped_packages
from tui.app import LianbanApp

CHEAP = Cost(64, 1)
PASSWORD = "x"
ITEM = "老年人优待证办理"
BIRTH = "生育登记"
ELDER = {
    "name": "欧阳建国",
    "citizen_id": "11010519491231002X",
    "sex": "female",
    "ethnicity": "汉族",
    "phone": "13800138000",
    "household_address": "耀里村 3 组 12 号",
    "home_address": "耀里村 3 组 12 号",
    "household_division": "330881105201",
    "card_type": "age70",
    "matter": "first",
    "contact_name": "欧阳明",
    "contact_phone": "13900139000",
    "contact_relation": "child",
    "handling": "self",
}


class Line:
    """Stands where the enrolment client is: the inviter answers at once."""

    inviter: Node

    def __init__(self, address: str, pinned: bytes | None) -> None:
        pass

    def join(self, data: bytes) -> bytes:
        return enrol.grant(self.inviter, data)

    def close(self) -> None:
        pass


class Desks:
    """A district, a town in it, and a village in that, whose homes are in a folder."""

    def __init__(self, path: Path) -> None:
        self.district = _opened(path / "district", "林决定")
        self.town = _opened(path / "town", "周审核")
        self.village = _opened(path / "village", "李秀英")

    def sync(self, node: Node) -> None:
        """Sync a node with the one above it, over connections of their own."""
        above = self.town if node.id == self.village.id else self.district
        here, there = node.another_connection(), above.another_connection()
        try:
            talk.sync_over(
                here,
                peers.find_neighbour(here),
                lambda run: answering.answer(there, run),
            )
        finally:
            here.close()
            there.close()

    def up(self) -> None:
        """Bring everything from the village to the district, and home again."""
        for _ in range(2):
            self.sync(self.village)
            self.sync(self.town)
        self.sync(self.village)

    def close(self) -> None:
        for node in (self.village, self.town, self.district):
            node.close()


def enrolled(
    inviter: Node,
    path: Path,
    tier: str,
    division: str,
    name: str,
    operator: str,
    department: str = "",
) -> Node:
    """Return a new node that `inviter` has invited. Needs `Line`, as `joined` sets it;
    the caller closes its sandbox too.
    """
    code = enrol.invite(
        inviter,
        tier=tier,
        division=division,
        department=department,
        name=name,
        address="127.0.0.1:1",
    )
    Line.inviter = inviter
    return enrol.join(path, code, operator=operator, password=PASSWORD, cost=CHEAP)


def submit(node: Node, name: str = "欧阳建国", item: str = ITEM, **more: str) -> Case:
    """Submit a case without a screen."""
    answers: Mapping[str, str] = {**ELDER, "name": name, **more}
    return drafting.submit_draft(node, drafting.begin_draft(node, item, answers))


def forwarded(desks: Desks, *names: str) -> list[Case]:
    """Submit a case for each name, and bring all to the district in one batch."""
    made = [submit(desks.village, name) for name in names]
    desks.up()
    for one in made:
        casework.take_step(desks.town, one.id, Step.ACCEPT)
    casework.forward_batch(desks.town, [one.id for one in made])
    desks.up()
    return made


def joined(monkeypatch: pytest.MonkeyPatch, path: Path) -> Desks:
    """Return three desks that have all heard of each other just now, and whose
    enrolment needs no network.
    """
    monkeypatch.setattr(enrol, "Client", Line)
    shutil.copytree(_homes(), path, dirs_exist_ok=True)
    made = Desks(path)
    made.sync(made.town)
    made.sync(made.village)
    return made


def screen_text(app: LianbanApp) -> str:
    """Return what the screen shows, line by line, as a person reads it."""
    _, height = app.size
    lines = app.screen._compositor.render_strips()
    return "\n".join(
        "".join(segment.text for segment in strip).rstrip() for strip in lines[:height]
    )


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys, and wait until the screen has followed."""
    await pilot.press(*keys)
    await pilot.pause()


async def act(pilot: Pilot[None], *keys: str) -> None:
    """Press keys, and wait until what they began is done and shown."""
    await pilot.press(*keys)
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def read_out(pilot: Pilot[None]) -> None:
    """Wait until the page has read what it lists, and shows it."""
    await pilot.pause()
    while [one for one in pilot.app.workers if one.group == "read"]:
        await pilot.pause()
    await pilot.pause()


def note(app: LianbanApp) -> str:
    """Return the line above the keys."""
    assert app.page is not None
    return str(app.page.query_one("#note", Static).render())


def dialogue(app: LianbanApp) -> str:
    """Return what a dialogue says, without the breaks between its lines."""
    return "".join(str(one.render()).strip() for one in app.screen.query(Static))


async def type_text(pilot: Pilot[None], text: str) -> None:
    """Type text, as an input method commits it."""
    await pilot.press(*text)


def _opened(home: Path, operator: str) -> Node:
    node = open_node(home, operator, PASSWORD)
    node.sandbox = sandbox()
    return node


@lru_cache(maxsize=1)
def _homes() -> Path:
    """Make the homes of which each test gets a copy, as of an hour ago."""
    folder = Path(tempfile.mkdtemp(prefix="lianban-desks-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    hour_ago_ms = wiring.system_ms() - 3600_000
    with (
        mock.patch.object(enrol, "Client", Line),
        mock.patch.object(wiring, "system_ms", return_value=hour_ago_ms),
    ):
        district = enrol.init_district(
            folder / "district",
            division="330881000000",
            name="江山市",
            operator="林决定",
            password=PASSWORD,
            cost=CHEAP,
        )
        upkeep.publish(district, shipped_packages())
        town = enrolled(
            *(district, folder / "town", "town"),
            *("330881105000", "贺村镇", "周审核"),
        )
        village = enrolled(
            *(town, folder / "village", "village"),
            *("330881105201", "耀里村", "李秀英"),
        )
        for node in (district, town, village):
            node.close()
            node.sandbox.close()
    desks = Desks(folder)
    for _ in range(2):
        desks.sync(desks.town)
        desks.sync(desks.village)
    desks.close()
    return folder
