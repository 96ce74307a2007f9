"""A draft whose form is published anew: nothing is lost, and nobody is forced."""

from pathlib import Path

import pytest
from msgspec import structs

from forms.item import Tier
from forms.moving import Fate, Why
from forms.package import Package, digest, encode
from node import drafting, in_force, intake, kept_answers, tidy, upkeep, versions
from node.cases import draft_row, open_case
from node.errors import NotFound, PackageDamaged, StepRefused
from node.lifecycle import Step
from node.store.drafts import Draft
from node.wiring import Node
from sync.identity import PUBLIC
from sync.stream import StreamId
from tests.forms.versions import ANSWERS, NEW, OLD, PUT_RIGHT
from tests.node.forge import chunk_of, parcel, refusals, send
from tests.node.nodes import Three, causes, reopen, rows, step, sync, sync_all, tamper

CODE = OLD.item.code


def published(nodes: Three, package: Package) -> str:
    """Publish a version to all; return its digest."""
    upkeep.publish(nodes.district, [package])
    sync_all(nodes)
    return digest(encode(package))


@pytest.fixture
def draft(nodes: Three) -> Draft:
    """A draft of the first version, after the second has come."""
    published(nodes, OLD)
    begun = drafting.begin_draft(nodes.village, CODE, ANSWERS)
    published(nodes, NEW)
    return begun


def stored(node: Node, draft: Draft) -> Draft:
    found = node.store.drafts.get(draft.document)
    assert found is not None
    return found


def test_a_draft_of_the_present_version_is_offered_nothing(nodes: Three) -> None:
    published(nodes, OLD)
    draft = drafting.begin_draft(nodes.village, CODE, ANSWERS)

    assert versions.renewal(nodes.village, draft) is None
    with pytest.raises(NotFound):
        versions.renew(nodes.village, draft)


def test_looking_at_the_change_changes_nothing(nodes: Three, draft: Draft) -> None:
    found = versions.renewal(nodes.village, draft)

    assert found is not None
    assert (found.old.version, found.new.version) == ("2026112101", "2026120101")
    assert found.old_at_ms < found.new_at_ms
    assert {turn.label: turn.fate for turn in found.moved.turns} == {
        "手机号码": Fate.CARRIED,
        "住址": Fate.CARRIED,
        "采伐原因": Fate.KEPT,
        "株数": Fate.WRONG,
        "林权证号": Fate.NEEDED,
        "备注": Fate.OPEN,
        "传真": Fate.KEPT,
        "现场照片": Fate.OPEN,
    }
    assert stored(nodes.village, draft) == draft


def test_a_renewed_draft_has_every_answer_in_the_form_or_beside_it(
    nodes: Three, draft: Draft
) -> None:
    renewed = versions.renew(nodes.village, draft)

    kept = kept_answers.of(nodes.village, draft.document)
    assert stored(nodes.village, draft) == renewed
    assert renewed.package == digest(encode(NEW))
    assert renewed.number == draft.number
    assert renewed.answers["address"] == ANSWERS["home"]
    assert [(one.key, one.shown, one.why) for one in kept] == [
        ("reason", "其他", Why.UNFIT),
        ("fax", "0570-4012345", Why.GONE),
    ]
    assert set(ANSWERS.values()) <= {
        *renewed.answers.values(),
        *(one.value for one in kept),
    }


def test_a_renewed_draft_is_submitted_by_the_new_version_and_keeps_the_rest_here(
    nodes: Three, draft: Draft
) -> None:
    renewed = versions.renew(nodes.village, draft)
    answers = {**renewed.answers, **PUT_RIGHT}
    renewed = drafting.save_draft(nodes.village, renewed, answers)

    case = drafting.submit_draft(nodes.village, renewed)
    sync_all(nodes)

    at_town = open_case(nodes.town, case.id)
    assert at_town.package == NEW
    assert "0570-4012345" not in at_town.fields.values()
    kept = kept_answers.of(nodes.village, case.row.document)
    assert [one.key for one in kept] == ["reason", "fax"]
    assert kept_answers.of(nodes.town, case.row.document) == ()


