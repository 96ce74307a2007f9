from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from forms import remarks
from forms.errors import PackageRefused
from forms.item import Applicant, Item, Tier
from forms.material import Exemption, Material, Original, Proof
from forms.package import FORMAT, Package, decode, encode
from forms.service import (
    Code,
    CodeKind,
    Delivery,
    Fee,
    Member,
    Mode,
    OnlineDepth,
    Step,
    Urgent,
    counted_workdays,
)
from tests.forms.samples import ITEM, PACKAGE

CARD = ITEM.materials[0]
FEE = Fee("工本费", "每证 10 元", "某规定", "10")
FULL = replace(
    ITEM,
    category="行政许可",
    codes=(Code(CodeKind.BASE, "000131128000", "GB/T 39554.1-2020"),),
    other_applicants=(Applicant.HOUSEHOLD,),
    also_accept=(Tier.VILLAGE,),
    also_decide=(Tier.TOWN,),
    steps=(
        Step("受理", Tier.TOWN, 5),
        Step("公示", Tier.VILLAGE, 30, counted=False),
        Step("审核", Tier.DISTRICT, 10, department="公安局"),
        Step("核验", Tier.DISTRICT, 12, parallel=True),
    ),
    urgent=Urgent("急需用证", Tier.DISTRICT, 1),
    modes=(Mode.WINDOW, Mode.VISIT),
    online_depth=OnlineDepth.FULL,
    trips=0,
    delivery=(Delivery.POST,),
    result="证",
    fee="每证 10 元",
    fees=(FEE,),
    conditions=("年满 60 周岁",),
    procedure=("受理", "制证"),
    members=(Member("9", "另一个", "公安局"),),
    effective_on="2026-12-01",
    materials=(
        replace(
            CARD,
            original=Original.CHECKED,
            copy_count=1,
            issuer="公安机关",
            condition="年满 70 的提供",
            relevant="${size} > 3",
            exempt_by=(Exemption(Proof.CERTIFICATE, "居民身份证"),),
        ),
    ),
)


def packed(item: Item) -> Package:
    return replace(PACKAGE, item=item, format=FORMAT)


def changed_material(**changes: Any) -> dict[str, Any]:
    return {"materials": (replace(FULL.materials[0], **changes),)}


def test_an_item_that_says_everything_comes_back_as_it_went() -> None:
    assert decode(encode(packed(FULL))) == packed(FULL)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"category": "长" * 21}, "item.category"),
        ({"codes": (Code("magic", "1", "x"),)}, "item.codes[1].kind"),  # type: ignore[arg-type]
        ({"codes": (Code(CodeKind.BASE, "", "x"),)}, "item.codes[1].value"),
        ({"codes": FULL.codes * 2}, "item.codes[2].scheme"),
        ({"codes": FULL.codes * 11}, "item.codes"),
        ({"other_applicants": (Applicant.PERSON,)}, "item.other_applicants"),
        ({"other_applicants": (Applicant.COUPLE,) * 2}, "item.other_applicants"),
        ({"other_applicants": ("robot",)}, "item.other_applicants"),
        ({"also_accept": (Tier.TOWN,)}, "item.also_accept"),  # accepts already
        ({"also_decide": (Tier.TOWN, Tier.VILLAGE)}, "item.also_decide"),
        ({"also_decide": ("city",)}, "item.also_decide"),
        ({"collect": (Tier.TOWN,)}, "item.also_accept"),  # below who collects
        ({"same_day": True}, "item.same_day"),  # promises 30 working days
        ({"trips": -1}, "item.trips"),
        ({"trips": 21}, "item.trips"),
        ({"modes": (Mode.WINDOW,) * 2}, "item.modes"),
        ({"modes": ("drone",)}, "item.modes"),
        ({"delivery": ("drone",)}, "item.delivery"),
        ({"online_depth": "deep"}, "item.online_depth"),
        ({"conditions": ("",)}, "item.conditions[1]"),
        ({"procedure": ("a\nb",)}, "item.procedure[1]"),
        ({"result": "\u202e证"}, "item.result"),
        ({"effective_on": "2026-02-30"}, "item.effective_on"),
        ({"effective_on": "20261201"}, "item.effective_on"),
        ({"urgent": Urgent("", Tier.TOWN, 1)}, "item.urgent.when"),
        ({"urgent": Urgent("急", Tier.TOWN, 31)}, "item.urgent.workdays"),
        ({"urgent": Urgent("急", Tier.TOWN, 0)}, "item.urgent.workdays"),
        ({"urgent": Urgent("急", "city", 1)}, "item.urgent.approve"),  # type: ignore[arg-type]
        ({"steps": (Step("", Tier.TOWN, 1),)}, "item.steps[1].name"),
        ({"steps": (Step("受理", Tier.TOWN, -1),)}, "item.steps[1].workdays"),
        ({"steps": (Step("受理", "city", 1),)}, "item.steps[1].tier"),  # type: ignore[arg-type]
        ({"steps": (Step("受理", Tier.TOWN, 31),)}, "item.steps"),  # promised 30
        (
            {"steps": (Step("受理", Tier.TOWN, 1, parallel=True),)},
            "item.steps[1].parallel",
        ),
        ({"steps": (Step("受理", Tier.TOWN, 0),) * 51}, "item.steps"),
        ({"fee": "不收费"}, "item.fee"),
        ({"fees": (replace(FEE, basis=""),)}, "item.fees[1].basis"),
        ({"fees": (replace(FEE, amount_yuan="十元"),)}, "item.fees[1].amount_yuan"),
        ({"fees": (replace(FEE, amount_yuan="1.005"),)}, "item.fees[1].amount_yuan"),
        ({"members": (Member("9", "", "局"),)}, "item.members[1].name"),
        ({"members": FULL.members * 2}, "item.members[2].code"),
        ({"members": (Member(ITEM.code, "自己", "局"),)}, "item.members[1].code"),
        (changed_material(original="torn"), "item.materials[1].original"),
        (changed_material(copy_count=100), "item.materials[1].copy_count"),
        (changed_material(relevant="长" * 501), "item.materials[1].relevant"),
        (changed_material(relevant="${nobody} = 1"), "item.materials[1].relevant"),
        (
            changed_material(exempt_by=(Exemption("magic", "x"),)),  # type: ignore[arg-type]
            "item.materials[1].exempt_by[1].kind",
        ),
        (
            changed_material(exempt_by=(Exemption(Proof.DATA, "x", item="9"),)),
            "item.materials[1].exempt_by[1].item",
        ),
        (
            changed_material(exempt_by=(Exemption(Proof.DATA, "x"),) * 51),
            "item.materials[1].exempt_by",
        ),
    ],
)
def test_a_fault_of_an_item_is_named_by_its_place(
    changes: dict[str, Any], place: str
) -> None:
    with pytest.raises(PackageRefused) as caught:
        encode(packed(replace(FULL, **changes)))

    assert place in [fault.place for fault in caught.value.faults]


