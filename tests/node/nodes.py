"""Real nodes in folders: a district, a town and two villages, enrolled as people do.

Only the socket is short-cut: a parcel is handed over by a function call. The homes
are made once for each process and copied for each test; the child process in which
foreign changes meet the library is shared, since it keeps nothing between two jobs.
"""

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any
from unittest import mock

from sqlcipher3 import dbapi2 as sqlcipher

from forms.citizen_id import expected_check_character
from node import (
    answering,
    casework,
    drafting,
    enrol,
    peers,
    rejoin,
    talk,
    upkeep,
    wiring,
)
from node.cases import Case, open_case
from node.lifecycle import Step
from node.vault import Cost
from node.wiring import Node, open_node
from sync.errors import PeerRefused, SyncError
from sync.identity import Certificate
from sync.sandbox import Sandbox
from tests.shipping import shipped_packages

DISTRICT = "330881000000"
TOWN = "330881105000"
VILLAGE = "330881105201"
OTHER_VILLAGE = "330881105202"
OTHER_TOWN = "330881106000"

CHEAP = Cost(64, 1)
PASSWORD = "一个口令 9"
OPERATOR = "operator"
NOON_MS = 1_795_233_600_000  # 2026-11-21 04:00 UTC, noon in China

ELDER = "332011001000"  # decided at the district
ALLOWANCE = "330511003000"  # decided at the district
BIRTH = "332023002000"  # decided at the town

ID_NUMBER = "330881194503150012"
ANSWERS = {
    "name": "张三丰",
    "citizen_id": ID_NUMBER,
    "sex": "male",
    "ethnicity": "汉族",
    "phone": "13857012345",
    "household_address": "石门镇上塘村 3 号",
    "home_address": "石门镇上塘村 3 号",
    "household_division": VILLAGE,
    "card_type": "age70",
    "matter": "first",
    "contact_name": "李四光",
    "contact_phone": "13957054321",
    "contact_relation": "child",
    "handling": "self",
}
BIRTH_ANSWERS = {
    "wife_name": "王小丫",
    "wife_id": "330881199803150024",
    "wife_phone": "13857012346",
    "husband_name": "赵大伟",
    "husband_id": "330881199603150011",
    "married": "yes",
    "marriage_date": "2024-05-20",
    "home_address": "石门镇上塘村 5 号",
    "child_number": "1",
    "living_children": "0",
    "stage": "pregnant",
    "expected_date": "2027-03-01",
}


def _with_check_character(number: str) -> str:
    return number[:17] + expected_check_character(number[:17])


ID_NUMBER = ANSWERS["citizen_id"] = _with_check_character(ID_NUMBER)
for _key in ("wife_id", "husband_id"):
    BIRTH_ANSWERS[_key] = _with_check_character(BIRTH_ANSWERS[_key])


class Clock:
    """A clock that moves by one millisecond whenever it is read."""

    def __init__(self, at_ms: int = NOON_MS) -> None:
        self.at_ms = at_ms

    def __call__(self) -> int:
        self.at_ms += 1
        return self.at_ms

    def advance(self, by_ms: int) -> None:
        self.at_ms += by_ms


class Line:
    """In the place of `sync.client.Client`: the inviter's own code, without a socket.

    `deliver` may be replaced by somebody who stands in between.
    """

    def __init__(self, deliver: Callable[[bytes], bytes]) -> None:
        self.deliver = deliver

    def __call__(self, _address: str, _pinned: bytes | None) -> "Line":
        return self

    def join(self, request: bytes) -> bytes:
        try:
            return self.deliver(request)
        except SyncError as error:
            raise PeerRefused("https://test", 403, str(error)) from error

    def close(self) -> None:
        pass


@dataclass(slots=True)
class Three:
    """The nodes of one test, on one clock."""

    path: Path
    clock: Clock
    district: Node
    town: Node
    village: Node
    other_village: Node

    @property
    def nodes(self) -> tuple[Node, ...]:
        return (self.district, self.town, self.village, self.other_village)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __enter__(self) -> "Three":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for node in self.nodes:
            node.close()


