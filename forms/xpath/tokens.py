"""An expression cut into tokens, as XPath 1.0 section 3.7 says. Pure: no I/O."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from forms.xpath.errors import ExpressionRefused

MAX_CHARACTERS = 20_000
MAX_TOKENS = 5_000


class Kind(StrEnum):
    """What a token is."""

    NUMBER = "number"
    LITERAL = "literal"
    NAME = "name"  # also `*` and `prefix:*` where a name is expected
    OPERATOR = "operator"
    SYMBOL = "symbol"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token; a literal without its quotes; `position` counts from 0."""

    kind: Kind
    text: str
    position: int


# What XML cannot hold, neither can an expression.
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPACE = re.compile(r"[ \t\r\n]*")
# The exponent is no XPath 1.0, but it is what the numbers of stored answers have.
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_LITERAL = re.compile(r"\"[^\"]*\"|'[^']*'")
_NAME = re.compile(r"[^\W\d][\w.\-]*(?::(?!:)(?:[^\W\d][\w.\-]*|\*))?")
# `1mod2` is read as by browsers: the operator ends where no letter follows.
_WORD_OPERATOR = re.compile(r"(?:and|or|mod|div)(?![^\W\d])")
_OPERATOR = re.compile(r"!=|<=|>=|[=<>|+\-]|//?")
_SYMBOL = re.compile(r"::|\.\.|[()\[\]@,.]")

# After one of these, a name is a name and `*` is a wildcard; after any other token
# they are operators.
_EXPECTS_OPERAND = frozenset(["(", "[", ",", "@", "::"])


def tokenize(text: str) -> list[Token]:
    """Return the tokens, the last of kind END.

    Raises:
        ExpressionRefused: too long, or a character that begins no token.
    """
    if len(text) > MAX_CHARACTERS:
        reason = f"太长了：最多 {MAX_CHARACTERS} 个字符，现在 {len(text)} 个"
        raise ExpressionRefused(text, MAX_CHARACTERS, reason)
    if unfit := _UNFIT.search(text):
        reason = f"有不能使用的字符（编号 {ord(unfit[0]):04X}）"
        raise ExpressionRefused(text, unfit.start(), reason)
    tokens: list[Token] = []
    position = _after_space(text, 0)
    while position < len(text):
        token, position = _next(text, position, _wants_operand(tokens))
        tokens.append(token)
        if len(tokens) > MAX_TOKENS:
            raise ExpressionRefused(text, position, f"太复杂：最多 {MAX_TOKENS} 个词")
        position = _after_space(text, position)
    tokens.append(Token(Kind.END, "", len(text)))
    return tokens


def _after_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _wants_operand(tokens: list[Token]) -> bool:
    if not tokens:
        return True
    last = tokens[-1]
    return last.kind is Kind.OPERATOR or (
        last.kind is Kind.SYMBOL and last.text in _EXPECTS_OPERAND
    )


def _next(text: str, position: int, wants_operand: bool) -> tuple[Token, int]:
    if text[position] == "*" and not wants_operand:
        return Token(Kind.OPERATOR, "*", position), position + 1
    for kind, pattern in _AS_OPERAND if wants_operand else _AS_OPERATOR:
        if found := pattern.match(text, position):
            content = found[0][1:-1] if kind is Kind.LITERAL else found[0]
            return Token(kind, content, position), found.end()
    raise ExpressionRefused(text, position, _why_not(text, position))


def _why_not(text: str, position: int) -> str:
    character = text[position]
    if character in "'\"":
        return f"引号 {character} 没有配对"
    if character == "$":
        return "不能用变量，题目要写成路径（在 Excel 里写 ${题目名}）"
    if character in "×÷":
        return f"{character} 不能用：乘号写 *，除号写 div"
    if character in "“”‘’" or unicodedata.normalize("NFKC", character) != character:
        return f"{character} 是全角符号，请换成半角"
    if found := _NAME.match(text, position):
        return f"{found[0][:40]!r} 前面缺少运算符（and、or、+、= 等）"
    return f"{character!r} 不应出现在这里"


_ANYWHERE = ((Kind.LITERAL, _LITERAL), (Kind.OPERATOR, _OPERATOR))
_AS_OPERAND = (
    (Kind.NUMBER, _NUMBER),
    (Kind.NAME, re.compile(_NAME.pattern + r"|\*")),
    *_ANYWHERE,
    (Kind.SYMBOL, _SYMBOL),
)
_AS_OPERATOR = (
    (Kind.OPERATOR, _WORD_OPERATOR),
    *_ANYWHERE,
    (Kind.SYMBOL, _SYMBOL),
)
