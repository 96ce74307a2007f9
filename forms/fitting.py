"""Whether an answer to one question fits another. Pure: no I/O, no clock."""

from datetime import date

from forms.check import normalise_field
from forms.field import Field
from forms.kinds import KINDS

PICKED = ("choice", "choices", "acknowledge", "file")
"""Kinds that show only what can be picked: an answer that does not fit there would be
out of sight. What is typed stays in its field, where it can be put right.
"""
_LISTED = ("choice", "choices")


def fitted(field: Field, asked: Field, text: str, today: date) -> tuple[str, str]:
    """Return what of an answer the new question takes, and what it does not."""
    if "file" in (field.kind, asked.kind) and field.kind != asked.kind:
        return "", text
    if asked.kind in _LISTED:
        given = text.split() if field.kind == "choices" else [text]
        found = {one: _choice_for(field, asked, one) for one in given}
        fitting = [value for value in found.values() if value]
        if asked.kind == "choice" and len(fitting) > 1:
            return "", text  # which of several is meant, only a person knows
        rest = [one for one, value in found.items() if not value]
        return " ".join(fitting), " ".join(rest)
    is_code = field.kind in PICKED and field.kind != asked.kind
    written = KINDS[field.kind].show(field, text) if is_code else text
    said = normalise_field(asked, written)
    if asked.kind in PICKED and KINDS[asked.kind].check(asked, said, today):
        return "", text
    return said, ""


def _choice_for(field: Field, asked: Field, value: str) -> str:
    """Return the value of the choice that an answer means; "" if none does.

    What a person has read comes before its code: an office that turns two codes round
    does not turn its answers round.
    """
    label = KINDS[field.kind].show(field, value)
    called = [one.value for one in asked.choices if one.label == label]
    if len(called) == 1:
        return called[0]
    # What a filter works out cannot always be listed; the form itself judges it.
    if not asked.choices:
        return value
    is_code = field.kind in _LISTED and any(c.value == value for c in asked.choices)
    return value if is_code else ""
