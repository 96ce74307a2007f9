"""What the monitor lists, as rows: neighbours, and what was not taken up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from node import status
from node.desks import desk_name
from node.fork_report import ForkedNode, forked_nodes
from node.status import Neighbour, Trouble
from node.store.documents import PendingRow, QuarantineRow
from node.wiring import Node
from tui import fork_words, labels, refusal_words, stick_words, times
from tui.refusal_words import Refusal
from tui.screens.views import waiting
from tui.text import harmless
from tui.widgets.paged_list import Column, Row

SHOWN = 200

NODE_COLUMNS = (
    Column("站点", 13, is_flexible=True),
    Column("级", 2),
    Column("上次试", 18, is_flexible=True),
    Column("上次成功", 11),
    Column("欠对方", 10),
    Column("最久", 6),
    Column("缺", 10),
)
ENTRY_COLUMNS = (
    Column("收到", 11),
    Column("原因", 26, is_flexible=True),
    Column("办件", 20, is_flexible=True),
    Column("来自", 14, is_flexible=True),
)
REFUSED_COLUMNS = (
    Column("收到", 11),
    Column("没有收下", 26, is_flexible=True),
    Column("原因", 22, is_flexible=True),
    Column("谁传来", 12, is_flexible=True),
)
FORKED_COLUMNS = (
    Column("站点", 14, is_flexible=True),
    Column("发现", 11),
    Column("各份写过的", 30, is_flexible=True),
    Column("现在", 18),
)


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that a neighbour brought and that was not stored."""

    at_ms: int
    peer: str
    said: Refusal


@dataclass(frozen=True, slots=True)
class Picture:
    """What was read in one go, off the screen's thread."""

    neighbours: tuple[Neighbour, ...]
    trouble: Trouble
    aside: tuple[QuarantineRow, ...]
    pending: tuple[PendingRow, ...]
    numbers: dict[bytes, str]
    authors: dict[bytes, str]
    refused: tuple[Refused, ...]
    forked: tuple[ForkedNode, ...]


def look(node: Node) -> Picture:
    """Return how it stands now."""
    aside = tuple(node.store.documents.quarantine(SHOWN))
    pending = tuple(node.store.documents.all_pending(SHOWN))
    numbers, authors = {}, {}
    entries: list[QuarantineRow | PendingRow] = [*aside, *pending]
    for one in entries:
        row = node.store.cases.get(one.document)
        if row is not None:
            numbers[one.document] = row.number
        authors[one.author] = labels.node_name(
            node.roster.latest(one.author), one.author
        )
    neighbours = sorted(status.neighbours(node), key=lambda one: not one.is_above)
    return Picture(
        tuple(neighbours),
        status.trouble(node),
        aside,
        pending,
        numbers,
        authors,
        tuple(_refused(node)),
        tuple(forked_nodes(node)),
    )


def _refused(node: Node) -> Iterator[Refused]:
    for at_ms, peer, _, detail in node.store.refusals.newest(SHOWN):
        name = labels.node_name(node.roster.latest(peer), peer)
        yield Refused(at_ms, name, refusal_words.told(detail, node.roster))


def forked_rows(picture: Picture, now_ms: int) -> list[Row]:
    """Return a row for each node whose data were copied."""
    return [
        Row(
            (place,),
            (
                fork_words.name(one),
                times.moment(one.since_ms, now_ms),
                fork_words.sides(one, now_ms),
                fork_words.state(one),
            ),
            "dim" if one.is_healed else "",
        )
        for place, one in enumerate(picture.forked)
    ]


def forked_detail(picture: Picture, place: int, now_ms: int) -> str:
    """Return what to do about a node whose data were copied."""
    return fork_words.advice(picture.forked[place])


def refused_rows(picture: Picture, now_ms: int) -> list[Row]:
    """Return a row for each thing that was not taken, the newest first."""
    return [
        Row(
            (place,),
            (times.moment(one.at_ms, now_ms), one.said.what, one.said.why, one.peer),
        )
        for place, one in enumerate(picture.refused)
    ]


def refused_detail(picture: Picture, place: int, now_ms: int) -> str:
    """Return for how long it has been so, and what to do."""
    one = picture.refused[place]
    age = times.ago(one.at_ms, now_ms)
    return f"{one.peer}{age}传来，没有存：{one.said.onward}。"


def node_rows(picture: Picture, now_ms: int) -> list[Row]:
    """Return a row for each neighbour."""
    return [
        Row((place,), _node_cells(one, now_ms), _style(one))
        for place, one in enumerate(picture.neighbours)
    ]


def node_detail(picture: Picture, place: int, now_ms: int) -> str:
    """Return what a row has no room for."""
    one = picture.neighbours[place]
    if one.is_revoked:
        name = harmless(desk_name(one.certificate))
        return f"{name}：已停用，不再往来；停用以前收到的都在"
    parts = ["上级"] if one.is_above else []
    if one.ahead_ms:
        parts.append(labels.their_clock(one.ahead_ms))
    if one.last_heard_ms:
        parts.append(f"最近签收 {times.moment(one.last_heard_ms, now_ms)}")
    if one.peer.failures:
        parts.append(f"连续 {one.peer.failures} 次没成功")
    if one.oldest_ms:
        age = times.span(now_ms - one.oldest_ms)
        parts.append(f"对方没签收的 {one.owed_cases} 件里，最早的等了 {age}")
    elif not one.owed_entries:
        parts.append("本机的记录，对方都签收了")
    if one.missing_here:
        parts.append(f"还有 {one.missing_here} 条没收到")
    parts += labels.files_owed(one.owed_files, one.missing_files)
    if one.packs:
        parts += stick_words.traffic(one.packs)
    if one.peer.url:
        parts.append(f"地址 {harmless(one.peer.url)}")
    return f"{harmless(desk_name(one.certificate))}：{'，'.join(parts)}"


