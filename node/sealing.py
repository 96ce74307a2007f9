"""A paper is signed with the step that it tells of. Pure: no I/O, no clock.

Who decides need not print: his signature travels with the step, so that the village
prints the decision with the network off, and nobody on the way can change it. A step
without paper, and the intake, of which there are many, carry none: whoever hands a
receipt out signs it then.
"""

from collections.abc import Iterable
from datetime import date

from msgspec import structs

from node.cases import Case
from node.lifecycle import Event, Step
from node.papers.official import SEALED, PaperKind, outcome_of, shown_part, texts_of
from node.proof import Claim, digest_of, is_signed, item_mark, sign_claim
from sync.identity import Certificate

SEAL = "seal"
"""The fact of a step that holds the signature."""


def sealed(
    case: Case, event: Event, on: date, private: bytes, signer: Certificate
) -> Event:
    """Return a step with its paper's signature; as it is where it has no paper."""
    kind = SEALED.get(Step(event.step))
    if kind is None:
        return event
    claim = claim_of(kind, case, event, on, signer)
    facts = {**event.facts, SEAL: sign_claim(private, claim)}
    return structs.replace(event, facts=facts)


def claim_of(
    kind: PaperKind, case: Case, event: Event, on: date, signer: Certificate
) -> Claim:
    """Return what a node says with a paper about a step of a case."""
    return Claim(
        kind=kind,
        number=case.row.number,
        item=item_mark(case.package.item.code),
        on=on,
        outcome=outcome_of(Step(event.step)),
        shown=digest_of(texts_of(shown_part(kind, case, event, on))),
        node=signer.node,
        epoch=signer.epoch,
    )


def sealed_claim(
    kind: PaperKind,
    case: Case,
    event: Event,
    on: date,
    authors: Iterable[Certificate],
) -> Claim | None:
    """Return what the author of a step has signed with it; None where the signature
    does not fit what the case says now, or there is none.
    """
    signature = event.facts.get(SEAL, "")
    for author in authors:
        claim = claim_of(kind, case, event, on, author)
        if signature and is_signed(author.sign_key, claim, signature):
            return claim
    return None
