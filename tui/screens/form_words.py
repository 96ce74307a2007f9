"""What a form says besides its fields: what is missing, who this is, how it is done."""

import datetime as dt
from collections.abc import Container

from forms import check, citizen_id
from forms.field import Field
from forms.filled import FilledForm

SHOWN_MISSING = 4


def missing(form: FilledForm, typed: Container[str]) -> str:
    """Return how many answers are still to come or to be put right, and the first.

    What is `typed` just now, by key, is on its way and not missing.
    """
    absent = [label for key, label in form.missing() if key not in typed]
    if not absent:
        wrong = [one for one in form.problems() if form.value(one.key)]
        if wrong:
            names = "、".join(problem.label for problem in wrong[:SHOWN_MISSING])
            return f"还有 {len(wrong)} 处要改：{names}"
        return "✓ 必填都填了，按 F3 提交"
    names = "、".join(absent[:SHOWN_MISSING])
    more = "…" if len(absent) > SHOWN_MISSING else ""
    return f"必填还差 {len(absent)} 项：{names}{more}"


def sex_and_age(field: Field, typed: str, today: dt.date) -> str:
    """Return what an id number tells, or nothing while it is wrong.

    A slip of the finger shows at once: the person sits across the table.
    """
    number = check.normalise_field(field, typed)
    # Without the field's limits: who is too young is shown to be so.
    bare = Field(field.key, field.kind, field.label)
    if not number or check.check_field(bare, number, today):
        return ""
    sex = "男" if citizen_id.sex(number) == "male" else "女"
    return f"{sex}，{citizen_id.age_on(number, today)} 周岁"