def three(tmp_path: Path) -> Three:
    """Return a district, a town and two villages below `tmp_path`, in full accord."""
    clock = Clock()
    target = tmp_path / "nodes"
    shutil.copytree(_template(), target)
    return Three(
        target,
        clock,
        *(
            reopen(target / name, clock)
            for name in ("district", "town", "village", "other")
        ),
    )


def reopen(home: Path, now_ms: Callable[[], int]) -> Node:
    """Return the node of a home over a connection of its own."""
    node = open_node(home, OPERATOR, PASSWORD, now_ms=now_ms)
    node.sandbox.close()
    node.sandbox = sandbox()
    return node


def clone(node: Node, to: Path) -> Path:
    """Return a copy of a node's home, as it is on disk at this moment."""
    shutil.copytree(node.home.path, to)
    return to


def enrolled(
    inviter: Node,
    home: Path,
    tier: str,
    division: str,
    name: str,
    department: str = "",
    deliver: Callable[[bytes], bytes] | None = None,
) -> Node:
    """Return a new node that `inviter` has invited, over the real code."""
    code = enrol.invite(
        inviter,
        tier=tier,
        division=division,
        department=department,
        name=name,
        address="test:1",
    )
    return joined(inviter, home, code, deliver)


def joined(
    inviter: Node,
    home: Path,
    code: str,
    deliver: Callable[[bytes], bytes] | None = None,
) -> Node:
    """Return the node that `code` makes in `home`."""
    line = Line(deliver or (lambda data: enrol.grant(inviter, data)))
    with mock.patch.object(enrol, "Client", line):
        node = enrol.join(home, code, operator=OPERATOR, password=PASSWORD, cost=CHEAP)
    node.sandbox = sandbox()
    node.now_ms = inviter.now_ms
    return node


def rejoined(
    inviter: Node,
    node: Node,
    code: str = "",
    deliver: Callable[[bytes], bytes] | None = None,
) -> Certificate:
    """Let `node` begin anew, by a code of `inviter` for its place."""
    me = node.certificate
    code = code or enrol.invite(
        inviter,
        tier=me.tier,
        division=me.division,
        department=me.department,
        name=me.name,
        address="test:1",
    )
    line = Line(deliver or (lambda data: enrol.grant(inviter, data)))
    with mock.patch.object(enrol, "Client", line):
        return rejoin.rejoin(node, code)


def sync(one: Node, other: Node) -> talk.Report:
    """Let `one` sync with `other`, as over a line."""
    peer = peers.find_neighbour(one, other.id.hex())
    return talk.sync_over(one, peer, lambda run: answering.answer(other, run))


def answer(node: Node, data: bytes) -> bytes:
    """Let `node` take in one bundle; return its answer, which is one as well."""
    (reply,) = answering.answer(node, [data])
    return reply


def sync_all(nodes: Three, rounds: int = 2) -> None:
    """Let everybody hear everything."""
    for _ in range(rounds):
        sync(nodes.village, nodes.town)
        sync(nodes.other_village, nodes.town)
        sync(nodes.town, nodes.district)
    sync(nodes.village, nodes.town)
    sync(nodes.other_village, nodes.town)


def submit(node: Node, item: str = ELDER, **answers: str) -> Case:
    """Return a new case of `node`."""
    filled = (BIRTH_ANSWERS if item == BIRTH else ANSWERS) | answers
    if item == ALLOWANCE:
        filled = ALLOWANCE_ANSWERS | answers
    return drafting.submit_draft(node, drafting.begin_draft(node, item, filled))


