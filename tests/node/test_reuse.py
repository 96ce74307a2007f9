"""What earlier cases give to a new one: values in, offers out."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from msgspec import structs

from forms.field import Choice, Field
from forms.item import Material
from forms.package import FORMAT, Package
from forms.xform import read_form
from node.material import Material as Scan
from node.reuse import Earlier, Offer, applied, is_new, offers, present
from tests.forms.samples import ITEM, PACKAGE, SHA, TODAY
from tests.forms.xforms import bind, inputs, xform

OTHER_SHA = "cd" * 32
SMALL = Scan("照片.jpg", 1000)


def earlier(
    package: Package, answers: Mapping[str, str], verified_at_ms: int = 1
) -> Earlier:
    files = {SHA: SMALL, OTHER_SHA: SMALL}
    return Earlier("一号", "某事项", verified_at_ms, package, answers, files)


def flat(*fields: Field, materials: tuple[Material, ...] = ()) -> Package:
    item = structs.replace(ITEM, code="1", materials=materials)
    return Package(version="1", item=item, fields=fields)


def said(found: list[Offer]) -> dict[str, dict[str, str]]:
    return {one.key: dict(one.answers) for one in found}


def family(*, counted: bool, questions: str = "who wages") -> Package:
    """Return a form with a repeat that a question counts, or that people add to."""
    keys = questions.split()
    data = "<size/><member>" + "".join(f"<{key}/>" for key in keys) + "</member>"
    count = ' jr:count="/data/size"' if counted else ""
    body = (
        inputs("size")
        + '<group ref="/data/member"><label>家庭成员</label>'
        + f'<repeat nodeset="/data/member"{count}>'
        + inputs(*(f"member/{key}" for key in keys))
        + "</repeat></group>"
    )
    form = read_form(xform(data, bind("size", type="int"), body))
    return Package(format=FORMAT, version="1", item=ITEM, form=form)


def test_the_same_question_is_offered_with_its_source() -> None:
    new = flat(Field("phone", "phone", "联系电话", role="applicant_phone"))
    source = earlier(PACKAGE, {"phone": "13812345678", "name": "张三"})

    (offer,) = offers(new, [source], TODAY)

    assert offer == Offer("phone", "联系电话", {"phone": "13812345678"}, source)


@pytest.mark.parametrize(
    ("field", "answer"),
    [
        (Field("since", "text", "起"), "2020-01-31"),  # the kind is another one
        (Field("from", "date", "起"), "2020-01-31"),  # the name is another one
        (Field("since", "date", "起", subject="wife"), "2020-01-31"),  # hers, not his
        (Field("phone", "phone", "电话"), "13812345678"),  # not the applicant's
        (Field("size", "integer", "人口", maximum="3"), "4"),  # no longer allowed
        (Field("sex", "choice", "性别", choices=(Choice("f", "女"),)), "male"),  # gone
        (Field("photo", "file", "照片"), SHA),  # nobody says which paper it is
    ],
)
def test_what_does_not_mean_the_same_is_not_offered(field: Field, answer: str) -> None:
    source = earlier(PACKAGE, {field.key: answer})

    assert offers(flat(field), [source], TODAY) == []


def test_a_role_means_the_same_under_any_name() -> None:
    new = flat(Field("wife_phone", "phone", "女方电话", role="applicant_phone"))

    found = offers(new, [earlier(PACKAGE, {"phone": "13812345678"})], TODAY)

    assert said(found) == {"wife_phone": {"wife_phone": "13812345678"}}


def test_the_case_that_was_verified_last_is_offered_and_older_ones_fill_its_gaps() -> (
    None
):
    old = earlier(PACKAGE, {"size": "4", "income": "860.00"}, 1)
    new = earlier(PACKAGE, {"size": "5"}, 2)

    for order in ([old, new], [new, old]):
        found = offers(PACKAGE, order, TODAY)

        assert said(found) == {"size": {"size": "5"}, "income": {"income": "860.00"}}
        assert [one.source for one in found] == [new, old]


def test_a_file_goes_on_as_the_same_paper_only() -> None:
    photo = Field("photo", "file", "照片")
    bag = Field("papers", "file", "材料照片")
    print_ = Material("photo_print", "一寸照", proves=("photo",))
    old = earlier(
        flat(photo, bag, materials=(print_,)), {"photo": SHA, "papers": OTHER_SHA}
    )
    picture = Field("picture", "file", "近照")
    same = Material("photo_print", "一寸照", proves=("picture",))
    other = Material("photo_big", "二寸照", proves=("picture",))

    assert said(offers(flat(picture, bag, materials=(same,)), [old], TODAY)) == {
        "picture": {"picture": SHA}
    }
    assert offers(flat(picture, bag, materials=(other,)), [old], TODAY) == []


def test_a_file_that_is_not_here_or_too_large_is_not_offered() -> None:
    package = flat(
        Field("photo", "file", "照片"), materials=(Material("photo", "照片"),)
    )
    answers = {"photo": f"{SHA} {OTHER_SHA}"}
    lost = replace(earlier(package, answers), files={OTHER_SHA: SMALL})
    huge = Scan("照片.jpg", package.item.file_limit_bytes + 1)
    large = replace(earlier(package, answers), files={SHA: huge})

    assert said(offers(package, [lost], TODAY)) == {"photo": {"photo": OTHER_SHA}}
    assert offers(package, [large], TODAY) == []


def test_a_promise_is_never_offered() -> None:
    body = '<trigger ref="/data/truth"><label>属实</label></trigger>'
    form = read_form(xform("<truth/>", "", body))
    package = Package(format=FORMAT, version="1", item=ITEM, form=form)

    assert offers(package, [earlier(package, {"truth": "OK"})], TODAY) == []


def test_a_repeat_is_offered_as_a_whole_with_what_still_fits() -> None:
    old = earlier(
        family(counted=False),
        {
            "member/001-abcd/who": "张三",
            "member/001-abcd/wages": "300",
            "member/002-efgh/who": "李四",
        },
    )

    (offer,) = offers(family(counted=False, questions="who health"), [old], TODAY)

    assert (offer.key, offer.label, offer.count) == ("member", "家庭成员", 2)
    assert offer.answers == {
        "member/001-abcd/who": "张三",
        "member/002-efgh/who": "李四",
    }


def test_a_counted_repeat_comes_with_its_count_and_the_numbers_of_the_form() -> None:
    by_hand = {"member/001-abcd/who": "张三", "member/003-efgh/who": "李四"}
    old = earlier(family(counted=False), by_hand | {"size": "7"})

    (offer,) = offers(family(counted=True), [old], TODAY)

    assert offer.answers == {
        "size": "2",
        "member/001/who": "张三",
        "member/002/who": "李四",
    }


def test_a_repeat_that_is_taken_over_replaces_what_was_there() -> None:
    old = earlier(family(counted=False), {"member/001-abcd/who": "张三"})
    (offer,) = offers(family(counted=False), [old], TODAY)
    before = {"size": "1", "member/001-zzzz/who": "赵六"}

    after = applied(before, [offer])

    assert present(before, offer) == {"member/001-zzzz/who": "赵六"}
    assert after == {"size": "1", "member/001-abcd/who": "张三"}


def test_what_stands_there_already_is_nothing_new() -> None:
    source = earlier(PACKAGE, {"size": "4", "income": "860.00"})
    size, income = offers(PACKAGE, [source], TODAY)

    assert not is_new({"size": "4"}, size)
    assert is_new({"size": "4"}, income)
