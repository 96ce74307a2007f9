"""Versions of forms: a draft whose item has been published anew, and its way into it.

A case keeps the version with which it was submitted, for good. A draft has been shown
to nobody, so it may be taken over into the present version when a person wants it to,
or be submitted as it is: whoever receives it judges it by the version that it names.

Answers that the present version has no place for stay on this node, beside the draft
and later beside its case. They do not travel: the office has stopped asking for them.
"""

from dataclasses import dataclass, replace

from forms.moving import Moved, move
from forms.package import Package
from node import in_force, kept_answers, rights
from node.errors import NotFound, StepRefused
from node.lifecycle import State, Step
from node.store.drafts import Draft
from node.wiring import Node


@dataclass(frozen=True, slots=True)
class Renewal:
    """What it would mean for a draft to be taken over into the present version.

    Attributes:
        draft: as it lies in the store.
        old: the version that it was begun with.
        new: the present version.
        digest: of the present version.
        old_at_ms: when the district has published the old one, by its clock.
        new_at_ms: when it has published the new one.
        moved: what would become of each answer.
    """

    draft: Draft
    old: Package
    new: Package
    digest: str
    old_at_ms: int
    new_at_ms: int
    moved: Moved


def has_newer(node: Node, code: str, digest: str) -> bool:
    """Say whether an item is published in another version than this, its present one.

    Asked for each draft of a list, so nothing is decoded.
    """
    on = node.today().isoformat()
    return node.store.registry.current_digest(code, on) not in ("", digest)


def renewal(node: Node, draft: Draft) -> Renewal | None:
    """Return what the present version would change in a draft; None if it has it.

    Raises:
        StoreDamaged: one of the two versions cannot be read.
    """
    registry = node.store.registry
    old = in_force.package_of(node, draft.package)
    digest = registry.current_digest(old.item.code, node.today().isoformat())
    if digest in ("", draft.package):
        return None
    new = in_force.package_of(node, digest)
    kept = kept_answers.of(node, draft.document)
    return Renewal(
        draft=draft,
        old=old,
        new=new,
        digest=digest,
        old_at_ms=registry.published_at_ms(draft.package),
        new_at_ms=registry.published_at_ms(digest),
        moved=move(old, new, draft.answers, node.today(), kept),
    )


def renew(node: Node, draft: Draft) -> Draft:
    """Take a draft over into the present version of its item; return it as it is then.

    What is moved is the draft as it lies in the store, whatever was shown before.

    Raises:
        NotFound: the draft is gone, or it has the present version.
        StepRefused: in its present version this tier may not take the item in.
        StoreDamaged: one of the two versions cannot be read.
    """
    with node.store.transaction():
        stored = node.store.drafts.get(draft.document)
        if stored is None:
            raise NotFound("draft", draft.id)
        found = renewal(node, stored)
        if found is None:
            raise NotFound("newer version", draft.id)
        side = rights.side_of(node.certificate, stored.division)
        why = rights.why_not(
            Step.SUBMIT, node.tier, found.new.item, State.DRAFT, "", side
        )
        if why:
            raise StepRefused(draft.id, State.DRAFT, Step.SUBMIT, why)
        renewed = replace(
            stored,
            package=found.digest,
            answers=found.moved.answers,
            saved_at_ms=node.now_ms(),
            last_field="",
        )
        node.store.drafts.put(renewed)
        kept_answers.put(node, draft.document, found.moved.kept)
    return renewed
