"""Whatever an office changes in a form, and whatever was answered: nothing is lost."""

from hypothesis import given, settings
from hypothesis import strategies as st

from forms.kinds import KINDS
from forms.moving import move
from forms.package import Choice, Field, Package
from tests.forms.samples import ITEM, TODAY

KEYS = ("a", "b", "c", "d")
LABELS = ("姓名", "住址", "原因")
CHOICES = (Choice("x", "甲"), Choice("y", "乙"), Choice("z", "丙"))
ANSWERS = {
    "text": ("后山", "甲", "x", "12", "2020-01-31"),
    "integer": ("12", "40"),
    "date": ("2020-01-31",),
    "phone": ("13857012345",),
    "choice": ("x", "y", "z"),
}


@st.composite
def forms(draw: st.DrawFn) -> Package:
    fields = []
    for key in draw(st.permutations(KEYS))[: draw(st.integers(1, len(KEYS)))]:
        kind = draw(st.sampled_from(sorted(ANSWERS)))
        offered = draw(st.permutations(CHOICES))[: draw(st.integers(1, 3))]
        fields.append(
            Field(
                key,
                kind,
                draw(st.sampled_from(LABELS)),
                required=draw(st.booleans()),
                choices=tuple(offered) if kind == "choice" else (),
            )
        )
    return Package(version="1", item=ITEM, fields=tuple(fields))


def shown(package: Package, key: str, text: str) -> str:
    field = package.question(key)
    assert field is not None
    return KINDS[field.kind].show(field, text)


@settings(max_examples=150, deadline=None)
@given(forms(), forms(), st.data())
def test_every_answer_stands_in_the_new_form_or_is_kept(
    old: Package, new: Package, data: st.DataObject
) -> None:
    answers = {
        field.key: data.draw(
            st.sampled_from([c.value for c in field.choices] or ANSWERS[field.kind])
        )
        for field in old.fields
    }

    found = move(old, new, answers, TODAY)

    said = [shown(new, key, text) for key, text in found.answers.items()]
    said += [one.shown for one in found.kept]
    # A number may be shown as a telephone number is, so spaces do not count.
    before = [shown(old, key, text) for key, text in answers.items()]
    assert sorted(_bare(before)) == sorted(_bare(said))
    assert all(new.takes(key) for key in found.answers)
    back = move(new, old, found.answers, TODAY, found.kept)
    again = [shown(old, key, text) for key, text in back.answers.items()]
    again += [one.shown for one in back.kept]
    assert sorted(_bare(again)) == sorted(_bare(before))


def _bare(texts: list[str]) -> list[str]:
    digits = str.maketrans("", "", " 年月日-0")
    return [text.translate(digits) for text in texts]
