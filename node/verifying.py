"""Whether a paper is believed 验证回执: by the roster and what lies here, offline."""

from dataclasses import dataclass
from enum import StrEnum

from forms.item import Item, Tier
from forms.package import Package
from node import rights
from node.cases import Case, open_case
from node.days import civil_day
from node.errors import ReceiptRefused
from node.lifecycle import Step
from node.papers.official import (
    ANYBODY,
    SORTS,
    PaperKind,
    outcome_of,
    shown_part,
    texts_of,
)
from node.proof import Claim, digest_of, is_signed, item_mark, read_code
from node.receipts import CODE_HEADING, authors_of
from node.store.cases import CaseRow
from node.wiring import Node
from sync.identity import TIER_DIGITS, Certificate, covers


class Standing(StrEnum):
    """What this node knows of a case besides the paper."""

    ABSENT = "absent"  # the case is not here
    SAME = "same"  # here it tells the same
    CHANGED = "changed"  # here it tells the step, and something on the paper since
    VOID = "void"  # here the step does not stand, or another one does


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a paper proves.

    Attributes:
        claim: what it says.
        signer: who says so, by the roster.
        item: the name of the item, "" for a batch.
        case: the list row of the case, None where it is not here.
        standing: what is known here of the case.
        is_text_proven: the words of the paper were looked at, and are as signed.
        is_revoked: the signer was revoked; the case that lies here vouches for it.
    """

    claim: Claim
    signer: Certificate
    item: str
    case: CaseRow | None
    standing: Standing
    is_text_proven: bool
    is_revoked: bool


def verify(node: Node, text: str) -> Verdict:
    """Return what a code, or a whole paper as text, proves.

    Raises:
        ReceiptRefused: nothing; the reason is a key of `RECEIPT_FAULTS`.
    """
    claim, signature = read_code(text)
    if claim.kind not in frozenset(PaperKind):
        raise ReceiptRefused("kind")
    signer = node.roster.certificate(claim.node, claim.epoch)
    if signer is None:
        raise ReceiptRefused("unknown")
    if not is_signed(signer.sign_key, claim, signature):
        raise ReceiptRefused("signature")
    is_text_proven = _check_text(text, claim)
    case = _case(node, claim.number)
    standing = _standing(node, claim, case)
    item = _check_right(node, claim, signer, case)
    is_revoked = (claim.node, claim.epoch) in node.roster.revoked
    if is_revoked and standing not in (Standing.SAME, Standing.CHANGED):
        # When it was signed only the signer says: a thief of the key would say before.
        raise ReceiptRefused("revoked")
    row = case.row if case else None
    name = item.name if item else ""
    return Verdict(claim, signer, name, row, standing, is_text_proven, is_revoked)


def _check_text(text: str, claim: Claim) -> bool:
    """Return whether the words of a paper stand there; they must be as signed."""
    above, heading, _ = text.partition(f"【{CODE_HEADING}】")
    if not heading:
        return False
    if digest_of([above.lstrip("\ufeff")]) != claim.shown:
        raise ReceiptRefused("changed")
    return True


def _case(node: Node, number: str) -> Case | None:
    rows = node.store.cases.find(number) if node.store.cases.has_number(number) else []
    return open_case(node, rows[0].id) if len(rows) == 1 else None


def _check_right(
    node: Node, claim: Claim, signer: Certificate, case: Case | None
) -> Item | None:
    """Return the item; whoever signed must be allowed to say such a thing of it."""
    tier = Tier(signer.tier)
    if claim.kind == PaperKind.BATCH:
        if tier is Tier.VILLAGE:
            raise ReceiptRefused("tier")
        # A batch number begins with the digits of the town that has made it.
        town = claim.number.partition("-")[0].ljust(TIER_DIGITS["village"], "0")
        if not covers(signer, town):
            raise ReceiptRefused("elsewhere")
        return None
    package = case.package if case else _package(node, claim.item)
    if package is None:
        raise ReceiptRefused("item")
    if item_mark(package.item.code) != claim.item:
        raise ReceiptRefused("changed")
    sort = SORTS[PaperKind(claim.kind)]
    if not rights.duties(package.item, tier) & set(sort.duties.split(" or ")):
        raise ReceiptRefused("tier")
    # Of a case from elsewhere only its number is known: where it was taken in.
    places = {claim.number[:12]} | ({case.row.division} if case else set())
    if sort.duties == ANYBODY and case:
        places.add(case.row.taken_in_at)
    if not any(covers(signer, place) for place in places):
        raise ReceiptRefused("elsewhere")
    if claim.outcome not in map(outcome_of, sort.steps):
        raise ReceiptRefused("kind")
    return package.item


def _package(node: Node, mark: str) -> Package | None:
    for row in node.store.registry.current_packages():
        if item_mark(row.code) == mark:
            return node.package(row.digest)
    return None


def _standing(node: Node, claim: Claim, case: Case | None) -> Standing:
    if case is None:
        return Standing.ABSENT
    kind = PaperKind(claim.kind)
    for one in case.story.happened:
        on = civil_day(one.event.at)
        if one.why_not or one.event.step not in SORTS[kind].steps or on != claim.on:
            continue
        is_author = any(c.node == claim.node for c in authors_of(node, one))
        if SORTS[kind].is_sealed and not is_author:
            continue
        if outcome_of(Step(one.event.step)) != claim.outcome:
            continue
        shown = digest_of(texts_of(shown_part(kind, case, one.event, on)))
        return Standing.SAME if shown == claim.shown else Standing.CHANGED
    return Standing.VOID
