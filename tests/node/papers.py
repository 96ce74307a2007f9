"""Files for cases, and their way between two nodes without the exchange around it.

`agree` lets two nodes hear all entries and vectors and no piece, so that a test can
hand over the pieces itself.
"""

import random
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from node import (
    absorb,
    attachments,
    casework,
    drafting,
    in_force,
    intake,
    peers,
    speaking,
    upkeep,
)
from node.attachments import TakenPieces
from node.cases import Case
from node.lifecycle import Step
from node.progress import Progress, progress
from node.wiring import Node
from sync.exchange import Speech
from sync.identity import Certificate
from sync.pieces import PIECE_BYTES, Piece, Want
from tests.node.nodes import ANSWERS, ELDER, Three, rows

PIECES = 4

SCAN_BYTES = 3 * PIECE_BYTES + 777


def scan(folder: Path, name: str = "身份证.pdf", size: int = SCAN_BYTES) -> Path:
    """Return a file that is no picture; another name, another content."""
    path = folder / name
    path.write_bytes(b"%PDF-1.7" + random.Random(name).randbytes(size - 8))
    return path


def taken_in(node: Node, path: Path, item: str = ELDER) -> str:
    """Take a file into a home; return its digest."""
    package = node.package(in_force.find_package(node, item).digest)
    assert package is not None
    return intake.take_in(node, path, package.item)[0]


def submit_with(node: Node, *paths: Path, **answers: str) -> Case:
    """Return a new case with files."""
    digests = [taken_in(node, path) for path in paths]
    draft = drafting.begin_draft(node, ELDER, ANSWERS | answers, files=digests)
    return drafting.submit_draft(node, draft)


def attach(node: Node, case: str, path: Path) -> str:
    """Add a file to a case; return its digest."""
    digest = taken_in(node, path)
    casework.take_step(node, case, Step.AMEND, files=[digest])
    return digest


def who(node: Node, other: Node) -> Certificate:
    return peers.find_neighbour(node, other.id.hex())


def agree(one: Node, other: Node) -> None:
    """Let two nodes hear everything of each other but files."""
    for _ in range(3):
        _hear(one, other)
        _hear(other, one)


def agree_all(nodes: Three, rounds: int = 2) -> None:
    """Let all nodes hear everything of each other but files."""
    for _ in range(rounds):
        for village in (nodes.village, nodes.other_village):
            agree(village, nodes.town)
        agree(nodes.town, nodes.district)
    for village in (nodes.village, nodes.other_village):
        agree(village, nodes.town)


def _hear(node: Node, other: Node) -> None:
    peer = who(other, node)
    scopes = speaking.shared_scopes(other, peer)
    speaking.sign_vectors(other, scopes)
    speech = Speech(
        speaking.Holdings(other),
        node.id,
        scopes,
        speaking.shared_vectors(other, peer),
        other.store.vectors.told(node.id),
    )
    while outgoing := speech.parcel(64 * 1024):
        absorb.absorb(node, outgoing.parcel, who(node, other))
        with other.store.transaction():
            other.store.vectors.set_told(node.id, outgoing.told)


def asked(node: Node, other: Node) -> dict[str, int]:
    """Return what `node` would ask `other` for: how many pieces it has of each."""
    found = attachments.wants(node, who(node, other))
    return {want.digest.hex(): want.count for want in found}


def given(node: Node, other: Node, wants: Sequence[Want]) -> list[Piece]:
    """Return what `node` gives `other`, which asks for it."""
    return list(attachments.pieces(node, who(node, other), wants))


def fetch(node: Node, other: Node, most: int = 10_000) -> TakenPieces:
    """Let `node` ask `other` for files, and take at most so many pieces."""
    wants = attachments.wants(node, who(node, other))
    coming = attachments.pieces(other, who(other, node), wants)
    return attachments.take(node, islice(coming, most))


def fetch_all(node: Node, other: Node) -> None:
    """Let `node` hear of everything at `other`, and get all files that it holds."""
    agree(node, other)
    while fetch(node, other).taken:
        pass
    agree(node, other)


def content(node: Node, digest: str) -> bytes:
    return b"".join(attachments.read(node, digest))


def progress_of(node: Node, case: Case) -> Progress:
    return progress(node, [case.row.document])[case.row.document]


def names(case: Case, digests: Iterable[str]) -> list[str]:
    return [case.materials[digest].name for digest in digests]


def holders(node: Node, digest: str) -> set[bytes]:
    """Return who is known to hold a file, in any case."""
    found = rows(
        node, "SELECT node FROM holders WHERE digest = ?", bytes.fromhex(digest)
    )
    return {row[0] for row in found}


def clean(*nodes: Node) -> None:
    """Let each look whether all that it holds is right."""
    for node in nodes:
        assert upkeep.verify(node).faults == ()