def test_a_draft_may_still_be_submitted_by_its_old_version(
    nodes: Three, draft: Draft
) -> None:
    case = drafting.submit_draft(nodes.village, draft)
    sync_all(nodes)

    for node in (nodes.village, nodes.town):
        found = open_case(node, case.id)
        assert found.package == OLD
        assert found.fields["fax"] == ANSWERS["fax"]
        assert causes(node) == []


def test_a_returned_case_is_put_right_in_the_version_it_was_submitted_with(
    nodes: Three,
) -> None:
    published(nodes, OLD)
    draft = drafting.begin_draft(nodes.village, CODE, ANSWERS)
    case = drafting.submit_draft(nodes.village, draft)
    sync_all(nodes)
    step(nodes.town, case.id, Step.RETURN, "传真少一位")
    published(nodes, NEW)

    again = step(nodes.village, case.id, Step.SUBMIT, fax="0570-40123456")
    sync_all(nodes)

    assert again.package == OLD
    assert open_case(nodes.town, case.id).fields["fax"] == "0570-40123456"
    assert causes(nodes.town) == []


def test_all_versions_stay_where_they_are_and_come_back_with_a_rebuild(
    nodes: Three, draft: Draft
) -> None:
    upkeep.rebuild(nodes.village)

    for package in (OLD, NEW):
        assert nodes.village.package(digest(encode(package))) == package
    assert in_force.find_package(nodes.village, CODE).version == NEW.version
    assert versions.has_newer(nodes.village, CODE, draft.package)


def test_what_is_kept_outlives_a_rebuild(nodes: Three, draft: Draft) -> None:
    versions.renew(nodes.village, draft)

    upkeep.rebuild(nodes.village)

    kept = kept_answers.of(nodes.village, draft.document)
    assert [one.key for one in kept] == ["reason", "fax"]


def test_the_draft_on_disk_is_moved_and_not_the_one_that_was_shown(
    nodes: Three, draft: Draft
) -> None:
    drafting.save_draft(nodes.village, draft, {**ANSWERS, "home": "上塘村 9 号"})

    renewed = versions.renew(nodes.village, draft)

    assert renewed.answers["address"] == "上塘村 9 号"


def test_a_draft_that_is_gone_is_not_renewed(nodes: Three, draft: Draft) -> None:
    drafting.drop_draft(nodes.village, draft)

    with pytest.raises(NotFound):
        versions.renew(nodes.village, draft)
    assert kept_answers.of(nodes.village, draft.document) == ()


def test_who_may_no_longer_take_the_item_in_keeps_the_draft_as_it_is(
    nodes: Three,
) -> None:
    published(nodes, OLD)
    draft = drafting.begin_draft(nodes.village, CODE, ANSWERS)
    item = structs.replace(NEW.item, collect=(Tier.TOWN,))
    published(nodes, structs.replace(NEW, item=item))

    with pytest.raises(StepRefused):
        versions.renew(nodes.village, draft)
    assert stored(nodes.village, draft) == draft


def test_a_file_of_a_question_that_is_gone_stays_until_its_draft_is_thrown_away(
    nodes: Three, tmp_path: Path
) -> None:
    village = nodes.village
    published(nodes, OLD)
    paper = tmp_path / "照片.pdf"
    paper.write_bytes(b"%PDF-1.4 paper")
    name, _ = intake.take_in(village, paper, OLD.item)
    draft = drafting.begin_draft(village, CODE, {**ANSWERS, "photo": name})
    published(nodes, NEW)
    renewed = versions.renew(village, draft)

    nodes.clock.advance(2 * tidy.UNNAMED_FOR_MS)
    assert tidy.sweep(village) == 0
    assert intake.record_of(village, name) is not None

    drafting.drop_draft(village, renewed)
    assert intake.record_of(village, name) is None
    assert kept_answers.of(village, draft.document) == ()


