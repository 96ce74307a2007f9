"""The code on a paper 核验码: who says what of which case, signed. Pure: no I/O.

A text of capital letters, digits and `/ - .`, so that a QR code of it stays small, a
telephone shows what it says, and a person can type it. Nothing of the applicant stands
in it: what the paper shows is bound by a digest.
"""

import re
import unicodedata
from base64 import b32decode, b32encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from node.errors import ReceiptRefused
from sync import seal
from sync.identity import NODE_ID_BYTES

MARK = "LB1"
"""Program and version of this form; who changes the form counts it up."""

DIGEST_BYTES = 16
SIGNATURE_LETTERS = 103
GROUP_LETTERS = 5
TEXT_LIMIT = 64 * 1024
"""Characters that are looked through for a code."""

_DOMAIN = b"paper"
_ITEM_LETTERS_MAX = 40
_ID_LETTERS = 26
_PLAIN = re.compile(rf"[0-9A-Z-]{{1,{_ITEM_LETTERS_MAX}}}")
_CODE = re.compile(
    rf"{MARK}/([A-Z]{{1,16}})/([0-9A-Z-]{{1,40}})/([0-9A-Z.-]{{1,41}})/([0-9]{{8}})/"
    rf"([0-9A-Z]{{1,16}})/([0-9A-Z]{{{_ID_LETTERS}}})/([0-9A-Z]{{{_ID_LETTERS}}})/"
    rf"([0-9]{{1,10}})/([0-9A-Z]{{{SIGNATURE_LETTERS}}})"
)
_LOOKALIKES = str.maketrans("018", "OIB")
"""Digits that base32 does not have, and what was meant by who typed one."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a node says with a paper.

    Attributes:
        kind: which paper, a value of `official.PaperKind`.
        number: of the case, or of the batch.
        item: of the case, as `item_mark` has it.
        on: the civil day of what the paper tells.
        outcome: where that led, a value of `State`; of a batch how many cases.
        shown: digest of what the paper shows, see `digest_of`.
        node, epoch: who says so.
    """

    kind: str
    number: str
    item: str
    on: date
    outcome: str
    shown: bytes
    node: bytes
    epoch: int


def item_mark(code: str) -> str:
    """Return how a claim names an item: codes are opaque, and may hold any letter."""
    if _PLAIN.fullmatch(code):
        return code
    return "." + _letters(seal.sha256(code.encode("utf-8", "replace"))[:10])


def digest_of(texts: Iterable[str]) -> bytes:
    """Return what binds the texts of a paper, however its lines are broken."""
    joined = "".join("".join(texts).split())
    return seal.sha256(b"lianban/paper\x00", joined.encode("utf-8", "replace"))[
        :DIGEST_BYTES
    ]


def sign_claim(private: bytes, claim: Claim) -> str:
    """Return the signature over a claim, as letters."""
    return _letters(seal.sign(private, _DOMAIN, _text(claim).encode()))


def is_signed(public: bytes, claim: Claim, signature: str) -> bool:
    """Say whether the owner of a public key has signed a claim."""
    try:
        raw = _bytes(signature)
    except ValueError:
        return False
    return seal.is_signed(public, _DOMAIN, _text(claim).encode(), raw)


def is_signature(text: str) -> bool:
    """Say whether a text has the form of a signature; not whether it holds."""
    try:
        return _letters(_bytes(text)) == text and len(text) == SIGNATURE_LETTERS
    except ValueError:
        return False


def code_of(claim: Claim, signature: str) -> str:
    """Return the code that stands on the paper."""
    return f"{_text(claim)}/{signature}"


def in_groups(code: str) -> str:
    """Return a code in groups, to be read out and typed."""
    starts = range(0, len(code), GROUP_LETTERS)
    return " ".join(code[at : at + GROUP_LETTERS] for at in starts)


def read_code(text: str) -> tuple[Claim, str]:
    """Return the claim and the signature of the code that stands in a text.

    Blanks, breaks, small and full-width letters make no difference, nor does 0 for O.

    Raises:
        ReceiptRefused: no code stands there, or not a whole one.
    """
    joined = "".join(unicodedata.normalize("NFKC", text[:TEXT_LIMIT]).split())
    found = _CODE.search(joined.upper())
    if found is None:
        raise ReceiptRefused("unreadable")
    kind, number, item, day, outcome, shown, node, epoch, signature = found.groups()
    try:
        claim = Claim(
            kind=kind.lower(),
            number=number,
            item=item,
            on=date.fromisoformat(day),
            outcome=outcome.lower(),
            shown=_bytes(shown)[:DIGEST_BYTES],
            node=_bytes(node)[:NODE_ID_BYTES],
            epoch=int(epoch),
        )
    except ValueError as error:
        raise ReceiptRefused("unreadable") from error
    return claim, signature.translate(_LOOKALIKES)


def _text(claim: Claim) -> str:
    parts = (
        MARK,
        claim.kind.upper(),
        claim.number,
        claim.item,
        claim.on.strftime("%Y%m%d"),
        claim.outcome.upper(),
        _letters(claim.shown),
        _letters(claim.node),
        str(claim.epoch),
    )
    return "/".join(parts)


def _letters(data: bytes) -> str:
    return b32encode(data).decode().rstrip("=")


def _bytes(letters: str) -> bytes:
    """Raises ValueError where it is no base32."""
    letters = letters.translate(_LOOKALIKES)
    return b32decode(letters + "=" * (-len(letters) % 8))