def test_all_faults_of_an_item_come_at_once() -> None:
    wrong = replace(FULL, trips=99, fee="不收费", effective_on="morgen", modes=("x",))

    with pytest.raises(PackageRefused) as caught:
        encode(packed(wrong))

    places = {fault.place for fault in caught.value.faults}
    assert places == {"item.trips", "item.fee", "item.effective_on", "item.modes"}


@pytest.mark.parametrize(
    ("steps", "days"),
    [
        ((), 0),
        (((3, False, True),), 3),
        (((3, False, True), (4, False, True)), 7),
        (((3, False, True), (4, True, True)), 4),  # side by side: the longer one
        (((5, False, True), (4, True, True), (2, False, True)), 7),
        (((3, False, True), (9, False, False)), 3),  # publicity is not counted
        (((9, False, False), (4, True, True)), 4),
    ],
)
def test_steps_side_by_side_are_counted_once(
    steps: tuple[tuple[int, bool, bool], ...], days: int
) -> None:
    made = [Step("环节", Tier.TOWN, n, "", beside, count) for n, beside, count in steps]

    assert counted_workdays(made) == days


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans(), st.booleans())))
@settings(deadline=None)
def test_steps_take_at_most_the_sum_of_their_days(
    steps: list[tuple[int, bool, bool]],
) -> None:
    made = [Step("环节", Tier.TOWN, n, "", beside, count) for n, beside, count in steps]
    counted = [n for n, _, count in steps if count]

    assert max(counted, default=0) <= counted_workdays(made) <= sum(counted)


@pytest.mark.parametrize(
    ("legal", "promised", "same_day", "fine"),
    [
        (20, 7, False, True),  # 35 %
        (20, 8, False, False),
        (30, 22, False, False),  # 73 %
        (1, 1, True, True),  # cannot be shorter
        (1, 1, False, False),
    ],
)
def test_a_promise_is_at_most_35_percent_of_the_legal_limit(
    legal: int, promised: int, same_day: bool, fine: bool
) -> None:
    item = replace(
        ITEM, legal_workdays=legal, promise_workdays=promised, same_day=same_day
    )

    assert remarks.keeps_share(item) is fine
    said = [fault for fault in remarks.of_item(item) if "35 %" in fault.message]
    assert bool(said) is not fine


def test_what_is_worth_a_second_look_is_no_fault() -> None:
    item = replace(
        ITEM,
        codes=(Code(CodeKind.BASE, "XK00001000", "贵州 DB52/T 1264-2018"),),
        fee="每证 10 元",
        materials=(Material("photo", "照片", required=False),),
    )

    encode(packed(item))
    places = {fault.place for fault in remarks.of_item(item)}

    assert places == {
        *("promise_workdays", "legal_basis", "conditions", "procedure", "fee"),
        *("codes[1].value", "materials[1].review", "materials[1].condition"),
    }


def test_other_items_are_spoken_of_by_code_and_name() -> None:
    other = replace(ITEM, code="9", name="出生登记")
    paper = Material(
        "proof", "证明", exempt_by=(Exemption(Proof.RESULT, "出生登记证明", "9"),)
    )
    joint = replace(
        ITEM,
        members=(Member("9", "出生登计", "局"), Member("7", "别处的", "局")),
        materials=(paper,),
    )

    found = remarks.of_catalog([other, joint])

    assert [(item.name, fault.place) for item, fault in found] == [
        (joint.name, "members[1].code"),
        (joint.name, "members[2].code"),
    ]
    assert "叫“出生登记”" in found[0][1].message
    assert "目录里没有" in found[1][1].message
    alone = remarks.of_catalog([joint])
    assert "materials[1].exempt_by[1].item" in [fault.place for _, fault in alone]