def aside_rows(picture: Picture, now_ms: int) -> list[Row]:
    """Return a row for each entry that is set aside."""
    return [
        _entry_row(place, picture, one, labels.word(labels.CAUSES, one.cause), now_ms)
        for place, one in enumerate(picture.aside)
    ]


def aside_detail(picture: Picture, place: int, now_ms: int) -> str:
    """Return which entry it is."""
    one = picture.aside[place]
    return (
        f"编号 {one.document.hex() or '—'}，对方的第 {one.sequence} 条。"
        "原样留着，不影响别的办件。"
    )


def waiting_rows(picture: Picture, now_ms: int) -> list[Row]:
    """Return a row for each entry that waits."""
    return [
        _entry_row(place, picture, one, labels.waits_for(one), now_ms)
        for place, one in enumerate(picture.pending)
    ]


def waiting_detail(picture: Picture, place: int, now_ms: int) -> str:
    """Return which entry it is, and for how long it has been waiting."""
    one = picture.pending[place]
    age = times.span(now_ms - one.received_at_ms)
    return (
        f"编号 {one.document.hex() or '—'}，对方的第 {one.sequence} 条，等了 {age}。"
        "缺的到了就自动采用。"
    )


def _entry_row(
    place: int,
    picture: Picture,
    one: QuarantineRow | PendingRow,
    why: str,
    now_ms: int,
) -> Row:
    number = picture.numbers.get(one.document)
    case = labels.short_number(number) if number else one.document.hex()[:12]
    at = times.moment(one.received_at_ms, now_ms)
    return Row((place,), (at, why, case or "—", picture.authors[one.author]))


def _node_cells(one: Neighbour, now_ms: int) -> tuple[str, ...]:
    name = f"{desk_name(one.certificate)}{'（已停用）' if one.is_revoked else ''}"
    tier = labels.word(labels.TIERS, one.certificate.tier)
    # Of whom we never meet we know by what others bring of his signed word.
    met_ms = one.last_success_ms or one.last_heard_ms
    good = times.moment(met_ms, now_ms) if met_ms else "从未"
    owed = _files(one.owed_files)
    if one.owed_entries:
        owed = f"{one.owed_cases}件{one.owed_entries}条"
    oldest = waiting(one.oldest_ms, now_ms) if one.oldest_ms else "—"
    missing = f"{one.missing_here}条" if one.missing_here else _files(one.missing_files)
    if one.missing_since_ms:
        missing += f" {waiting(one.missing_since_ms, now_ms)}"
    return name, tier, _tried(one, now_ms), good, owed, oldest, missing


def _files(count: int) -> str:
    return f"{count}份材料" if count else "—"


def _tried(one: Neighbour, now_ms: int) -> str:
    peer = one.peer
    if one.is_revoked:
        return "已停用"
    seen_ms, tried_ms = peer.last_seen_at_ms or 0, peer.last_try_at_ms or 0
    if seen_ms > tried_ms:
        return f"{times.clock(seen_ms, now_ms)} 来过"
    result = labels.word(labels.RESULTS, peer.last_result or "")
    if tried_ms:
        return f"{times.clock(tried_ms, now_ms)} {result}"
    return result if one.is_above or peer.url else "经别的站点转"


def _style(one: Neighbour) -> str:
    if one.is_revoked:
        return "dim"
    return "bold" if one.is_above else ""


@dataclass(frozen=True, slots=True)
class Listing:
    """One list of the monitor, and what is said of a row by its number.

    `empty` is said where there is nothing to list; a list without it is only offered
    where there is.
    """

    label: str
    columns: tuple[Column, ...]
    rows: Callable[[Picture, int], list[Row]]
    detail: Callable[[Picture, int, int], str]
    count: Callable[[Picture], int]
    empty: str = ""
    is_urgent: bool = False


LISTINGS = (
    Listing(
        "各站点",
        NODE_COLUMNS,
        node_rows,
        node_detail,
        lambda picture: len(picture.neighbours),
        empty="还没有别的站点。用 lianban invite 邀请",
    ),
    Listing(
        "搁置",
        ENTRY_COLUMNS,
        aside_rows,
        aside_detail,
        lambda picture: picture.trouble.set_aside,
        empty="没有搁置的，收到的每一步都采用了",
        is_urgent=True,
    ),
    Listing(
        "等候",
        ENTRY_COLUMNS,
        waiting_rows,
        waiting_detail,
        lambda picture: picture.trouble.waiting,
        empty="没有等候的，该到的都到了",
    ),
    Listing(
        "拒收",
        REFUSED_COLUMNS,
        refused_rows,
        refused_detail,
        lambda picture: picture.trouble.refusals,
        empty="没有拒收的，传来的都收下了",
    ),
    Listing(
        "两份数据",
        FORKED_COLUMNS,
        forked_rows,
        forked_detail,
        lambda picture: picture.trouble.forks,
        is_urgent=True,
    ),
)
