"""`lianban demo`: three real nodes on loopback, sample data, and one case's way.

The homes lie in a temporary folder that is removed at the end. The town and the
district run `lianban serve` as processes of their own. In the walk this process acts
at each desk in turn and syncs when it says so; at a terminal all three nodes sync by
themselves, each in its own process, and a person chooses a desk to sit at.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from forms.author.packing import read_packages
from forms.catalog import shipped
from node import (
    calendar_source,
    casework,
    drafting,
    enrol,
    in_force,
    peers,
    sample,
    status,
    talk,
    upkeep,
)
from node.errors import CalendarSourceMissing, NodeError
from node.lifecycle import State, Step
from node.wiring import Node, open_node
from tui import labels
from tui.commands.context import show, tell

SEED = 20261121
OPERATORS = {"village": "代办员", "town": "镇审核", "district": "区部门"}
PLACES = {
    "district": ("330881000000", "江山市"),
    "town": ("330881105000", "朱林镇"),
    "village": ("330881105201", "三江口村"),
}


@dataclass(slots=True)
class Desk:
    """One node of the demo: its home, its door, and its service if it has one."""

    tier: str
    path: Path
    operator: str
    password_file: Path
    service: "subprocess.Popen[bytes] | None" = None
    address: str = "127.0.0.1:0"

    @property
    def password(self) -> str:
        """The password that was made up for this run."""
        return self.password_file.read_text()

    def command(self, *arguments: str) -> list[str]:
        """Return a command line for this desk."""
        return [
            sys.executable,
            "-m",
            "tui",
            "--home",
            str(self.path),
            "--as",
            self.operator,
            "--password-file",
            str(self.password_file),
            *arguments,
        ]

    def open(self) -> Node:
        """Open the node in this process."""
        return open_node(self.path, self.operator, self.password)


@dataclass(slots=True)
class Walk:
    """One case on its way, and what was told of it so far."""

    nodes: dict[str, Node]
    tell: Callable[[dict[str, Any]], None]
    case: str = ""
    steps: list[dict[str, Any]] = field(default_factory=list)

    def say(self, step: str, tier: str, reports: tuple[talk.Report, ...] = ()) -> None:
        """Tell one step: what the acting node shows, and every other."""
        node = self.nodes[tier]
        row = node.store.cases.get(bytes.fromhex(self.case))
        arrived = status.arrivals(self.nodes["village"], [bytes.fromhex(self.case)])[
            bytes.fromhex(self.case)
        ]
        told = {
            "step": step,
            "node": node.certificate.name,
            "tier": tier,
            "case": self.case,
            "state": row.state if row else None,
            "sync": {
                "town": bool(arrived.town_ms),
                "district": bool(arrived.district_ms),
            },
            "bytes": sum(r.bytes_out + r.bytes_in for r in reports),
            "requests": sum(r.requests for r in reports),
            "shown": {
                name: (found.state if found else None)
                for name, one in self.nodes.items()
                for found in [one.store.cases.get(bytes.fromhex(self.case))]
            },
        }
        self.steps.append(told)
        self.tell(told)


def run_demo(*, count: int, only_walk: bool, as_json: bool) -> int:
    """Run the demo and return its exit code."""
    # Whoever ends the demo from outside must not leave homes and passwords behind.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    is_screen = (
        sys.stdin.isatty() and sys.stdout.isatty() and not only_walk and not as_json
    )
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(
                    prefix="lianban-demo-", ignore_cleanup_errors=True
                )
            )
        )
        say = _quiet if as_json else tell
        desks = stack.enter_context(_three_desks(folder, say))
        nodes = {tier: desk.open() for tier, desk in desks.items()}
        try:
            _fill(nodes, count, say)
            is_well = is_screen or _walk(nodes, as_json)
        finally:
            for node in nodes.values():
                node.close()
                node.sandbox.close()
        if is_screen:
            _choose_desk(desks)
        return 0 if is_well else 1


# -- setting up -----------------------------------------------------------------


@contextmanager
def _three_desks(folder: Path, say: Callable[[str], None]) -> Iterator[dict[str, Desk]]:
    """Make, enrol and serve three nodes; end the services afterwards."""
    desks = {tier: _desk(folder, tier) for tier in PLACES}
    try:
        district = desks["district"]
        division, name = PLACES["district"]
        say("① 建立区、镇、村三个节点，各有自己的密钥和加密数据库……")
        root = enrol.init_district(
            district.path,
            division=division,
            name=name,
            operator=district.operator,
            password=district.password,
        )
        upkeep.publish(root, read_packages(shipped()))
        last_year = root.today().year - 1
        # Without the extra `author` the demo's limits are provisional, and say so.
        with suppress(CalendarSourceMissing):
            upkeep.publish_calendar(root, calendar_source.known_tables(last_year))
        root.close()
        _serve(district)
        _join(desks["town"], district)
        _serve(desks["town"])
        _join(desks["village"], desks["town"])
        for tier in ("town", "village", "town"):
            node = desks[tier].open()
            _sync(node)
            node.close()
        yield desks
    finally:
        for desk in desks.values():
            _end(desk)


def _desk(folder: Path, tier: str) -> Desk:
    password_file = folder / f"{tier}.password"
    password_file.touch(mode=0o600)
    password_file.write_text(secrets.token_hex(16))
    return Desk(tier, folder / tier, OPERATORS[tier], password_file)


def _join(desk: Desk, inviter: Desk) -> None:
    division, name = PLACES[desk.tier]
    node = inviter.open()
    try:
        code = enrol.invite(
            node,
            tier=desk.tier,
            division=division,
            department="",
            name=name,
            address=inviter.address,
        )
    finally:
        node.close()
    enrol.join(desk.path, code, operator=desk.operator, password=desk.password).close()


def _serve(desk: Desk, *, syncs: bool = False) -> None:
    """Start the node's service and wait until it says where it listens."""
    options = () if syncs else ("--no-sync",)
    desk.service = subprocess.Popen(
        desk.command("serve", "--json", "--listen", desk.address, *options),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONUTF8": "1"},
    )
    assert desk.service.stdout is not None
    line = desk.service.stdout.readline()
    if not line:
        raise NodeError(f"the service of the {desk.tier} did not start")
    desk.address = json.loads(line)["listening"]