def test_a_draft_that_gets_a_new_id_takes_along_what_is_kept(
    nodes: Three, draft: Draft
) -> None:
    versions.renew(nodes.village, draft)

    with nodes.village.store.transaction():
        drafting.rename_drafts(nodes.village)

    (renamed,) = nodes.village.store.drafts.all()
    assert renamed.document != draft.document
    assert len(kept_answers.of(nodes.village, renamed.document)) == 2
    assert kept_answers.of(nodes.village, draft.document) == ()


def test_a_renewal_that_comes_back_to_the_old_version_brings_all_back(
    nodes: Three, draft: Draft
) -> None:
    renewed = versions.renew(nodes.village, draft)
    published(nodes, OLD)

    again = versions.renew(nodes.village, renewed)

    assert again.package == draft.package
    assert again.answers == {
        key: text for key, text in ANSWERS.items() if key != "reason"
    }
    kept = kept_answers.of(nodes.village, draft.document)
    assert [(one.key, one.shown) for one in kept] == [("reason", "其他")]


# -- packages that were altered -----------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        # Still a package, and a canonical one: only its digest tells.
        "UPDATE packages SET body = CAST(replace(CAST(body AS TEXT), '林权证号', "
        "'银行卡号') AS BLOB) WHERE version = '2026120101'",
        "UPDATE packages SET body = x'7b7d' WHERE version = '2026120101'",
    ],
    ids=["another question", "nonsense"],
)
def test_an_altered_package_is_refused_by_name(
    nodes: Three, draft: Draft, change: str
) -> None:
    tamper(nodes.village, change)
    village = reopen(nodes.village.home.path, nodes.clock)

    try:
        faults = upkeep.verify(village).faults
        with pytest.raises(
            PackageDamaged, match=r"林木采伐申请 \(331164999000, version"
        ):
            versions.renewal(village, draft)
        with pytest.raises(PackageDamaged):
            drafting.begin_draft(village, CODE)
    finally:
        village.close()
    assert any("林木采伐申请" in fault and "2026120101" in fault for fault in faults)


def test_one_altered_package_harms_no_other_draft_and_a_rebuild_mends_it(
    nodes: Three, draft: Draft
) -> None:
    versions.renew(nodes.village, draft)
    tamper(
        nodes.village, "UPDATE packages SET body = x'00' WHERE version = '2026120101'"
    )
    village = reopen(nodes.village.home.path, nodes.clock)

    try:
        row = draft_row(village, stored(village, draft))
        other = drafting.begin_draft(village, "332011001000")
        upkeep.rebuild(village)
        mended = draft_row(village, stored(village, draft))
    finally:
        village.close()

    assert (row.item_name, row.applicant) == ("林木采伐申请", "")
    assert other.answers is not None
    assert mended.applicant == "张三丰"


def test_an_altered_publication_is_named_by_verify(nodes: Three, draft: Draft) -> None:
    ((entry,),) = rows(
        nodes.village, "SELECT entry FROM packages WHERE version = '2026120101'"
    )

    tamper(nodes.village, "UPDATE entries SET payload = x'7b7d' WHERE id = ?", entry)

    faults = upkeep.verify(nodes.village).faults
    assert any("林木采伐申请, 331164999000" in fault for fault in faults)


def test_a_publication_that_was_altered_on_its_way_is_not_taken(nodes: Three) -> None:
    published(nodes, OLD)
    upkeep.publish(nodes.district, [NEW])
    sync(nodes.town, nodes.district)
    stream = StreamId(nodes.district.id, 1, PUBLIC)
    whole = chunk_of(nodes.town, stream)
    altered = tuple(
        one.replace(b'"maximum":"30"', b'"maximum":"99"') if one else one
        for one in whole.payloads
    )
    assert altered != whole.payloads

    send(nodes.town, nodes.village, parcel([structs.replace(whole, payloads=altered)]))
    before = in_force.find_package(nodes.village, CODE).version
    told = refusals(nodes.village)
    sync_all(nodes)

    assert before == OLD.version
    assert told
    assert all("chunk" in word for word, _ in told)
    assert in_force.find_package(nodes.village, CODE).version == NEW.version
    assert nodes.village.package(digest(encode(NEW))) == NEW
