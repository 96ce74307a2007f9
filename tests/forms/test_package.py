import hashlib
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.errors import FormError, PackageRefused, PackageTooNew
from forms.item import Item, Tier
from forms.kinds import FLAT_KINDS
from forms.package import (
    FORMAT,
    MAX_BYTES,
    Choice,
    Field,
    Package,
    decode,
    digest,
    encode,
    format_of,
)
from tests.forms.samples import FIELDS, ITEM, PACKAGE, field
from tests.shipping import all_shipped_packages


def as_json(package: Package) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(encode(package))
    return content


def as_bytes(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def with_field(**changes: Any) -> Package:
    changed = msgspec.structs.replace(field("size"), **changes)
    fields = tuple(changed if f.key == "size" else f for f in FIELDS)
    return msgspec.structs.replace(PACKAGE, fields=fields)


def with_item(**changes: Any) -> Package:
    return msgspec.structs.replace(
        PACKAGE, item=msgspec.structs.replace(ITEM, **changes)
    )


def test_what_could_be_taken_for_another_question_names_its_group() -> None:
    elder = next(
        one for one in all_shipped_packages() if one.item.code == "332011001000"
    )

    called = {key: elder.full_label(key) for key in ("name", "phone", "contact_phone")}

    assert called == {
        "name": "老人·姓名",  # the contact has a name as well
        "phone": "联系电话",
        "contact_phone": "紧急联系人·电话",
    }
    assert elder.full_label("strange") == "strange"


def test_a_package_comes_back_as_it_went() -> None:
    assert decode(encode(PACKAGE)) == PACKAGE


def test_the_format_is_always_on_the_wire() -> None:
    assert encode(PACKAGE).startswith(b'{"format":1,')


def test_what_has_its_default_value_is_left_out() -> None:
    first = as_json(PACKAGE)["fields"][0]

    assert set(first) == {"key", "kind", "label", "required", "role"}


def test_the_digest_is_the_sha256_of_the_bytes() -> None:
    data = encode(PACKAGE)

    assert digest(data) == hashlib.sha256(data).hexdigest()


def test_the_digest_of_this_package_never_changes() -> None:
    # Cases name their form by digest: a new key must not change older packages.
    assert (
        digest(encode(PACKAGE))
        == "ec0f898dfa13db25dc1caa99c1d609a0ef437bb81d0a30b0ad4c4c6f55d95ee5"
    )


def test_an_item_that_says_more_needs_a_later_format() -> None:
    card = msgspec.structs.replace(ITEM.materials[0], issuer="公安机关")

    assert format_of(ITEM) == 1
    assert format_of(msgspec.structs.replace(ITEM, trips=0)) == 2
    assert format_of(msgspec.structs.replace(ITEM, materials=(card,))) == 2
    with pytest.raises(PackageRefused, match="format 应为 2 到"):
        encode(with_item(trips=0))
    later = msgspec.structs.replace(with_item(trips=0), format=2)
    assert decode(encode(later)) == later


def test_a_field_is_found_by_its_role() -> None:
    assert PACKAGE.field_of("applicant_id") == field("citizen_id")
    assert PACKAGE.field_of("applicant_shoe_size") is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"null",
        b"[1]",
        b"\xff",
        b'{"format":"1"}',
        b'{"format":1}',
        b'{"format":0}',
        b'{"format":' + b"9" * 5_000 + b"}",
        b'{"format":1,"a":' + b"[" * 200_000,
        b'{"format":1,"\xff":1}',
        encode(PACKAGE)[:-1],
        encode(PACKAGE) + b" ",
        encode(PACKAGE) + encode(PACKAGE),
        b"\xef\xbb\xbf" + encode(PACKAGE),
    ],
    ids=lambda data: f"{len(data)} bytes",
)
def test_bytes_that_are_no_package_are_refused(data: bytes) -> None:
    with pytest.raises(PackageRefused, match="没有装入任何内容"):
        decode(data)


def test_too_many_bytes_are_not_even_read() -> None:
    with pytest.raises(PackageRefused, match=f"最多 {MAX_BYTES} 字节"):
        decode(b"{" * (MAX_BYTES + 1))


def test_a_later_format_asks_for_an_upgrade() -> None:
    data = as_bytes({"format": FORMAT + 1, "whatever": [1, 2]})

    with pytest.raises(PackageTooNew, match="请升级程序") as caught:
        decode(data)

    assert (caught.value.found, caught.value.known) == (FORMAT + 1, FORMAT)


def reordered(content: dict[str, Any]) -> dict[str, Any]:
    return {"version": content.pop("version"), **content}


def default_spelt_out(content: dict[str, Any]) -> dict[str, Any]:
    content["fields"][0]["hint"] = ""
    return content