def _end(desk: Desk) -> None:
    if desk.service is None:
        return
    desk.service.terminate()
    try:
        desk.service.wait(timeout=10)
    except subprocess.TimeoutExpired:
        desk.service.kill()
        desk.service.wait()
    if desk.service.stdout:
        desk.service.stdout.close()
    desk.service = None


# -- sample data ------------------------------------------------------------------


def _fill(nodes: dict[str, Node], count: int, say: Callable[[str], None]) -> None:
    """Enter sample cases at the village and let town and district work on them."""
    village, town, district = (nodes[t] for t in ("village", "town", "district"))
    packages = [
        package
        for row in village.store.registry.current_packages()
        if row.code in sample.CODES and (package := village.package(row.digest))
    ]
    say(f"② 村里录入 {count} 件样例，镇里受理、退回、转区，区里决定……")
    applications = sample.applications(
        packages,
        seed=SEED,
        today=village.today(),
        division=village.certificate.division,
        count=count,
    )
    cases: list[str] = []
    for number, application in enumerate(applications):
        draft = drafting.begin_draft(
            village, application.item_code, application.answers
        )
        if number % 40 != 39:  # every fortieth stays a draft
            cases.append(drafting.submit_draft(village, draft).id)
    _sync(village)
    forwarded = []
    for place, case in enumerate(cases):
        match place % 8:
            case 0:
                continue
            case 1:
                reason = "户口本照片看不清，请补拍；缺本人签名"
                casework.take_step(town, case, Step.RETURN, note=reason)
            case _:
                taken = casework.take_step(town, case, Step.ACCEPT)
                if place % 8 > 2 and taken.package.item.decide == "district":
                    forwarded.append(case)
                elif taken.package.item.decide == "town" and place % 2:
                    casework.take_step(town, case, Step.GRANT, note="符合登记条件")
    for start in range(0, len(forwarded), 40):
        casework.forward_batch(town, forwarded[start : start + 40])
    _sync(town)
    for place, case in enumerate(forwarded):
        if place % 3 == 0:
            casework.take_step(district, case, Step.GRANT, note="符合条件")
        elif place % 11 == 1:
            casework.take_step(
                district, case, Step.REFUSE, note="年龄不满规定，见办事指南"
            )
    for node in (town, village, town):
        _sync(node)


# -- the walk -----------------------------------------------------------------------


