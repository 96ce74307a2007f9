"""The numbers of packs, at both ends: what is said of them, heard, and lacking.

A sender numbers its packs for each recipient, so that the recipient sees which never
came; it says so on the way back, and the sender knows as well. Nothing follows from
it but words for people: what a lost pack held is owed as before, and the next pack
or the next exchange over a line brings it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from node import attachments
from node.store.packs import GONE, MAKING, Heard, MadePack
from node.wiring import Node
from sync.bundle import MAX_NUMBER, Address, Place
from sync.canonical import decode, encode
from sync.carry import (
    MAX_GAPS,
    MAX_GONE,
    WORD_LIMIT_BYTES,
    CameWord,
    Gap,
    MadeWord,
    PackParts,
    PackWord,
    gaps,
    retired,
    with_part,
)
from sync.exchange import Extras
from sync.identity import Certificate
from sync.seal import sha256
from sync.vector import Head, owed

EXTRA = "packs"
"""The name of the extra of a parcel in which `PackWord` travels."""

MOST_KEPT = 256
FARTHEST_AHEAD = 1000
"""How far a peer's word may lead our numbering on; after a restored backup it must."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """How it stands with the packs between us and one peer.

    Attributes:
        made: packs for it that it has not acknowledged and may yet receive.
        last_made: the newest of all that were made for it.
        lost: what it says is lacking of ours.
        highest: the newest of its packs that has come, 0 for none.
        missing: what is lacking of its packs here.
    """

    made: tuple[MadePack, ...]
    last_made: MadePack | None
    lost: tuple[Gap, ...]
    highest: int
    missing: tuple[Gap, ...]


def traffic(node: Node, peer: bytes) -> Traffic:
    """Return how it stands with the packs of a peer, both ways."""
    made = _made(node, peer)
    heard = node.store.packs.heard(peer)
    come = node.store.packs.come(peer)
    settled = _settled(made)
    lost = [one.known(settled) for one in (heard.came.gaps if heard.came else ())]
    return Traffic(
        made=tuple(one for one in made if one.state != GONE and not one.is_settled),
        last_made=made[-1] if made else None,
        lost=tuple(lost),
        highest=max(come, default=heard.floor),
        missing=_gaps(heard, come),
    )


def begin(node: Node, peer: Certificate, scopes: list[str], mark: bytes) -> int:
    """Return the number of a new pack, and remember what it is to bring.

    It is taken before anything of it is written, so that no number is used twice; a
    pack that was begun and never finished is counted as taken back.
    """
    store, epoch = node.store.packs, node.certificate.epoch
    with node.store.transaction():
        made = _made(node, peer.node)
        store.take_back(
            peer.node, epoch, [one.pack for one in made if one.state == MAKING]
        )
        store.forget_settled(peer.node, made)
        last = made[-1].pack if made else 0
        came = store.heard(peer.node).came
        if came and came.epoch == epoch and came.highest <= last + FARTHEST_AHEAD:
            last = max(last, came.highest)
        store.begin(
            peer.node,
            epoch,
            last + 1,
            node.now_ms(),
            mark,
            [head for scope in scopes for head in _owed_heads(node, peer, scope)],
            [want.digest for want in attachments.unacknowledged(node, peer)],
        )
    return last + 1


def take_back(node: Node, peer: bytes, taken_off: set[int]) -> tuple[int, ...]:
    """Keep that packs of ours were taken off a stick; return those that may never
    have left on it.
    """
    store, epoch = node.store.packs, node.certificate.epoch
    with node.store.transaction():
        came = store.heard(peer).came
        highest = came.highest if came and came.epoch == epoch else 0
        never_left = [pack for pack in sorted(taken_off) if pack > highest]
        store.take_back(peer, epoch, never_left)
    return tuple(sorted(taken_off))


def news(node: Node, peer: bytes) -> Extras:
    """Return what a parcel on a line should say about packs: mostly nothing.

    What has come is told until the peer says that it knows, and as long as anything is
    lacking; what it may know of ours is told once, and again whenever it asks so.
    """
    made, came = _words(node, peer, ())
    heard = node.store.packs.heard(peer)
    has_heard = heard.made.heard if heard.made else 0
    if came and came.count <= has_heard and not any(one.is_open for one in came.gaps):
        came = None
    if made and encode(made) == heard.said:
        made = None
    elif made:
        with node.store.transaction():
            node.store.packs.put_heard(peer, replace(heard, said=encode(made)))
    return ((EXTRA, encode(PackWord(made, came))),) if made or came else ()


def all_words(node: Node, peer: bytes, going: Iterable[int]) -> Extras:
    """Return what each bundle of a pack says about packs.

    Args:
        node: who speaks.
        peer: to whom.
        going: packs of ours that are taken off the stick once this one is written.
    """
    return ((EXTRA, encode(PackWord(*_words(node, peer, going)))),)


def mark(node: Node, peer: bytes, knows: bytes) -> bytes:
    """Return what stands for all that could be said to a peer now."""
    return sha256(knows, encode(_words(node, peer, ())[1]))


def hear(node: Node, sender: Certificate, data: bytes) -> None:
    """Keep what a peer says of packs. Runs in the transaction of its parcel.

    Raises:
        Malformed: it cannot be meant.
    """
    word = decode(data, PackWord, limit_bytes=WORD_LIMIT_BYTES)
    known = heard = node.store.packs.heard(sender.node)
    if word.made is not None:
        heard = _hear_made(node, sender, heard, word.made)
    came, ours = word.came, node.certificate.epoch
    if came is not None and came.epoch == ours:
        is_older = heard.came is not None and heard.came.count > came.count
        heard = heard if is_older else replace(heard, came=came, said=b"")
    if heard != known:
        node.store.packs.put_heard(sender.node, heard)


@dataclass(frozen=True, slots=True)
class Part:
    """A bundle of a pack that has come, and is on disk.

    Attributes:
        place: which one it is.
        is_taken: it lies in the store; else it waits for what stands before it.
        is_all: nothing more was owed behind it.
    """

    place: Place
    is_taken: bool
    is_all: bool


def note(node: Node, sender: Certificate, epoch: int, parts: list[Part]) -> None:
    """Keep that parts have come of the packs that a sender has made in an epoch."""
    store = node.store.packs
    with node.store.transaction():
        heard = _of_epoch(node, sender, store.heard(sender.node), epoch)
        if heard.epoch != epoch:
            return
        come = store.come(sender.node)
        before = dict(come)
        highest = max((one.place.pack for one in parts), default=0)
        if highest > max(come, default=heard.floor):
            # A new pack: what was filled by an older one has been told by now.
            floor = retired(_gaps(heard, come), heard.floor, max(come, default=0))
            heard = replace(heard, floor=floor)
        for one in parts:
            place = one.place
            if place.pack > heard.floor and min(place.volume, place.part) > 0:
                come[place.pack] = with_part(
                    come.get(place.pack, PackParts()),
                    place,
                    is_taken=one.is_taken,
                    is_all=one.is_all,
                )
        for pack in sorted(come)[:-MOST_KEPT]:
            heard = replace(heard, floor=max(heard.floor, pack))
        changed = [pack for pack in come if come[pack] != before.get(pack)]
        for pack in changed:
            store.put_come(sender.node, pack, come[pack])
        store.drop_come(sender.node, heard.floor)
        # Who says that he has heard the highest number of all is told it for ever.
        count = min(heard.count + bool(changed), MAX_NUMBER - 1)
        store.put_heard(sender.node, replace(heard, count=count))


def is_repeated(node: Node, address: Address) -> bool:
    """Say whether all that a bundle of a pack brings is known to have come since."""
    if address.header is None:
        return False
    heard = node.store.packs.heard(address.sender)
    come = node.store.packs.come(address.sender)
    if address.sender_epoch < heard.epoch:
        return any(one.fills for one in come.values())
    pack = address.header.pack
    return pack <= max(heard.floor, heard.made.settled if heard.made else 0) or any(
        number > pack and one.fills for number, one in come.items()
    )


def _words(
    node: Node, peer: bytes, going: Iterable[int]
) -> tuple[MadeWord | None, CameWord | None]:
    """Return what there is to say: of our packs, and of the peer's."""
    epoch = node.certificate.epoch
    heard = node.store.packs.heard(peer)
    made = _made(node, peer)
    settled = _settled(made)
    gone = sorted({*going, *(one.pack for one in made if one.state == GONE)})
    told = heard.came
    about_ours = MadeWord(
        epoch,
        settled,
        tuple(one for one in gone if one > settled)[-MAX_GONE:],
        told.count if told else 0,
        told.highest if told else 0,
    )
    come = node.store.packs.come(peer) if heard.count else {}
    about_theirs = CameWord(
        heard.epoch,
        heard.count,
        max(come, default=heard.floor),
        _gaps(heard, come)[:MAX_GAPS],
    )
    return (
        about_ours if made or told else None,
        about_theirs if heard.count else None,
    )