@pytest.mark.parametrize("change", [reordered, default_spelt_out])
def test_another_spelling_of_the_same_package_is_refused(
    change: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    data = as_bytes(change(as_json(PACKAGE)))

    with pytest.raises(PackageRefused, match="规范写法"):
        decode(data)


def test_a_key_that_occurs_twice_is_refused() -> None:
    data = encode(PACKAGE).replace(b'{"format":1,', b'{"format":1,"format":1,')

    with pytest.raises(PackageRefused, match="规范写法"):
        decode(data)


def test_an_unknown_key_is_refused() -> None:
    content = as_json(PACKAGE)
    content["fields"][0]["relevant"] = "true()"

    with pytest.raises(PackageRefused, match="relevant"):
        decode(as_bytes(content))


CHOICES = (Choice("a", "甲"), Choice("b", "乙"))


@pytest.mark.parametrize(
    ("package", "place"),
    [
        (msgspec.structs.replace(PACKAGE, format=FORMAT + 1), "format"),
        (msgspec.structs.replace(PACKAGE, format=0), "format"),
        (msgspec.structs.replace(PACKAGE, version="v1"), "version"),
        (msgspec.structs.replace(PACKAGE, version="１"), "version"),
        (msgspec.structs.replace(PACKAGE, fields=()), "fields"),
        (with_field(kind="magic"), "fields[4].kind"),
        (with_field(key="Size"), "fields[4].key"),
        (with_field(key="size\n"), "fields[4].key"),
        (with_field(key="s" * 41), "fields[4].key"),
        (with_field(key="name"), "fields[4].key"),  # the first field's
        (with_field(label=""), "fields[4].label"),
        (with_field(label=" "), "fields[4].label"),
        (with_field(label="长" * 101), "fields[4].label"),
        (with_field(label="家庭\u202e人口"), "fields[4].label"),
        (with_field(hint="\ud800"), "fields[4].hint"),
        (with_field(subject="Wife"), "fields[4].subject"),
        (with_field(role="applicant"), "fields[4].role"),
        (with_field(role="applicant_name"), "fields[4].role"),  # is no text
        (with_field(minimum="one"), "fields[4].minimum"),
        (with_field(minimum="1.5"), "fields[4].minimum"),
        (with_field(minimum="9" * 16), "fields[4].minimum"),
        (with_field(minimum="21"), "fields[4].maximum"),
        (with_field(max_length=5), "fields[4].max_length"),
        (with_field(choices=CHOICES), "fields[4].choices"),
        (with_field(kind="text", minimum="1", maximum=None), "fields[4].minimum"),
        (
            with_field(kind="text", minimum=None, maximum=None, max_length=0),
            "fields[4].max_length",
        ),
        (
            with_field(kind="text", minimum=None, maximum=None, max_length=2_001),
            "fields[4].max_length",
        ),
        (with_field(kind="date", minimum="tomorrow"), "fields[4].minimum"),
        (with_field(kind="date", minimum="0001-01-01"), "fields[4].minimum"),
        (with_field(kind="citizen_id", maximum="151"), "fields[4].maximum"),
        (with_field(kind="file", maximum="21"), "fields[4].maximum"),
        (with_field(kind="note", required=True), "fields[4].required"),
        (with_field(kind="choice"), "fields[4].choices"),
        (
            with_field(kind="choice", choices=(*CHOICES, Choice("a", "丙"))),
            "fields[4].choices[3]",
        ),
        (
            with_field(kind="choice", choices=(*CHOICES, Choice("c", "甲"))),
            "fields[4].choices[3]",
        ),
        (  # typed, 1 would mean the second choice by value, the first by place
            with_field(kind="choice", choices=(*CHOICES, Choice("1", "丙"))),
            "fields[4].choices[3]",
        ),
        (with_field(kind="choice", choices=(Choice(" a", "甲"),)), "choices[1].value"),
        (with_item(code=""), "item.code"),
        (with_item(guide="长" * 4_001), "item.guide"),
        (with_item(name="两\n行"), "item.name"),
        (with_item(applicant="robot"), "item.applicant"),
        (with_item(collect=()), "item.collect"),
        (with_item(collect=(Tier.TOWN, Tier.VILLAGE)), "item.collect"),
        (with_item(collect=(Tier.DISTRICT,)), "item.accept"),
        (with_item(decide=Tier.VILLAGE), "item.decide"),
        (with_item(accept="city"), "item.accept"),
        (with_item(legal_workdays=0), "item.legal_workdays"),
        (with_item(legal_workdays=10**30), "item.legal_workdays"),
        (with_item(promise_workdays=61), "item.promise_workdays"),
        (with_item(difficulty=-1), "item.difficulty"),
        (with_item(file_limit_kib=0), "item.file_limit_kib"),
        (with_item(file_limit_kib=20 * 1024 + 1), "item.file_limit_kib"),
        (with_item(case_limit_kib=2**30), "item.case_limit_kib"),
        (with_item(file_limit_kib=500, case_limit_kib=499), "item.case_limit_kib"),
        (with_item(image_side_px=199), "item.image_side_px"),
        (with_item(image_side_px=10_001), "item.image_side_px"),
        (with_item(keywords=("",)), "item.keywords[1]"),
        (with_item(keywords=("a",) * 51), "item.keywords"),
        (with_item(materials=ITEM.materials * 2), "item.materials[2].key"),
    ],
)
def test_a_package_with_a_fault_is_refused_by_its_place(
    package: Package, place: str
) -> None:
    with pytest.raises(PackageRefused) as caught:
        encode(package)

    assert place in str(caught.value)
    assert caught.value.faults


def test_an_item_that_says_nothing_of_files_has_the_usual_limits() -> None:
    item = decode(encode(with_item())).item

    assert item.file_limit_bytes == 20 * 2**20
    assert item.case_limit_bytes == 100 * 2**20
    assert item.image_side_px == 2000


def test_a_material_must_prove_a_field_that_is_asked() -> None:
    card = msgspec.structs.replace(ITEM.materials[0], proves=("name", "notice"))

    with pytest.raises(PackageRefused, match="'notice'"):
        encode(with_item(materials=(card,)))


def test_a_role_is_played_by_one_field() -> None:
    second = Field("other_name", "text", "曾用名", role="applicant_name")

    with pytest.raises(PackageRefused, match="与第 1 个重复"):
        encode(msgspec.structs.replace(PACKAGE, fields=(*FIELDS, second)))


def test_a_form_has_no_more_than_500_fields() -> None:
    fields = tuple(Field(f"f{n}", "text", "字") for n in range(501))
    package = msgspec.structs.replace(
        PACKAGE, item=msgspec.structs.replace(ITEM, materials=()), fields=fields
    )

    with pytest.raises(PackageRefused, match="现在 501 个"):
        encode(package)


def test_a_package_that_grew_too_large_is_refused() -> None:
    fields = tuple(Field(f"f{n}", "text", "字", hint="长" * 500) for n in range(480))
    package = msgspec.structs.replace(PACKAGE, fields=(*FIELDS, *fields))

    with pytest.raises(PackageRefused, match="字节"):
        encode(package)


def test_faults_are_refused_from_bytes_too() -> None:
    content = as_json(PACKAGE)
    content["fields"][0]["kind"] = "magic"

    with pytest.raises(PackageRefused, match=r"没有这种字段.*请升级程序"):
        decode(as_bytes(content))


LABELS = st.text(st.sampled_from("甲乙丙𠮷䶮·ab１ "), min_size=1, max_size=20)
LABELS = LABELS.filter(str.strip)
PLAIN_KINDS = [kind for kind in FLAT_KINDS if kind != "choice"]


@st.composite
def packages(draw: st.DrawFn) -> Package:
    keys = draw(
        st.lists(
            st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True),
            min_size=1,
            max_size=8,
            unique=True,
        )
    )
    fields = [
        Field(
            key,
            draw(st.sampled_from(PLAIN_KINDS)),
            draw(LABELS),
            hint=draw(st.one_of(st.just(""), LABELS)),
            subject=draw(st.none() | st.just("wife")),
        )
        for key in keys
    ]
    item: Item = msgspec.structs.replace(
        ITEM,
        materials=(),
        name=draw(LABELS),
        fee="".join(draw(st.sampled_from([["不收", "费"], ["10", "元"]]))),
        difficulty=draw(st.integers(0, 100)),
        file_limit_kib=draw(st.sampled_from([1, 500, 20 * 1024])),
        case_limit_kib=draw(st.sampled_from([20 * 1024, 100 * 1024])),
        image_side_px=draw(st.integers(200, 10_000)),
        keywords=tuple(draw(st.lists(LABELS, max_size=4))),
    )
    version = str(draw(st.integers(1, 10**16 - 1)))
    return Package(version=version, item=item, fields=tuple(fields))


@given(package=packages())
@settings(deadline=None)
def test_any_package_has_one_encoding(package: Package) -> None:
    data = encode(package)

    assert decode(data) == package
    assert encode(decode(data)) == data


@given(data=st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_are_a_package_or_refused(data: bytes) -> None:
    with pytest.raises(FormError):
        decode(data)


@given(position=st.integers(0, len(encode(PACKAGE)) - 1), byte=st.integers(0, 255))
@settings(deadline=None)
def test_a_changed_byte_never_gives_the_same_package(position: int, byte: int) -> None:
    data = bytearray(encode(PACKAGE))
    data[position] = byte

    try:
        other = decode(bytes(data))
    except PackageRefused:
        return

    assert encode(other) == bytes(data)
