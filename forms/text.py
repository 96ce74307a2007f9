"""What may stand in a text, and in how few ways it is written. Pure: no I/O.

Names are kept as typed, but for NFC: a rare character is never replaced. Numbers,
dates and codes are folded to ASCII with `narrow`.
"""

import re
import unicodedata

# Ranges are written out, not asked from `unicodedata`: its answers change with the
# version of Python, and two nodes must never differ over one text.
_HAN = r"\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_UNWANTED: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]"),
        "是换行、制表一类的控制字符，请删掉重打",
    ),
    (
        re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"),
        "是改变文字方向的不可见字符，请删掉重打",
    ),
    (
        re.compile(
            r"[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200d\u2060-\u2065"
            r"\u206a-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
        ),
        "是看不见的零宽字符，请删掉重打",
    ),
    (
        # Behind a Han character a variation selector picks the glyph of a name.
        re.compile(
            rf"(?<![{_HAN}])[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]"
        ),
        "是看不见的字形选择符，请删掉重打",
    ),
    (
        re.compile(r"[\ud800-\udfff\ufdd0-\ufdef\ufffc-\uffff]"),
        "是乱码，请按证件重打",
    ),
    (
        # Old systems put rare names here; each font shows another character.
        re.compile(r"[\ue000-\uf8ff\U000f0000-\U0010ffff]"),
        "是别的电脑认不出的自造字，请用生僻字输入法重打",
    ),
)

_NARROW = {0x3000: " "} | {wide: chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)}


def tidy(text: str) -> str:
    """Return the text in NFC, without blanks at its ends."""
    return unicodedata.normalize("NFC", text).strip()


def narrow(text: str) -> str:
    """Return the text with full-width letters, digits and signs as ASCII, trimmed.

    Only what an input method produces is folded. NFKC would go too far: it makes
    102 of 10², and 1 of ①, and nobody would see it.
    """
    return text.translate(_NARROW).strip()


def unwanted(text: str) -> str | None:
    """Return where and why a text holds a character that must not stand in it.

    The sentence says which character, counted from 1; None if all may stand.
    """
    found = [(m.start(), why) for rule, why in _UNWANTED if (m := rule.search(text))]
    if not found:
        return None
    position, why = min(found)
    return f"第 {position + 1} 个字{why}"
