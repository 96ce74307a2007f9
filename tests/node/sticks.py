"""Sticks as folders, and what people do with them."""

import random
import shutil
from itertools import count
from pathlib import Path

from node import carrying_in, carrying_out, packs, peers
from node.carrying_in import CarriedIn, FromOne
from node.carrying_out import CarriedOut
from node.packs import Traffic
from node.wiring import Node
from tests.node.nodes import submit

SMALL = 3_000
"""Bytes of a volume that holds a few cases only."""


def peer_of(one: Node, other: Node):  # type: ignore[no-untyped-def]
    return peers.find_neighbour(one, other.id.hex())


def carry_out(
    one: Node, stick: Path, other: Node, volume_bytes: int = carrying_out.VOLUME_BYTES
) -> CarriedOut:
    """Write a pack of `one` for `other`."""
    return carrying_out.carry_out(
        one, stick, peer_of(one, other), volume_bytes=volume_bytes
    )


def carry_in(node: Node, stick: Path, *, with_answers: bool = True) -> CarriedIn:
    """Let a node take what lies on a stick."""
    return carrying_in.carry_in(node, stick, with_answers=with_answers)


def carried(one: Node, stick: Path, other: Node) -> FromOne:
    """Carry from one to another, and return what the other makes of it."""
    carry_out(one, stick, other)
    return from_one(carry_in(other, stick), one)


def from_one(came: CarriedIn, sender: Node) -> FromOne:
    (found,) = (one for one in came.senders if one.sender.node == sender.id)
    return found


def traffic(node: Node, other: Node) -> Traffic:
    return packs.traffic(node, other.id)


_numbers = count(1)


def new_stick(path: Path) -> Path:
    """Return an empty stick."""
    stick = path / f"stick {next(_numbers)}"
    stick.mkdir()
    return stick


def volumes(stick: Path) -> list[Path]:
    """Return the volumes on a stick, by name."""
    return sorted(stick.glob("*.lbb"))


def volumes_from(stick: Path, sender: Node) -> list[Path]:
    return [one for one in volumes(stick) if one.name[8:16] == sender.id.hex()[:8]]


def spread(stick: Path, chance: random.Random, *sticks: Path) -> None:
    """Copy the volumes of a stick to several others, at random."""
    for one in volumes(stick):
        shutil.copy(one, chance.choice(sticks) / one.name)


def submit_many(node: Node, how_many: int) -> list[str]:
    """Submit cases that cannot be packed well."""
    chance = random.Random(how_many)
    return [submit(node, home_address=_words(chance, 60)).id for _ in range(how_many)]


def _words(chance: random.Random, length: int) -> str:
    return "".join(chr(chance.randrange(0x4E00, 0x9FA0)) for _ in range(length))


def contents(stick: Path) -> dict[str, bytes]:
    """Return what lies on a stick, byte by byte."""
    return {one.name: one.read_bytes() for one in stick.iterdir()}