def _made(node: Node, peer: bytes) -> list[MadePack]:
    """Return the packs for a peer; settled are those that have arrived altogether."""
    epoch = node.certificate.epoch
    made = node.store.packs.made(peer, epoch)
    carried = node.store.packs.files(peer, epoch)
    certificate = node.roster.latest(peer)
    if not carried or certificate is None:
        return made
    lacking = {one.digest for one in attachments.unacknowledged(node, certificate)}
    return [
        replace(one, is_settled=False)
        if lacking & carried.get(one.pack, set())
        else one
        for one in made
    ]


def _settled(made: list[MadePack]) -> int:
    """Return up to which number all packs are known to have arrived."""
    for one in made:
        if not one.is_settled or one.state == MAKING:
            return one.pack - 1
    return made[-1].pack if made else 0


def _gaps(heard: Heard, come: dict[int, PackParts]) -> tuple[Gap, ...]:
    made = heard.made
    return gaps(
        come, heard.floor, made.settled if made else 0, made.gone if made else ()
    )


def _hear_made(node: Node, sender: Certificate, heard: Heard, made: MadeWord) -> Heard:
    heard = _of_epoch(node, sender, heard, made.epoch)
    if heard.epoch != made.epoch:
        return heard
    if heard.count == 0:
        # Nothing is known of its packs here, though we have told it so: this store
        # has been put back, and what came before then is not asked about.
        heard = replace(heard, floor=max(heard.floor, made.heard_highest))
    # A store that was put back counts on from where it is known to have been.
    heard = replace(heard, count=max(heard.count, made.heard))
    if heard.made is not None:
        made = MadeWord(
            made.epoch,
            max(made.settled, heard.made.settled),
            tuple(sorted({*made.gone, *heard.made.gone}))[-MAX_GONE:],
            max(made.heard, heard.made.heard),
            max(made.heard_highest, heard.made.heard_highest),
        )
    return replace(heard, made=made)


def _of_epoch(node: Node, sender: Certificate, heard: Heard, epoch: int) -> Heard:
    """Return what was heard, anew if the sender has begun a new epoch.

    What its older packs held has been written again under the new one.
    """
    if epoch <= heard.epoch:
        return heard
    node.store.packs.drop_come(sender.node, MAX_NUMBER)
    return replace(heard, epoch=epoch, floor=0, made=None)


def _owed_heads(node: Node, peer: Certificate, scope: str) -> list[tuple[str, Head]]:
    held = node.store.journal.heads(scope)
    heads = {(one.node, one.epoch): one for one in held}
    spans = owed(scope, held, node.store.vectors.of(peer.node, scope))
    return [(scope, heads[one.stream.node, one.stream.epoch]) for one in spans]