ALLOWANCE_ANSWERS = {
    "name": "钱有富",
    "citizen_id": ID_NUMBER,
    "phone": "13857012347",
    "household_address": "石门镇上塘村 7 号",
    "home_address": "石门镇上塘村 7 号",
    "household_division": VILLAGE,
    "household_kind": "family",
    "household_size": "1",
    "member/001/member_name": "钱有富",
    "member/001/member_id": ID_NUMBER,
    "member/001/member_relation": "self",
    "member/001/ability": "none",
    "member/001/member_state": "home",
    "member/001/disability": "none",
    "member/001/wages": "0",
    "member/001/farming": "0",
    "member/001/pension": "450",
    "member/001/support": "0",
    "member/001/other_income": "0",
    "one_self": "OK",
    "medical": "0",
    "schooling": "0",
    "care": "0",
    "hardship": "illness",
    "hardship_detail": "长期患病，没有劳动能力",
    "housing": "lodging",
    "vehicles": "0",
    "deposits": "0",
    "company": "no",
    "obligor_count": "0",
    "relative_staff": "no",
    "bank_name": "农商银行",
    "bank_account": "6228480000000000000",
    "account_owner": "self",
    "survey_consent": "agree",
    "signed_adults": "1",
    "truth": "OK",
}


def step(node: Node, case: str, what: Step, note: str = "", **answers: str) -> Case:
    """Take a step in a case."""
    return casework.take_step(node, case, what, note=note, answers=answers)


def digests(node: Node) -> dict[str, str]:
    return upkeep.scope_digests(node)


def shared_digests(one: Node, other: Node) -> bool:
    """Say whether two nodes agree in all scopes that both share."""
    mine, theirs = digests(one), digests(other)
    shared = set(mine) & set(theirs)
    assert shared
    return all(mine[scope] == theirs[scope] for scope in shared)


def causes(node: Node) -> list[str]:
    """Return why entries are set aside, in the order in which they came."""
    return [row.cause for row in reversed(node.store.documents.quarantine(10_000))]


def story(node: Node, case: str) -> list[tuple[str, str, str]]:
    """Return (id, step, why it does not stand) of all that happened to a case."""
    return [
        (one.id, str(one.event.step), one.why_not)
        for one in open_case(node, case).story.happened
    ]


def rows(node: Node, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Return what lies in the file, over a connection of its own."""
    with closing(_beside(node)) as connection:
        return [tuple(row) for row in connection.execute(query, values).fetchall()]


def tamper(node: Node, query: str, *values: object) -> None:
    """Change the file behind the node's back, with its own key."""
    with closing(_beside(node)) as connection:
        assert connection.execute(query, values).rowcount > 0, "nothing was changed"


def _beside(node: Node) -> Any:
    """Return the library's own connection, past everything that is ours."""
    connection = sqlcipher.connect(
        str(node.home.database), timeout=15, isolation_level=None
    )
    assert node.keys.database is not None
    connection.execute("PRAGMA cipher_log_level = NONE")
    connection.execute(f"PRAGMA key = \"x'{node.keys.database.hex()}'\"")
    return connection


@lru_cache(maxsize=1)
def sandbox() -> Sandbox:
    """Return the child process that all nodes of this test process share."""
    shared = Sandbox()
    atexit.register(shared.close)
    return shared


@lru_cache(maxsize=1)
def _template() -> Path:
    """Make the homes that each test gets a copy of."""
    folder = Path(tempfile.mkdtemp(prefix="lianban-nodes-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with ExitStack() as stack:
        hour_ago = Clock(NOON_MS - 3600_000)
        stack.enter_context(mock.patch.object(wiring, "system_ms", hour_ago))
        district = enrol.init_district(
            folder / "district",
            division=DISTRICT,
            name="江山市",
            operator=OPERATOR,
            password=PASSWORD,
            cost=CHEAP,
        )
        stack.callback(district.close)
        district.sandbox = sandbox()
        upkeep.publish(district, shipped_packages())
        town = enrolled(district, folder / "town", "town", TOWN, "石门镇")
        stack.callback(town.close)
        village = enrolled(town, folder / "village", "village", VILLAGE, "上塘村")
        stack.callback(village.close)
        other = enrolled(town, folder / "other", "village", OTHER_VILLAGE, "下塘村")
        stack.callback(other.close)
        for _ in range(2):
            sync(village, town)
            sync(other, town)
            sync(town, district)
        sync(village, town)
        sync(other, town)
        return folder
