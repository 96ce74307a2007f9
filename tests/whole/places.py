"""Three homes and real `lianban` processes, for tests of the whole program.

Homes are made with cheap passwords, enrolled over real sockets, and served by real
processes on ports that the system chose.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from node import drafting, enrol, peers, sample, talk, upkeep
from node.vault import Cost
from node.wiring import Node, open_node
from tests.shipping import shipped_packages

OPERATOR, PASSWORD = "admin", "correct horse"
CHEAP = Cost(memory_kib=64, rounds=1)
DIVISIONS = {
    "district": ("330881000000", "江山市"),
    "town": ("330881105000", "朱林镇"),
    "village": ("330881105201", "三江口村"),
}
ELDER = "老年人优待证办理"
GOOD = {
    "name": "欧阳建国",
    "citizen_id": "11010519491231002X",
    "sex": "female",
    "ethnicity": "汉族",
    "phone": "13800138000",
    "household_address": "三江口村1组8号",
    "home_address": "三江口村1组8号",
    "household_division": "330881105201",
    "card_type": "age70",
    "matter": "first",
    "contact_name": "欧阳明",
    "contact_phone": "13900139000",
    "contact_relation": "child",
    "handling": "self",
}


@dataclass(slots=True)
class Place:
    """One home, the command line for it, and its service if it runs."""

    path: Path
    service: "subprocess.Popen[bytes] | None" = None
    address: str = "127.0.0.1:0"
    environment: dict[str, str] = field(default_factory=dict)

    def run(
        self, *arguments: str, stdin: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        """Run `lianban` for this home and wait for it."""
        return subprocess.run(
            self.command(*arguments),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=os.environ | self.environment,
        )

    def read(self, *arguments: str) -> dict[str, Any]:
        """Run a command with --json that must go well, and return its object."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def command(self, *arguments: str) -> list[str]:
        """Return the command line."""
        password_file = self.path.parent / "password"
        if not password_file.exists():
            password_file.write_text(PASSWORD)
        return [
            sys.executable,
            "-m",
            "tui",
            "--home",
            str(self.path),
            "--as",
            OPERATOR,
            "--password-file",
            str(password_file),
            *arguments,
        ]

    def serve(self, *options: str) -> None:
        """Start the service and wait until it says where it listens."""
        self.service = subprocess.Popen(
            self.command("serve", "--json", "--listen", self.address, *options),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | self.environment,
        )
        assert self.service.stdout is not None
        self.address = json.loads(self.service.stdout.readline())["listening"]

    def end(self, *, kill: bool = False) -> None:
        """Stop the service, kindly or not."""
        if self.service is None:
            return
        if kill:
            self.service.kill()
        else:
            self.service.terminate()
        self.service.wait(timeout=30)
        assert self.service.stdout is not None
        self.service.stdout.close()
        self.service = None

    @contextmanager
    def open(self) -> Iterator[Node]:
        """Open the node in this process."""
        node = open_node(self.path, OPERATOR, PASSWORD)
        try:
            yield node
        finally:
            node.close()
            node.sandbox.close()


@dataclass(slots=True)
class Places:
    """District, town and village."""

    district: Place
    town: Place
    village: Place

    def every(self) -> tuple[Place, Place, Place]:
        """Return all three, from above."""
        return self.district, self.town, self.village


@contextmanager
def three_places(folder: Path, kind: type[Place] = Place) -> Iterator[Places]:
    """Make, enrol and publish; services are ended at the end, homes stay."""
    places = Places(*(kind(folder / tier) for tier in DIVISIONS))
    try:
        division, name = DIVISIONS["district"]
        district = enrol.init_district(
            places.district.path,
            division=division,
            name=name,
            operator=OPERATOR,
            password=PASSWORD,
            cost=CHEAP,
        )
        upkeep.publish(district, list(shipped_packages()))
        district.close()
        places.district.serve("--no-sync")
        join(places.town, places.district, "town")
        places.town.serve("--no-sync")
        join(places.village, places.town, "village")
        for place in (places.town, places.village, places.town):
            sync(place)
        yield places
    finally:
        for place in places.every():
            place.end()


def sync(place: Place) -> talk.Report:
    """Sync a place upward in this process, over its real socket."""
    with place.open() as node:
        return sync_node(node)


def sync_node(node: Node) -> talk.Report:
    """Sync an open node upward."""
    peer = peers.find_neighbour(node)
    client = peers.client_for(node, peer)
    try:
        return talk.sync_over(node, peer, client.exchange)
    finally:
        client.close()


def submit_some(node: Node, count: int, seed: int) -> list[str]:
    """Submit sample cases and return their ids."""
    packages = [
        package
        for row in node.store.registry.current_packages()
        if (package := node.package(row.digest))
    ]
    return [
        drafting.submit_draft(
            node, drafting.begin_draft(node, one.item_code, one.answers)
        ).id
        for one in sample.applications(
            packages,
            seed=seed,
            today=node.today(),
            division=node.certificate.division,
            count=count,
        )
    ]


def digests(place: Place) -> dict[str, str]:
    """Return the digest of each scope, after a clean `verify`."""
    with place.open() as node:
        found = upkeep.verify(node)
        assert found.faults == ()
        return found.digests


def join(place: Place, inviter: Place, tier: str, department: str = "") -> None:
    """Enrol a place, or one more desk of it, over the inviter's real socket."""
    division, name = DIVISIONS[tier]
    with inviter.open() as node:
        code = enrol.invite(
            node,
            tier=tier,
            division=division,
            department=department,
            name=name,
            address=inviter.address,
        )
    enrol.join(
        place.path, code, operator=OPERATOR, password=PASSWORD, cost=CHEAP
    ).close()
