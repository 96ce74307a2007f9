from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from forms.field import Choice, Field
from forms.joint import Part, unite
from forms.material import Exemption, Material, Original, Proof

NAME = Field("name", "text", "姓名", role="applicant_name", max_length=50)
AGE = Field("age", "integer", "年龄", minimum="16", maximum="90")
CARD = Material("id_card", "身份证", review=("人证一致",), proves=("name",))
BY_CARD = Exemption(Proof.CERTIFICATE, "电子证照")
BY_DATA = Exemption(Proof.DATA, "人口库")


def part(code: str, *things: Field | Material) -> Part:
    return Part(
        code,
        tuple(thing for thing in things if isinstance(thing, Field)),
        tuple(thing for thing in things if isinstance(thing, Material)),
    )


def test_what_two_members_ask_is_asked_once() -> None:
    phone = Field("phone", "phone", "电话")

    union = unite([part("1", NAME, AGE, CARD), part("2", phone, NAME, CARD)])

    assert [field.key for field in union.fields] == ["name", "age", "phone"]
    assert union.field_users == {"name": ("1", "2"), "age": ("1",), "phone": ("2",)}
    assert [paper.key for paper in union.materials] == ["id_card"]
    assert union.material_users == {"id_card": ("1", "2")}
    assert union.clashes == ()


def test_an_answer_must_be_good_enough_for_each_member() -> None:
    strict = replace(AGE, required=True, minimum="18", maximum="100", hint="周岁")

    (age,) = unite([part("1", AGE), part("2", strict)]).fields

    assert (age.required, age.minimum, age.maximum) == (True, "18", "90")
    assert age.hint == "周岁"


def test_numbers_are_compared_as_numbers() -> None:
    (age,) = unite(
        [part("1", replace(AGE, minimum="9")), part("2", replace(AGE, minimum="10"))]
    ).fields

    assert age.minimum == "10"


def test_today_and_a_fixed_day_cannot_be_one_limit() -> None:
    """Which of them is stricter changes with the day, and there is no clock here."""
    until = Field("since", "date", "日期", maximum="today")
    fixed = replace(until, maximum="2030-01-01")

    assert unite([part("1", until), part("2", until)]).fields == (until,)
    (clash,) = unite([part("1", until), part("2", fixed)]).clashes
    assert "今天" in clash.message


def test_questions_that_cannot_be_one_are_a_clash() -> None:
    sex = Field("sex", "choice", "性别", choices=(Choice("m", "男"),))
    others = {
        "text": Field("sex", "text", "性别"),
        "choices": replace(sex, choices=(Choice("male", "男"),)),
        "subject": replace(sex, subject="wife"),
    }
    for said, other in others.items():
        union = unite([part("1", sex), part("2", other)])

        assert union.fields == (sex,), said
        assert [(c.key, c.codes) for c in union.clashes] == [("sex", ("1", "2"))]


def test_limits_that_leave_no_answer_are_a_clash() -> None:
    old = replace(AGE, minimum="95", maximum=None)

    (clash,) = unite([part("1", AGE), part("2", old)]).clashes

    assert "95" in clash.message and "90" in clash.message


def test_a_role_is_played_once_in_the_package() -> None:
    wife = replace(NAME, key="wife_name")

    fields = unite([part("1", NAME), part("2", wife)]).fields

    assert [field.role for field in fields] == ["applicant_name", ""]


def test_a_paper_is_good_for_all_who_want_it() -> None:
    kept = replace(
        CARD,
        required=False,
        review=("在有效期内", "人证一致"),
        proves=("citizen_id",),
        original=Original.KEPT,
        copy_count=2,
    )

    (card,) = unite([part("1", replace(CARD, copy_count=1)), part("2", kept)]).materials

    assert card.required
    assert card.review == ("人证一致", "在有效期内")
    assert card.proves == ("name", "citizen_id")
    assert (card.original, card.copy_count) == (Original.KEPT, 2)


def test_a_paper_is_spared_only_by_what_spares_it_everywhere() -> None:
    first = replace(CARD, exempt_by=(BY_CARD, BY_DATA))
    second = replace(CARD, exempt_by=(BY_DATA,))

    (card,) = unite([part("1", first), part("2", second)]).materials

    assert card.exempt_by == (BY_DATA,)


def test_a_paper_that_one_member_always_wants_is_always_wanted() -> None:
    sometimes = replace(CARD, relevant="${age} > 60", condition="年满 60 的")
    rarely = replace(CARD, relevant="${age} > 80", condition="年满 80 的")

    (always,) = unite([part("1", sometimes), part("2", CARD)]).materials
    (either,) = unite([part("1", sometimes), part("2", rarely)]).materials

    assert (always.relevant, always.condition) == ("", "")
    assert either.relevant == "(${age} > 60) or (${age} > 80)"
    assert either.condition == "年满 60 的；年满 80 的"


KEYS = st.sampled_from(["a", "b", "c", "d"])
FIELDS = st.builds(
    Field,
    key=KEYS,
    kind=st.sampled_from(["text", "phone"]),
    label=st.just("问"),
    required=st.booleans(),
)
PARTS = st.lists(
    st.lists(FIELDS, max_size=4, unique_by=lambda field: field.key), max_size=4
)


@given(PARTS)
@settings(deadline=None)
def test_nothing_is_lost_and_nothing_asked_twice(asked: list[list[Field]]) -> None:
    parts = [Part(str(n), tuple(fields), ()) for n, fields in enumerate(asked)]

    union = unite(parts)

    keys = [field.key for field in union.fields]
    assert sorted(keys) == sorted({field.key for fields in asked for field in fields})
    refused = {(clash.key, clash.codes[1]) for clash in union.clashes}
    for part in parts:
        for field in part.fields:
            user = part.code in union.field_users[field.key]
            assert user is not ((field.key, part.code) in refused)


@given(PARTS)
@settings(deadline=None)
def test_uniting_what_was_united_changes_nothing(asked: list[list[Field]]) -> None:
    parts = [Part(str(n), tuple(fields), ()) for n, fields in enumerate(asked)]
    once = unite(parts)

    again = unite([Part("all", once.fields, once.materials)])

    assert again.fields == once.fields
