"""What a form must not lose and no draft holds: corrections of cases, and from where
answers were taken over.

A returned case is filled in again for minutes or days before it is submitted; until
then its corrections are this node's own, like a draft, and never leave it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from node import intake
from node.material import Material
from node.wiring import Node


@dataclass(frozen=True, slots=True)
class Correction:
    """Answers of a case that were changed and not submitted yet."""

    answers: dict[str, str]
    last_field: str
    saved_at_ms: int


@dataclass(frozen=True, slots=True)
class Taken:
    """The case of the same person from which an answer was taken over, and when that
    was verified. What the answer is stands in the form alone.
    """

    item: str
    number: str
    verified_at_ms: int


def keep_correction(
    node: Node, case: str, answers: Mapping[str, str], last_field: str
) -> int:
    """Keep the answers that differ from the case; return when, in milliseconds."""
    at_ms = node.now_ms()
    value = {"answers": dict(answers), "field": last_field, "at_ms": at_ms}
    _put(node, f"correction/{case}", value)
    return at_ms


def correction(node: Node, case: str) -> Correction | None:
    """Return what was kept for a case, or None."""
    found = _get(node, f"correction/{case}")
    if not found:
        return None
    return Correction(found["answers"], found["field"], found["at_ms"])


def drop_correction(node: Node, case: str) -> None:
    """Forget the correction: it has been submitted."""
    _put(node, f"correction/{case}", {})


def keep_taken(node: Node, case: str, taken: Mapping[str, Taken]) -> None:
    """Keep from where answers of a case or a draft were taken over, by key."""
    value = {key: [t.item, t.number, t.verified_at_ms] for key, t in taken.items()}
    _put(node, f"taken/{case}", value)


def taken(node: Node, case: str) -> dict[str, Taken]:
    """Return from where answers of a case or a draft were taken over, by key."""
    found = _get(node, f"taken/{case}") or {}
    return {key: Taken(*value) for key, value in found.items()}


def drop_taken(node: Node, case: str) -> None:
    """Forget where answers came from: the case is submitted, or the draft is gone."""
    if taken(node, case):
        keep_taken(node, case, {})


def material(node: Node, digest: str) -> Material:
    """Return what an attached file is called; by its content where nobody knows."""
    return intake.record_of(node, digest) or Material(f"附件 {digest[:8]}", 0)


def _put(node: Node, key: str, value: object) -> None:
    with node.store.transaction():
        node.store.registry.set_setting(
            key, json.dumps(value, ensure_ascii=False).encode()
        )


def _get(node: Node, key: str) -> dict[str, Any] | None:
    data = node.store.registry.setting(key)
    return json.loads(data) if data else None
