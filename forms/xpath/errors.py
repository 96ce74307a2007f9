"""What can go wrong with an expression. Pure: no I/O."""

from forms.errors import FormError

SHOWN_CHARACTERS = 80
"""How much of an expression a sentence shows; the attribute holds all of it."""


class ExpressionRefused(FormError):
    """The text is no expression that we evaluate; its author has to change it.

    `position` counts characters from 0.
    """

    def __init__(self, text: str, position: int, reason: str) -> None:
        self.text, self.position, self.reason = text, position, reason
        super().__init__(
            f"表达式不能用：第 {position + 1} 个字符起，{reason}；"
            f"请改正后再发布：{_shown(text)}"
        )


class ExpressionFailed(FormError):
    """The expression was understood, but has no value here and now."""

    def __init__(self, text: str, reason: str) -> None:
        self.text, self.reason = text, reason
        super().__init__(
            f"表达式算不出结果：{reason}；没有改动任何答案：{_shown(text)}"
        )


class NoValue(Exception):  # never leaves this package: becomes ExpressionFailed
    """A function has no value for its arguments; the text is the reason."""


def _shown(text: str) -> str:
    flat = " ".join(text[: SHOWN_CHARACTERS * 2].split())
    flat = "".join(c if c.isprintable() else "\ufffd" for c in flat)
    return (
        flat
        if len(flat) <= SHOWN_CHARACTERS and len(text) <= SHOWN_CHARACTERS * 2
        else flat[:SHOWN_CHARACTERS] + "……"
    )
