"""Drafts, from the first answer to the submitted case.

A draft is a row of this node and never travels. Submitting makes a case of it, in one
transaction: what is returned is on disk.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from forms import check
from forms.item import Item
from node import (
    follow_on,
    in_force,
    kept_answers,
    numbering,
    old_names,
    places,
    rights,
    tidy,
    writing,
)
from node.answers import checked, files_in, new_materials
from node.cases import Case, open_case
from node.errors import NotFound, StepRefused
from node.facts import fault_of
from node.lifecycle import Event, State, Step
from node.material import encode_material
from node.policy import NAME_LIMIT, SCHEMA, containers_of
from node.store.documents import Birth
from node.store.drafts import Draft
from node.wiring import Node
from sync.actor import NONCE_BYTES, actor_of, document_id
from sync.change import read_change
from sync.document import Document
from sync.identity import join_scope

_DIGEST = re.compile(r"[0-9a-f]{64}")


def begin_draft(
    node: Node,
    item: str,
    answers: Mapping[str, str] | None = None,
    place: str = "",
    files: Sequence[str] = (),
    digest: str = "",
    follows: str = "",
) -> Draft:
    """Begin a case of an item; it stays on this node until it is submitted.

    Args:
        node: where it is taken in.
        item: code or name.
        answers: what is filled in already.
        place: for which place the case is, by division or name; ours where empty.
        files: digests of files that go with it, besides those that answers name.
        digest: the version that was filled in; a newer one may have come meanwhile.
            The present one where empty.
        follows: id or number of the case on whose result it builds 联动; who applies
            is taken over from there.

    Raises:
        NotFound: unknown item, or nobody is known who could accept it for that place.
        Ambiguous: more than one place is called so.
        ResultUnusable: the case that it follows has no result for it.
        StepRefused: this tier may not take the item in.
    """
    digest = digest or in_force.find_package(node, item).digest
    package = in_force.package_of(node, digest)
    division = places.find_place(node, package.item, place)
    side = rights.side_of(node.certificate, division)
    why = rights.why_not(Step.SUBMIT, node.tier, package.item, State.DRAFT, "", side)
    if why:
        raise StepRefused("", State.DRAFT, Step.SUBMIT, why)
    source = follow_on.source(node, package.item, follows) if follows else None
    known = follow_on.answers_from(package, source) if source else {}
    nonce = node.random(NONCE_BYTES)
    scope = join_scope(node.certificate.division, division)
    with node.store.transaction():
        draft = Draft(
            document=document_id(actor_of(node.id, nonce), scope),
            nonce=nonce,
            number=numbering.next_number(node),
            division=division,
            package=digest,
            answers=check.begun(package, {**known, **(answers or {})}, node.today()),
            begun_at_ms=node.now_ms(),
            saved_at_ms=node.now_ms(),
            last_field="",
            files=tuple(files),
            follows=source.row.number if source else "",
        )
        node.store.drafts.put(draft)
    return draft


def save_draft(
    node: Node,
    draft: Draft,
    answers: Mapping[str, str],
    last_field: str = "",
    files: Sequence[str] = (),
) -> Draft:
    """Keep what has been filled in so far, right or not; return the kept draft.

    `files` are added to those that go with it already.
    """
    kept = replace(
        draft,
        answers={key: value for key, value in answers.items() if value},
        saved_at_ms=node.now_ms(),
        last_field=last_field or draft.last_field,
        files=tuple(dict.fromkeys((*draft.files, *files))),
    )
    with node.store.transaction():
        if node.store.drafts.get(draft.document) is None:
            raise NotFound("draft", draft.id)
        node.store.drafts.put(kept)
    return kept


def drop_draft(node: Node, draft: Draft) -> None:
    """Throw a draft away, with its files. Only a person may ask for it."""
    kept = kept_answers.of(node, draft.document)
    with node.store.transaction():
        node.store.drafts.drop(draft.document)
        if kept:
            kept_answers.put(node, draft.document, ())
    package = node.package(draft.package)
    named = files_in(package, draft.answers) if package else []
    named += [d for one in kept for d in one.value.split() if _DIGEST.fullmatch(d)]
    tidy.drop_unnamed(node, [*draft.files, *named])


def rename_drafts(node: Node) -> None:
    """Give all drafts ids and numbers of their own, since a copy of this node may have
    the same ones; inside the transaction that makes it necessary.
    """
    for draft in node.store.drafts.all():
        renamed = replace(_renamed(node, draft), number=numbering.next_number(node))
        node.store.drafts.put(renamed)
        old_names.note(node, draft, renamed)


def submit_draft(
    node: Node, draft: Draft, facts: Mapping[str, str] | None = None
) -> Case:
    """Make a case of a draft: from here on it is an entry and will travel.

    `facts` is what is said of the intake, see `node.facts`.

    Raises:
        AnswersWrong: all that is wrong with the form, or a file that is not here or too
            large; the draft is kept.
        StepRefused: this tier may not take the item in.
        ResultUnusable: the case that it follows lies here and has no result for it.
        NotFound: the draft has been submitted or thrown away meanwhile.
        RevokedHere: this node has been put out; the draft is kept.
    """
    package = in_force.package_of(node, draft.package)
    facts = {key: value.strip() for key, value in (facts or {}).items()}
    facts = _followed(node, package.item, draft.follows, facts)
    answers = checked(node, package, draft.answers, is_paper_only="paper_only" in facts)
    side = rights.side_of(node.certificate, draft.division)
    why = rights.why_not(Step.SUBMIT, node.tier, package.item, State.DRAFT, "", side)
    if why:
        raise StepRefused(draft.id, State.DRAFT, Step.SUBMIT, why)
    if about := fault_of(Step.SUBMIT, facts, package.item):
        raise StepRefused(draft.id, State.DRAFT, Step.SUBMIT, "facts", about=about)
    materials = new_materials(node, package, answers, draft.files, {})
    at_ms = node.now_ms()
    event = Event(
        step=Step.SUBMIT, at=at_ms, by=node.operator[:NAME_LIMIT], facts=facts
    )
    with node.store.transaction():
        if node.store.drafts.get(draft.document) is None:
            raise NotFound("draft", draft.id)
        if node.store.documents.get(draft.document) is not None:
            draft = _renamed(node, draft)
        number = draft.number
        if node.store.cases.has_number(number) or not numbering.is_ours(node, number):
            number = numbering.next_number(node)
        document, raw = Document.begin(
            actor_of(node.id, draft.nonce),
            {
                "v": SCHEMA,
                "item": package.item.code,
                "package": draft.package,
                "number": number,
                "fields": answers,
                "events": {writing.event_id(node, at_ms, {}): writing.text_of(event)},
                "materials": {k: encode_material(m) for k, m in materials.items()},
            },
        )
        change = read_change(raw)
        birth = Birth(
            change.actor,
            tuple(sorted(containers_of(change).items())),
            draft.package,
            number,
            node.certificate.division,
        )
        writing.keep(
            node,
            draft.document,
            join_scope(node.certificate.division, draft.division),
            birth,
            document,
            change,
            at_ms,
        )
        node.store.drafts.drop(draft.document)
    return open_case(node, draft.id)


def _followed(
    node: Node, item: Item, follows: str, facts: dict[str, str]
) -> dict[str, str]:
    """Return what is said of an intake with what follows from the case on whose result
    it builds. A number that somebody has typed and that is not here stays as it is:
    the applicant has brought the paper, and who has the case can look it up.
    """
    name = follows or facts.get("follows", "")
    if not name or (not follows and follow_on.source_here(node, name) is None):
        return facts
    source = follow_on.source(node, item, name)
    return follow_on.facts_from(item, source) | facts | {"follows": source.row.number}


def _renamed(node: Node, draft: Draft) -> Draft:
    """Return a draft under an id of its own: a copy of this node has submitted it as
    well, and what was filled in here may differ.
    """
    nonce = node.random(NONCE_BYTES)
    key = document_id(actor_of(node.id, nonce), node.certificate.division)
    node.store.drafts.drop(draft.document)
    kept = replace(draft, document=key, nonce=nonce)
    node.store.drafts.put(kept)
    old_names.note(node, draft, kept)
    kept_answers.carry(node, draft.document, key)
    return kept
