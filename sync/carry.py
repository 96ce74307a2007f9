"""What has come of the packs of a sender, and what is lacking. Pure: no I/O.

A *pack* 包 is what one `carry out` makes for one recipient: all that this recipient has
not acknowledged. It lies in one or more *volumes* 卷, files that each hold a run of
bundles; a bundle says in its header which *part* of which volume of which pack it is.
So whatever arrives, in any order and any number of times, says by itself what has not.

What is lacking is never asked for: the next pack brings it. It is only named.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping
from typing import Annotated

from msgspec import Meta
from msgspec.structs import replace

from sync.bundle import LAST_OF_PACK, Address, Number, Place
from sync.canonical import Record

MAX_SPANS = 256
MAX_VOLUMES = 1024
MAX_PACK_SPANS = 512
"""Of all volumes of a pack together, one for each of them not counted: so what is noted
of a pack stays far below what is read of it again.
"""
MAX_GAPS = 32
MAX_GONE = 64

WORD_LIMIT_BYTES = 8 * 1024

_NAME = re.compile(
    r"lianban-(?P<sender>[0-9a-f]{8})-(?P<recipient>[0-9a-f]{8})"
    r"-(?P<pack>[0-9]{4,10})-(?P<volume>[0-9]{1,10})\.lbb"
)


Spans = Annotated[tuple[tuple[int, int], ...], Meta(max_length=MAX_SPANS)]
"""(first, last), rising and apart."""


class VolumeParts(Record, frozen=True):
    """Which parts of a volume have come.

    `taken` lie in the store; `kept` are here, but wait for what stands before them.
    `end` is the number of the last part, 0 where that has not come.
    """

    number: int
    taken: Spans
    kept: Spans
    end: int

    @property
    def is_here(self) -> bool:
        """Say whether all of it is here."""
        return self.end > 0 and _joined(self.taken + self.kept) == ((1, self.end),)

    @property
    def is_taken(self) -> bool:
        """Say whether all of it lies in the store."""
        return self.end > 0 and self.taken == ((1, self.end),)


class PackParts(Record, frozen=True):
    """Which parts of a pack have come, by volume.

    `end` is the number of its last volume, 0 where that is not known. `is_all` says
    that nothing more was owed when it was made; a full stick takes only a beginning.
    """

    volumes: Annotated[tuple[VolumeParts, ...], Meta(max_length=MAX_VOLUMES)] = ()
    end: int = 0
    is_all: bool = False

    @property
    def fills(self) -> bool:
        """Say whether all lies in the store that any pack before it may have held."""
        return (
            self.is_all
            and len(self.volumes) == self.end
            and all(one.is_taken for one in self.volumes)
        )


class Gap(Record, frozen=True, order=True):
    """Something of a sender's packs that has not come.

    Without `volume`: the packs `pack` to `last_pack` as a whole. Else of the one pack
    the volumes `volume` to `last_volume` (0: and nobody knows how many more); with
    `is_cut` that one volume is here but not to its end, or with a part damaged.
    `filled_by` is a later pack that came whole, which repeats all that is lacking
    here; 0 where there is none yet. `is_settled`: what it held has come another way.
    """

    pack: Number
    last_pack: Number
    volume: Number = 0
    last_volume: Number = 0
    is_cut: bool = False
    filled_by: Number = 0
    is_settled: bool = False

    @property
    def is_open(self) -> bool:
        """Say whether what was in it may still be lacking."""
        return not self.filled_by and not self.is_settled

    def known(self, settled: int) -> "Gap":
        """Return the gap, if the content of all packs up to `settled` has arrived."""
        return replace(self, is_settled=self.is_settled or self.last_pack <= settled)


class MadeWord(Record, frozen=True):
    """What a sender says of its own packs to the one who reads this.

    The content of all up to `settled` is known to have arrived, by whatever way.
    `gone` never left: a later pack took their place on the stick. `heard` and
    `heard_highest` are the `count` and the `highest` that the reader has last told.
    """

    epoch: Number
    settled: Number
    gone: Annotated[tuple[Number, ...], Meta(max_length=MAX_GONE)]
    heard: Number
    heard_highest: Number


class CameWord(Record, frozen=True):
    """What a recipient says of the packs that came: the highest, and what is lacking.

    `count` grows whenever more has come, so that the later word can be told.
    """

    epoch: Number
    count: Number
    highest: Number
    gaps: Annotated[tuple[Gap, ...], Meta(max_length=MAX_GAPS)]


class PackWord(Record, frozen=True):
    """What two nodes tell each other about packs; travels as the extra "packs"."""

    made: MadeWord | None
    came: CameWord | None


def volume_name(sender: bytes, recipient: bytes, pack: int, volume: int) -> str:
    """Return what a volume is called. A name is for people: no reader trusts it."""
    return f"lianban-{sender.hex()[:8]}-{recipient.hex()[:8]}-{pack:04}-{volume}.lbb"


def is_name_of(name: str, sender: bytes, recipient: bytes) -> bool:
    """Say whether a volume from `sender` for `recipient` would be called so."""
    found = _NAME.fullmatch(name)
    return found is not None and (found["sender"], found["recipient"]) == (
        sender.hex()[:8],
        recipient.hex()[:8],
    )


def order_of(address: Address) -> tuple[bytes, int, int, int, int]:
    """Return what puts bundles in the order in which each sender has made them."""
    header = address.header
    place = (header.pack, header.volume, header.part) if header else (0, 0, 0)
    return address.sender, address.sender_epoch, *place


def with_part(
    pack: PackParts, place: Place, *, is_taken: bool, is_all: bool
) -> PackParts:
    """Return what has come of a pack, now that this part has.

    What is beyond a limit is not noted, so that it counts as lacking.

    Args:
        pack: what had come before.
        place: of the part.
        is_taken: whether it lies in the store, or waits.
        is_all: whether nothing more was owed behind it.
    """
    rows = {one.number: one for one in pack.volumes}
    volume = rows.get(place.volume, VolumeParts(place.volume, (), (), 0))
    spans = _joined(
        ((place.part, place.part), *(volume.taken if is_taken else volume.kept))
    )
    is_new = place.volume not in rows
    if len(spans) > MAX_SPANS or (is_new and len(rows) == MAX_VOLUMES):
        return pack
    rows[place.volume] = VolumeParts(
        place.volume,
        spans if is_taken else volume.taken,
        volume.kept if is_taken else spans,
        place.part if place.last else volume.end,
    )
    all_spans = sum(len(one.taken) + len(one.kept) for one in rows.values())
    if all_spans - len(rows) > MAX_PACK_SPANS:
        return pack
    is_end = place.last == LAST_OF_PACK
    return PackParts(
        volumes=tuple(rows[number] for number in sorted(rows)),
        end=place.volume if is_end else pack.end,
        is_all=is_all if is_end else pack.is_all,
    )


def gaps(
    packs: Mapping[int, PackParts], floor: int, settled: int, gone: Collection[int]
) -> tuple[Gap, ...]:
    """Return what is lacking of a sender's packs, in their order.

    Only what a later pack proves to exist can be lacking: what is still under way
    cannot be known here.

    Args:
        packs: what has come, by the number of the pack.
        floor: what is not asked about any more, this number included.
        settled: up to here the sender knows that the content has arrived.
        gone: packs that the sender has taken back.
    """
    fillers = sorted(n for n, one in packs.items() if one.fills)
    highest = max(packs, default=0)
    known = {*packs, *(one for one in gone if one < highest)}
    found: list[Gap] = []
    before = floor
    for number in sorted(one for one in known if one > floor):
        if number > before + 1:
            found.append(Gap(before + 1, number - 1))
        if number not in gone:
            found += _gaps_within(number, packs[number])
        before = number
    return tuple(
        replace(one, filled_by=_first_after(fillers, one.last_pack)).known(settled)
        for one in found
    )


def retired(found: Collection[Gap], floor: int, highest: int) -> int:
    """Return the floor, raised past all that has been filled and told of.

    It stops before the first gap that is open, and at the highest that has come.
    """
    still = [one.pack for one in found if one.is_open]
    return max(floor, min([highest, *(pack - 1 for pack in still)]))


def _gaps_within(number: int, pack: PackParts) -> list[Gap]:
    """Return what one pack lacks of itself."""
    found: list[Gap] = []
    before = 0
    for volume in pack.volumes:
        if volume.number > before + 1:
            found.append(Gap(number, number, before + 1, volume.number - 1))
        if not volume.is_here:
            found.append(Gap(number, number, volume.number, volume.number, True))
        before = volume.number
    if not pack.end and (not pack.volumes or pack.volumes[-1].is_here):
        # The last that came ends as a volume does that another follows.
        found.append(Gap(number, number, before + 1, 0))
    elif pack.end > before:
        found.append(Gap(number, number, before + 1, pack.end))
    return found


def _first_after(fillers: list[int], number: int) -> int:
    at = bisect_left(fillers, number + 1)
    return fillers[at] if at < len(fillers) else 0


def _joined(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return the spans in order, neighbours joined."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)
