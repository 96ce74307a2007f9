"""No sentence of a program's own language reaches a person."""

import pytest

from tests.tui.desks import Desks
from tui.refusal_words import THINGS, refusal


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        (
            "vector of {} for 330881105201: it acknowledges another history than "
            "ours; nothing was stored",
            "没有收下耀里村的签收单（关于耀里村的办件）："
            "它签收的与本机的不是同一份历史",
        ),
        (
            "entries 3.. of {}: the author's signature does not hold; nothing",
            "没有收下耀里村的一段记录：签名不符。",
        ),
        (
            "attachment 0123456789abcdef: a piece of it is not what was named",
            "没有收下一份材料：传来的内容与登记的不符。",
        ),
        (
            "stream of 0123456789abcdef in 330881105201: its author is not enrolled",
            "没有收下未登记站点 01234567的一段记录（关于耀里村的办件）："
            "名册里还没有它。",
        ),
        ("pack-news: the word is strange", "没有收下一处内容：不合规定。"),
    ],
)
def test_what_was_not_taken_is_said_in_chinese(
    desks: Desks, detail: str, said: str
) -> None:
    words = refusal(detail.format(desks.village.id.hex()[:16]), desks.town.roster)

    assert words.startswith(said)
    assert words.endswith("。")
    assert not any(word in words for word in THINGS)
