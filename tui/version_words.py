"""A new version of a form in Chinese words: what it does to a draft, line by line."""

from collections.abc import Iterable, Iterator

from forms.form_diff import What
from forms.moving import Fate, Kept, Turn, Why
from node.versions import Renewal
from tui import times
from tui.text import harmless

CHANGES: dict[What, str] = {
    What.NEW: "新增",
    What.GONE: "取消",
    What.RENAMED: "换了代码",
    What.LABEL: "改名",
    What.KIND: "题型变了",
    What.CHOICES: "选项变了",
    What.RULE: "要求变了",
}
"""What a person is told of; see `forms.moving`."""

WHYS: dict[str, str] = {
    Why.GONE: "新表不再问",
    Why.UNFIT: "新表没有这个选项",
    Why.SERIES: "新表里没有这一组的这一项",
    Why.WORKED_OUT: "新表自动算出",
}
"""Why an answer is kept beside the form."""

KEPT_WORDS = "旧表里填过、新表没有的，只留在本机，不上报"
SHOWN_CELLS = 32
"""What is shown of an answer in a line; it stands in full in the form."""


def change_words(turn: Turn) -> str:
    """Return what happened to a question: `改名`, `改名、选项变了`.

    Its code is told of only where nothing that people read has changed with it.
    """
    seen = [one for one in turn.what if one is not What.RENAMED]
    return "、".join(CHANGES[one] for one in seen or turn.what)


def turn_words(turn: Turn) -> str:
    """Return the question, the old answer, and what comes of it."""
    label = harmless(turn.label)
    if turn.was_label:
        label = f"{harmless(turn.was_label)} → {label}"
    shown = harmless(turn.shown, width=SHOWN_CELLS)
    return f"{label}：{' → '.join(filter(None, (shown, _fate(turn))))}"


def versions(found: Renewal, now_ms: int) -> tuple[str, str]:
    """Return how the old and the new version of a draft's form are called."""
    return (
        f"第 {found.old.version} 版（{times.day(found.old_at_ms, now_ms)}发布）",
        f"第 {found.new.version} 版（{times.day(found.new_at_ms, now_ms)}发布）",
    )


def summary(found: Renewal) -> str:
    """Return in one sentence what the change leaves to be done."""
    moved = found.moved
    asked = sum(
        t.fate in (Fate.NEEDED, Fate.WRONG) or t.must_answer for t in moved.turns
    )
    kept = len(moved.kept)
    parts = [f"其余 {moved.unchanged} 项照旧"]
    if asked:
        parts.append(f"{asked} 项要补填或改正")
    if kept:
        parts.append(f"{kept} 项没有位置，留着备查")
    return "，".join(parts) + "。换不换都不会丢。"


def kept_lines(kept: Iterable[Kept]) -> Iterator[str]:
    """Yield a line for each answer that is kept, as lists show answers."""
    for one in kept:
        yield _kept(one, one.shown)


def kept_in_full(kept: Iterable[Kept]) -> Iterator[str]:
    """Yield a line for each answer that is kept, for who may have to type it again."""
    for one in kept:
        yield _kept(one, one.in_full)


def _kept(one: Kept, said: str) -> str:
    why = WHYS.get(one.why, "")
    version = f"第 {harmless(one.version)} 版"
    return f"{harmless(one.label)}：{harmless(said)}（{version}，{why}）"


def _fate(turn: Turn) -> str:
    match turn.fate:
        case Fate.CARRIED:
            return "照旧带过去"
        case Fate.WRONG:
            return f"带过去，要改：{harmless(turn.note)}"
        case Fate.KEPT:
            again = "，请重新填" if turn.must_answer else ""
            return f"{WHYS[turn.note]}，留着备查{again}"
        case Fate.NEEDED:
            return "要填"
        case Fate.OPEN:
            return "原来没填" if What.GONE in turn.what else "可不填"
