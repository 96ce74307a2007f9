r"""The language of `regex()`: a pattern read into its parts. Pure: no I/O.

It is what OpenRosa programs share: classes and ranges, `\d \w \s \b`, `\u4e00`,
`\p{L}` and `\p{Han}`, groups, alternatives, `* + ? {2,5}`, `^ $`, `(?i)`, look ahead.
A lazy mark (`+?`) is read and means nothing, since only yes or no is asked. Back
references and look behind are refused: `forms.xpath.regex` says why.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

MAX_PATTERN = 1_000
MAX_DEPTH = 40
MAX_TIMES = 1_000

Test = Callable[[str], bool]
"""Whether one character fits."""


class PatternRefused(ValueError):
    """The pattern is none, or one that we do not evaluate; the text says why."""


@dataclass(frozen=True, slots=True)
class One:
    """One character that fits."""

    test: Test


@dataclass(frozen=True, slots=True)
class Edge:
    """A place between characters: `^`, `$`, `b` (of a word) or `B` (of none)."""

    kind: str


@dataclass(frozen=True, slots=True)
class Ahead:
    """A place from which something fits, or does not."""

    part: "Part"
    wanted: bool


@dataclass(frozen=True, slots=True)
class Row:
    """Parts one after another."""

    parts: tuple["Part", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Parts of which one has to fit."""

    parts: tuple["Part", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part from `least` to `most` times; None: without end."""

    part: "Part"
    least: int
    most: int | None


Part = One | Edge | Ahead | Row | Choice | Repeat

_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_DIGITS = frozenset("0123456789")
_SPACES = frozenset(" \t\n\r\f\v\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff") | {
    chr(code) for code in range(0x2000, 0x200B)
}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
# What `\u4e00-\u9fff` and its extensions hold, for `\p{Han}`.
_HAN = re.compile(
    "[\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]"
)

_TIMES = re.compile(r"\{([0-9]{1,6})(,([0-9]{1,6})?)?\}", re.ASCII)
_CODE = re.compile(
    r"u\{([0-9A-Fa-f]{1,6})\}|x\{([0-9A-Fa-f]{1,6})\}"
    r"|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})"
)
_PROPERTY = re.compile(r"[pP](?:\{\^?([A-Za-z_=]{1,40})\}|([A-Z]))")
_SIGNS = {"*": (0, None), "+": (1, None), "?": (0, 1)}


def is_word(character: str) -> bool:
    r"""Tell whether `\w` fits."""
    return character in _WORD


def read_pattern(pattern: str) -> Part:
    """Return the parts of a pattern.

    Raises:
        PatternRefused: the pattern is wrong, too long, or of what we do not evaluate.
    """
    if len(pattern) > MAX_PATTERN:
        raise PatternRefused(f"正则表达式太长：最多 {MAX_PATTERN} 个字符")
    reader = _Reader(pattern)
    part = reader.choice()
    if reader.at < len(pattern):
        raise PatternRefused("正则表达式里有一个 ) 没有配对")
    return part


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.depth = 0
        self.any_case = False
        if pattern.startswith("(?i)"):
            self.at, self.any_case = 4, True

    def choice(self) -> Part:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise PatternRefused(f"正则表达式的括号套得太深：最多 {MAX_DEPTH} 层")
        parts = [self._row()]
        while self._skip("|"):
            parts.append(self._row())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def _row(self) -> Part:
        parts = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            parts.append(self._repeated(self._atom()))
        return Row(tuple(parts))

    def _repeated(self, part: Part) -> Part:
        least: int = 1
        most: int | None = 1
        if found := _TIMES.match(self.pattern, self.at):
            self.at = found.end()
            least = int(found[1])
            most = int(found[3]) if found[3] else (None if found[2] else least)
        elif self.pattern[self.at : self.at + 1] in {"*", "+", "?"}:
            least, most = _SIGNS[self.pattern[self.at]]
            self.at += 1
        else:
            return part
        self._skip("?")
        if max(least, most or 0) > MAX_TIMES or (most is not None and most < least):
            raise PatternRefused(f"正则表达式的重复次数不对，最多 {MAX_TIMES} 次")
        return Repeat(part, least, most)

    def _atom(self) -> Part:
        character = self.pattern[self.at]
        self.at += 1
        if character == "(":
            return self._group()
        if character == "[":
            return One(self._cased(self._class()))
        if character == ".":
            return One(lambda c: c not in "\n\r\u2028\u2029")
        if character in "^$":
            return Edge(character)
        if character in "*+?":
            raise PatternRefused(f"正则表达式里的 {character} 前面没有可重复的内容")
        if character != "\\":
            return One(self._cased(character.__eq__))
        following = self.pattern[self.at : self.at + 1]
        if following and following in "bB":
            self.at += 1
            return Edge(following)
        if following.isdecimal() and following != "0":
            raise PatternRefused("正则表达式不支持 \\1 这样的反向引用")
        test = self._escape()
        return One(self._cased(test if callable(test) else test.__eq__))

    def _group(self) -> Part:
        wanted = None
        if self._skip("?="):
            wanted = True
        elif self._skip("?!"):
            wanted = False
        elif not self._skip("?:") and self.pattern.startswith("?", self.at):
            name = re.compile(r"\?P?<[A-Za-z]\w*>").match(self.pattern, self.at)
            if not name:
                self._refuse_group()
            self.at = name.end()
        part = self.choice()
        if not self._skip(")"):
            raise PatternRefused("正则表达式里有一个 ( 没有配对")
        return part if wanted is None else Ahead(part, wanted)

    def _refuse_group(self) -> NoReturn:
        said = self.pattern[self.at - 1 : self.at + 3]
        raise PatternRefused(f"正则表达式不支持 {said}")

    def _class(self) -> Test:
        negative = self._skip("^")
        tests: list[Test] = []
        singles: set[str] = set()
        while not self._skip("]"):
            first = self._member()
            if callable(first):
                tests.append(first)
            elif self.pattern.startswith("-", self.at) and self.pattern[
                self.at + 1 : self.at + 2
            ] not in {"]", ""}:
                self.at += 1
                last = self._member()
                if callable(last) or last < first:
                    raise PatternRefused("正则表达式的方括号里有一个范围写反了")
                tests.append(_between(first, last))
            else:
                singles.add(first)
        tests.append(frozenset(singles).__contains__)
        return _any_of(tests, negative)

    def _member(self) -> str | Test:
        if self.at >= len(self.pattern):
            raise PatternRefused("正则表达式里有一个 [ 没有配对")
        character = self.pattern[self.at]
        self.at += 1
        if character != "\\":
            return character
        if self._skip("b"):
            return "\b"
        return self._escape()

    def _escape(self) -> str | Test:
        """Read what follows a backslash: a character, or a test for several."""
        rest = self.pattern[self.at : self.at + 1]
        if not rest:
            raise PatternRefused("正则表达式不能以 \\ 结尾")
        if found := _CODE.match(self.pattern, self.at):
            self.at = found.end()
            code = int(next(group for group in found.groups() if group), 16)
            if code > 0x10FFFF:
                raise PatternRefused("正则表达式里没有这个字符编号")
            return chr(code)
        if found := _PROPERTY.match(self.pattern, self.at):
            self.at = found.end()
            return _property(found[1] or found[2], rest == "P")
        self.at += 1
        if rest in _SHORT:
            return _SHORT[rest]
        if rest in _CONTROLS:
            return _CONTROLS[rest]
        if rest.isascii() and rest.isalnum():
            raise PatternRefused(f"正则表达式不支持 \\{rest}")
        return rest

    def _cased(self, test: Test) -> Test:
        if not self.any_case:
            return test
        return lambda c: test(c) or test(c.swapcase())

    def _skip(self, text: str) -> bool:
        if self.pattern.startswith(text, self.at):
            self.at += len(text)
            return True
        return False


def _between(first: str, last: str) -> Test:
    return lambda character: first <= character <= last


def _any_of(tests: list[Test], negative: bool) -> Test:
    if negative:
        return lambda character: not any(test(character) for test in tests)
    return lambda character: any(test(character) for test in tests)


def _property(name: str, negative: bool) -> Test:
    short = name.rpartition("=")[2].removeprefix("Is")
    if short in {"Han", "Hani"}:
        return lambda c: (_HAN.match(c) is not None) != negative
    if short in _CATEGORIES:
        return lambda c: unicodedata.category(c).startswith(short) != negative
    raise PatternRefused(f"正则表达式不支持 \\p{{{name}}}")


_CATEGORIES = {"L", "M", "N", "P", "S", "Z", "C"}
_CATEGORIES |= {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No"}
_CATEGORIES |= {"Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So"}
_CATEGORIES |= {"Zs", "Zl", "Zp", "Cc", "Cf"}
_SHORT: dict[str, Test] = {
    "d": _DIGITS.__contains__,
    "D": lambda c: c not in _DIGITS,
    "w": _WORD.__contains__,
    "W": lambda c: c not in _WORD,
    "s": _SPACES.__contains__,
    "S": lambda c: c not in _SPACES,
}
