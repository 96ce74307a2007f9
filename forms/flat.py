"""A plain list of fields as a form: what a package of format 1 holds. Pure: no I/O."""

from collections.abc import Sequence

from forms.field import Field
from forms.kinds import KINDS
from forms.xform.definition import (
    Bind,
    Choice,
    Control,
    Definition,
    Element,
    Text,
)

_ROOT = "data"
_CONTROLS = {"choice": "select1", "choices": "select", "file": "upload"}
_TYPES = {"integer": "int", "decimal": "decimal", "date": "date"}


def definition_of(fields: Sequence[Field]) -> Definition:
    """Return a form that asks these fields one after the other.

    Limits and lengths stay with the fields; see `forms.kinds`.
    """
    return Definition(
        id=_ROOT,
        instance=Element(_ROOT, children=tuple(Element(field.key) for field in fields)),
        binds=tuple(
            Bind(
                ref=f"/{_ROOT}/{field.key}",
                type=_TYPES.get(field.kind, "string"),
                required="true()" if field.required else "",
                readonly="" if KINDS[field.kind].answers else "true()",
            )
            for field in fields
        ),
        body=tuple(
            Control(
                kind=_CONTROLS.get(field.kind, "input"),
                ref=f"/{_ROOT}/{field.key}",
                label=Text(parts=(field.label,)),
                hint=Text(parts=(field.hint,)) if field.hint else Text(),
                choices=tuple(
                    Choice(one.value, Text(parts=(one.label,))) for one in field.choices
                ),
            )
            for field in fields
        ),
    )