def _walk(nodes: dict[str, Node], as_json: bool) -> bool:
    """Take one case up and its answer down; say whether it came home."""
    walk = Walk(nodes, show if as_json else _narrate)
    village, town, district = (nodes[t] for t in ("village", "town", "district"))
    elder = in_force.find_package(village, "老年人优待证办理")
    package = village.package(elder.digest)
    assert package is not None
    application = next(
        iter(
            sample.applications(
                [package],
                seed=SEED + 1,
                today=village.today(),
                division=village.certificate.division,
                count=1,
            )
        )
    )
    if not as_json:
        tell("③ 一件老年人优待证，从村到区，再回到村：")
    draft = drafting.begin_draft(village, elder.code, application.answers)
    made = drafting.submit_draft(village, draft)
    walk.case = made.id
    walk.say("submit", "village")
    walk.say("sync village-town", "village", (_sync(village),))
    casework.take_step(town, made.id, Step.ACCEPT)
    walk.say("accept", "town")
    casework.forward_batch(town, [made.id])
    walk.say("forward", "town")
    walk.say("sync town-district", "town", (_sync(town),))
    walk.say("sync village-town", "village", (_sync(village),))
    casework.take_step(district, made.id, Step.GRANT, note="符合条件，准予发证")
    walk.say("grant", "district")
    walk.say("sync town-district", "town", (_sync(town),))
    walk.say("sync village-town", "village", (_sync(village),))
    casework.take_step(village, made.id, Step.DELIVER)
    walk.say("deliver", "village")
    walk.say("sync village-town", "village", (_sync(village),))
    walk.say("sync town-district", "town", (_sync(town),))
    walk.say("sync village-town", "village", (_sync(village),))
    last = walk.steps[-1]
    digests = [
        upkeep.scope_digests(node)[village.certificate.division]
        for node in nodes.values()
    ]
    came_home = (
        set(last["shown"].values()) == {State.DELIVERED}
        and last["sync"] == {"town": True, "district": True}
        and len(set(digests)) == 1
    )
    if not as_json:
        tell(
            "办件已准予并送达，区里已确认收到；三个节点的数据一致。"
            if came_home
            else "没有走通，请看上面的步骤。"
        )
    return came_home


def _narrate(told: dict[str, Any]) -> None:
    step, sync = told["step"], told["sync"]
    words = _WORDS.get(step, step)
    state = labels.STATES[told["state"]] if told["state"] else "（还没有这件）"
    arrived = "已到区" if sync["district"] else "已到镇" if sync["town"] else "仅在本机"
    traffic = (
        f"，{told['requests']} 次请求 {told['bytes']} 字节" if told["requests"] else ""
    )
    click.echo(f"   {told['node']}：{words} → {state}；村里看到：{arrived}{traffic}")


_WORDS = {
    "submit": "录入并提交（断网也行）",
    "sync village-town": "与镇同步",
    "accept": "受理",
    "forward": "打成批次转区",
    "sync town-district": "与区同步",
    "grant": "准予",
    "deliver": "把结果送到老人手上",
}


def _sync(node: Node) -> talk.Report:
    peer = peers.find_neighbour(node)
    client = peers.client_for(node, peer)
    try:
        return talk.sync_over(node, peer, client.exchange)
    finally:
        client.close()


# -- at a terminal --------------------------------------------------------------------


def _choose_desk(desks: dict[str, Desk]) -> None:
    """Let a person sit at one desk after another while all nodes live on."""
    for desk in desks.values():
        _end(desk)
        _serve(desk, syncs=True)
    while True:
        click.echo("\n坐到哪一张桌子前？其他节点照常运行。")
        for number, tier in enumerate(("village", "town", "district"), 1):
            name = PLACES[tier][1]
            click.echo(f"  {number}  {name}（{labels.TIERS[tier]}）")
        click.echo("  0  结束演示，删除所有样例数据")
        try:
            answer = click.prompt("请选择", default="0", show_default=False).strip()
        except (click.Abort, EOFError):
            return
        chosen = {"1": "village", "2": "town", "3": "district"}.get(answer)
        if chosen is None:
            if answer == "0":
                click.echo("演示结束，样例数据已删除。")
                return
            click.echo("请输入 1、2、3 或 0。")
            continue
        subprocess.run(
            desks[chosen].command(), check=False, env=os.environ | {"PYTHONUTF8": "1"}
        )


def _quiet(_: str) -> None:
    """Say nothing: the output is for a program."""
