"""The stick, inward: `carry in` takes what has come and writes the answers onto it.

The acknowledgement comes home on the same stick, as the answer that is written here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from node import attachments, packs, speaking, stick, waiting
from node.carrying_out import VOLUME_BYTES, CarriedOut, Progress, mark_of, write_pack
from node.errors import StickTrouble
from node.files import alone
from node.stick_reader import Heard, StickReader
from node.wiring import Node
from sync.carry import Gap
from sync.identity import Certificate

SHOWN_FILES = 100
SHOWN_OTHERS = 20


@dataclass(frozen=True, slots=True)
class FromOne:
    """What came from one sender.

    Attributes:
        sender: who it is.
        packs: of which packs anything was taken in.
        bundles: how many bundles were taken in.
        entries: how many entries were new.
        files: how many files have become whole.
        refused: what was wrong with parts of them.
        missing: what is lacking of its packs.
        lost: what it says is lacking of ours.
        answer: the pack that was written for it now.
        is_answered: none was needed: it knows all, or an answer lies there already.
    """

    sender: Certificate
    packs: tuple[int, ...]
    bundles: int
    entries: int
    files: int
    refused: tuple[str, ...]
    missing: tuple[Gap, ...]
    lost: tuple[Gap, ...]
    answer: CarriedOut | None
    is_answered: bool


@dataclass(frozen=True, slots=True)
class ForOther:
    """What lies there for somebody else; it was not opened.

    `recipient` is empty for all whom we do not know, `sender` where there are several.
    """

    sender: bytes
    recipient: bytes
    files: int


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a file: a word that `tui.labels` knows, and how often."""

    file: str
    why: str
    count: int


@dataclass(frozen=True, slots=True)
class CarriedIn:
    """What a stick brought.

    Attributes:
        senders: those of whom anything was taken in.
        for_others: what is for somebody else.
        own_files: what this node has put there itself.
        newer: senders of bundles that need a newer program, as these say.
        faults: what is wrong with files.
        waiting: bundles that wait for what is before them.
        others: files that are none of ours.
        passed: what was not looked at.
        trouble: why it ended early, or why no answer could be written.
    """

    senders: tuple[FromOne, ...] = ()
    for_others: tuple[ForOther, ...] = ()
    own_files: int = 0
    newer: tuple[bytes, ...] = ()
    faults: tuple[Fault, ...] = ()
    waiting: int = 0
    others: int = 0
    passed: int = 0
    trouble: StickTrouble | None = None


def carry_in(
    node: Node,
    folder: Path,
    *,
    with_answers: bool = True,
    volume_bytes: int = VOLUME_BYTES,
    on_progress: Callable[[Progress], None] | None = None,
) -> CarriedIn:
    """Take in what lies on a stick for this node, and write the answers onto it.

    Raises:
        StickTrouble: the folder cannot be read at all.
    """
    with alone(node.home.carrying):
        shelf = stick.look(folder)
        reader = StickReader(node, folder, shelf.volumes, on_progress)
        reader.take_all()
        retried = waiting.retry(node)
        senders, trouble = [], reader.trouble
        for one in reader.heard.values():
            answer, is_answered = None, False
            peer = node.roster.latest(one.sender.node)
            if with_answers and trouble is None and peer is not None:
                try:
                    stick.must_still_be(folder, reader.stick_identity)
                    answer, is_answered = _answer(node, folder, peer, volume_bytes)
                except StickTrouble as error:
                    trouble = error
            senders.append(_from_one(node, one, answer, is_answered))
        return CarriedIn(
            senders=tuple(senders),
            for_others=tuple(
                ForOther(sender, recipient, len(files))
                for recipient, (sender, files) in list(reader.for_others.items())[
                    :SHOWN_OTHERS
                ]
            ),
            own_files=len(reader.own_files),
            newer=tuple(sorted(reader.newer)),
            faults=tuple(
                Fault(file, why, count)
                for (file, why), count in list(reader.faults.items())[:SHOWN_FILES]
            ),
            waiting=retried.left - retried.newer,
            others=shelf.others,
            passed=shelf.passed,
            trouble=trouble,
        )


def _answer(
    node: Node, folder: Path, peer: Certificate, volume_bytes: int
) -> tuple[CarriedOut | None, bool]:
    """Write what a sender should hear now; nothing if it knows, or if it lies there."""
    scopes = speaking.shared_scopes(node, peer)
    speaking.sign_vectors(node, scopes)
    traffic = packs.traffic(node, peer.node)
    if not (
        node.store.arrivals.owed_to(peer.node, scopes)[0]
        or any(True for _ in attachments.unacknowledged(node, peer))
        or _news(node, peer)
        or traffic.missing
        or traffic.lost
    ):
        return None, True
    last = traffic.last_made
    if last is not None and last.volumes and last.mark == mark_of(node, peer):
        older = stick.own_volumes(folder, node.id, peer.node)
        here = [path for path, pack in older.items() if pack == last.pack]
        if stick.size_of(here) == last.size_bytes:
            return None, True
    return write_pack(node, folder, peer, volume_bytes), False


def _news(node: Node, peer: Certificate) -> bool:
    """Say whether we hold an acknowledgement that a peer has not shown to know."""
    told = node.store.vectors.told(peer.node)
    return any(
        one.counter > told.get(one.key, 0)
        for one in speaking.shared_vectors(node, peer)
    )


def _from_one(
    node: Node, one: Heard, answer: CarriedOut | None, is_answered: bool
) -> FromOne:
    traffic = packs.traffic(node, one.sender.node)
    return FromOne(
        one.sender,
        tuple(sorted(one.packs)),
        one.bundles,
        one.entries,
        one.files,
        tuple(one.refused),
        traffic.missing,
        traffic.lost,
        answer,
        is_answered,
    )
