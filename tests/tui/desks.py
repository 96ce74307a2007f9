"""Three real nodes on one disk, joined and synced without a socket, for the screens."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from node import answering, casework, drafting, enrol, peers, talk, upkeep
from node.cases import Case
from node.lifecycle import Step
from node.vault import Cost
from node.wiring import Node
from tests.shipping import shipped_packages
from tui.app import LianbanApp

CHEAP = Cost(64, 1)
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
    """A district, a town in it, and a village in that."""

    def __init__(self, path: Path, client: Any = Line) -> None:
        self._client = client
        self.district = enrol.init_district(
            path / "district",
            division="330881000000",
            name="江山市",
            operator="林决定",
            password="x",
            cost=CHEAP,
        )
        upkeep.publish(self.district, shipped_packages())
        self.town = self.below(
            self.district, path / "town", "town", "330881105000", "贺村镇", "周审核"
        )
        self.village = self.below(
            self.town, path / "village", "village", "330881105201", "耀里村", "李秀英"
        )
        for _ in range(2):
            self.sync(self.town)
            self.sync(self.village)

    def below(
        self,
        inviter: Node,
        path: Path,
        tier: str,
        division: str,
        name: str,
        operator: str,
    ) -> Node:
        code = enrol.invite(
            inviter,
            tier=tier,
            division=division,
            department="",
            name=name,
            address="127.0.0.1:1",
        )
        self._client.inviter = inviter
        return enrol.join(path, code, operator=operator, password="x", cost=CHEAP)

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
            node.sandbox.close()


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
    """Return three desks whose enrolment needs no network."""
    monkeypatch.setattr(enrol, "Client", Line)
    return Desks(path)


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
