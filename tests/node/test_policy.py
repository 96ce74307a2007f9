"""What an enrolled village writes with its own key and another program.

Every receiver sets exactly that aside, with the same word; all else goes on.
"""

from collections.abc import Callable

import pytest
from msgspec import structs

from forms.item import Tier
from forms.service import Urgent
from node import casework, upkeep
from node.cases import open_case
from node.errors import AnswersWrong, StepRefused
from node.facts import TOTAL_LIMIT, written_length
from node.lifecycle import NOTE_LIMIT, Event, State, Step, encode_event
from node.material import Material, encode_material
from node.policy import NAME_LIMIT
from sync.actor import actor_of, document_id
from sync.change import read_change
from sync.pieces import FILE_LIMIT_BYTES
from tests.node.forge import (
    birth,
    bundle_for,
    copy_of,
    file_text,
    item_of,
    package_of,
    put_entries,
    put_entry,
    repaired,
)
from tests.node.nodes import (
    ELDER,
    TOWN,
    VILLAGE,
    Three,
    answer,
    causes,
    rows,
    shared_digests,
    step,
    story,
    submit,
    sync,
    sync_all,
)
from tests.shipping import shipped_packages
from tui.messages import sentence

Forged = tuple[bytes, bytes]
"""(document id, change)."""


def _granted(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(n.village, "grant")


def _accepted(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(n.village, "accept")


def _wrong_state(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(n.village, "deliver")


def _unknown_step(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(n.village, "approve")


def _no_reason(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(n.village, "withdraw", note=" ")


def _others_event_id(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    _, event = copy.event(n.village, "amend")
    stolen = f"{n.town.id.hex()[:16]}-{event.at}"
    return copy.id, copy.write(n.village, "amend", event_id=stolen, at=event.at)


def _other_time_in_id(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    event_id, event = copy.event(n.village, "amend")
    return copy.id, copy.write(n.village, "amend", event_id=event_id, at=event.at + 1)


def _rewritten_event(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    (event_id,) = copy.events
    at = int(event_id.partition("-")[2])
    return copy.id, copy.write(n.village, "amend", event_id=event_id, at=at)


def _two_events(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    event_id, event = copy.event(n.village, "amend")
    second = Event("amend", event.at + 1, "x", (event_id,), event.clock + 1)
    more = {"events": {f"{n.village.id.hex()[:16]}-{second.at}": encode_event(second)}}
    return copy.id, copy.write(n.village, "amend", event_id=event_id, more=more)


def _no_event(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    actor = actor_of(n.village.id, bytes(8))
    return copy.id, copy.document.write(actor, {"fields": {"name": "赵六"}})


def _unreadable_event(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    key = f"{n.village.id.hex()[:16]}-{n.clock()}"
    actor = actor_of(n.village.id, bytes(8))
    return copy.id, copy.document.write(actor, {"events": {key: "准予"}})


def _unknown_field(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(n.village, "amend", {"approved": "yes"})


def _note_as_field(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(n.village, "amend", {"notice": "只是说明"})


def _number_as_field(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    event_id, event = copy.event(n.village, "amend", fields=("name",))
    return copy.id, copy.document.write(
        actor_of(n.village.id, bytes(8)),
        {"events": {event_id: encode_event(event)}, "fields": {"name": 7}},
    )


def _long_field(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(n.village, "amend", {"remark": "长" * 16_385})


def _unnamed_field(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(n.village, "amend", {"name": "赵六"}, fields=())


def _only_named_field(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(n.village, "amend", None, fields=("name",))


def _fields_with_withdrawal(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(n.village, "withdraw", {"name": "赵六"})


def _material_with_withdrawal(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    more = {"materials": {"a" * 64: "{}"}}
    return copy.id, copy.write(n.village, "withdraw", more=more)


def _material_with_odd_name(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    more = {"materials": {"../../etc/passwd": "{}"}}
    return copy.id, copy.write(n.village, "amend", more=more)


def _with_files(n: Three, case: str, files: dict[str, str]) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(n.village, "amend", more={"materials": files})


def _material_larger_than_travels(n: Three, case: str) -> Forged:
    return _with_files(n, case, {"a" * 64: '{"name":"a","size":20971521}'})


def _material_of_no_size(n: Three, case: str) -> Forged:
    return _with_files(n, case, {"a" * 64: '{"name":"a","size":0}'})


def _material_larger_than_the_item_allows(n: Three, case: str) -> Forged:
    limit = item_of(n.village, ELDER).file_limit_bytes
    assert limit < FILE_LIMIT_BYTES
    return _with_files(n, case, {"a" * 64: file_text(limit + 1)})


def _materials_larger_than_a_case_may_be(n: Three, case: str) -> Forged:
    item = item_of(n.village, ELDER)
    count = item.case_limit_bytes // item.file_limit_bytes
    files = {f"{n_:064x}": file_text(item.file_limit_bytes) for n_ in range(count)}
    return _with_files(n, case, files | {"f" * 64: file_text(1)})


def _material_with_a_long_name(n: Three, case: str) -> Forged:
    record = encode_material(Material("字" * 121, 9))
    return _with_files(n, case, {"a" * 64: record})


def _material_with_a_long_kind(n: Three, case: str) -> Forged:
    return _with_files(n, case, {"a" * 64: file_text(9, kind="k" * 41)})


def _material_that_says_more(n: Three, case: str) -> Forged:
    record = '{"name":"a","size":9,"run":"me"}'
    return _with_files(n, case, {"a" * 64: record})


def _material_without_a_text(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    more = {"materials": {"a" * 64: 9}}
    return copy.id, copy.write(n.village, "amend", more=more)  # type: ignore[arg-type]


def _others_actor(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(
        n.village, "amend", {"name": "赵六"}, actor=actor_of(n.town.id, bytes(8))
    )


def _short_actor(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(n.village, "amend", actor=n.village.id)


def _seen_nothing(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(n.village, "amend", seen=())


def _seen_what_is_not(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    (known,) = copy.events
    return copy.id, copy.write(n.village, "amend", seen=(known, "nobody-1"))


def _clock_ahead(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(n.village, "amend", clock=2**40)


def _clock_behind(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(n.village, "withdraw", clock=0)


def _long_note(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(n.village, "amend", note="长" * 2001)


def _fee_without_a_rule(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    facts = {"fee": "手续费", "yuan": "100", "receipt": "1"}
    return copy.id, copy.write(n.village, "fee", facts=facts)


def _paused_from_below(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    facts = {"kind": "expert"}
    return copy.id, copy.write(n.village, "pause", note="等", facts=facts)


def _says_what_nobody_asks(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(n.village, "amend", facts={"approved": "1"})


def _says_more_than_can_be_read(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    facts = {f"material/{number}": "collected" for number in range(1000)}
    return copy.id, copy.write(n.village, "check", facts=facts)


def _says_a_number(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    return copy.id, copy.write(n.village, "parcel", facts={"way": 1})


def _root_scalar(n: Three, case: str) -> Forged:
    copy = copy_of(n.village, case)
    event_id, event = copy.event(n.village, "amend")
    return copy.id, copy.document.write(
        actor_of(n.village.id, bytes(8)),
        {"events": {event_id: encode_event(event)}, "number": "1"},
    )


def _root_map_replaced(n: Three, case: str) -> Forged:
    """Replace `fields` by a map of this change's own, as the library would."""
    from automerge import core

    stored = n.village.store.documents.get(bytes.fromhex(case))
    assert stored is not None
    copy = copy_of(n.village, case)
    event_id, event = copy.event(n.village, "amend")
    inner = core.Document.load(stored.snapshot)
    inner.set_actor(actor_of(n.village.id, bytes(8)))
    heads = inner.get_heads()
    with inner.transaction() as tx:
        made = tx.put_object(core.ROOT, "fields", core.ObjType.Map)
        tx.put(made, "name", core.ScalarType.Str, "赵六")
        events = tx.get(core.ROOT, "events")[1]
        tx.put(events, event_id, core.ScalarType.Str, encode_event(event))
    return copy.id, inner.get_changes(heads)[-1].raw_bytes


def _field_deleted(n: Three, case: str) -> Forged:
    from automerge import core

    stored = n.village.store.documents.get(bytes.fromhex(case))
    assert stored is not None
    copy = copy_of(n.village, case)
    event_id, event = copy.event(n.village, "amend")
    inner = core.Document.load(stored.snapshot)
    inner.set_actor(actor_of(n.village.id, bytes(8)))
    heads = inner.get_heads()
    with inner.transaction() as tx:
        tx.delete(tx.get(core.ROOT, "fields")[1], "name")
        events = tx.get(core.ROOT, "events")[1]
        tx.put(events, event_id, core.ScalarType.Str, encode_event(event))
    return copy.id, inner.get_changes(heads)[-1].raw_bytes


def _begun_elsewhere(n: Three, _case: str) -> Forged:
    document, _, raw = birth(n.village, package_of(n.village, ELDER), scope=TOWN)
    return document, raw


def _id_of_another(n: Three, _case: str) -> Forged:
    _, _, raw = birth(n.village, package_of(n.village, ELDER))
    return document_id(actor_of(n.town.id, bytes(8)), VILLAGE), raw


def _born_again(n: Three, case: str) -> Forged:
    _, _, raw = birth(n.village, package_of(n.village, ELDER))
    return bytes.fromhex(case), raw


def _born_with_a_fourth_map(n: Three, _case: str) -> Forged:
    document, _, raw = birth(
        n.village,
        package_of(n.village, ELDER),
        change=lambda writes: writes.update(secret={"a": "b"}),
    )
    return document, raw


def _born_without_materials(n: Three, _case: str) -> Forged:
    document, _, raw = birth(
        n.village,
        package_of(n.village, ELDER),
        change=lambda writes: writes.pop("materials"),
    )
    return document, raw


def _born_in_another_schema(n: Three, _case: str) -> Forged:
    document, _, raw = birth(
        n.village,
        package_of(n.village, ELDER),
        change=lambda writes: writes.update(v=2),
    )
    return document, raw


def _born_granted(n: Three, _case: str) -> Forged:
    document, _, raw = birth(n.village, package_of(n.village, ELDER), what="grant")
    return document, raw


FORGERIES: list[tuple[Callable[[Three, str], Forged], str]] = [
    (_granted, "right or step"),  # not its step, nor in a state for it
    (_accepted, "right"),
    (_wrong_state, "step"),
    (_unknown_step, "step"),
    (_no_reason, "step"),
    (_others_event_id, "event"),
    (_other_time_in_id, "event"),
    (_rewritten_event, "event"),
    (_two_events, "shape"),
    (_no_event, "shape"),
    (_unreadable_event, "event"),
    (_unknown_field, "field"),
    (_note_as_field, "field"),
    (_number_as_field, "field"),
    (_long_field, "field"),
    (_unnamed_field, "field"),
    (_only_named_field, "shape"),
    (_fields_with_withdrawal, "right"),
    (_material_with_withdrawal, "right"),
    (_material_with_odd_name, "field"),
    (_material_larger_than_travels, "field"),
    (_material_of_no_size, "field"),
    (_material_larger_than_the_item_allows, "field"),
    (_materials_larger_than_a_case_may_be, "field"),
    (_material_with_a_long_name, "field"),
    (_material_with_a_long_kind, "field"),
    (_material_that_says_more, "field"),
    (_material_without_a_text, "field"),
    (_others_actor, "author"),
    (_short_actor, "author"),
    (_seen_nothing, "event"),
    (_seen_what_is_not, "event"),
    (_clock_ahead, "event"),
    (_clock_behind, "event"),
    (_long_note, "event"),
    (_fee_without_a_rule, "step"),
    (_paused_from_below, "right"),
    (_says_what_nobody_asks, "step"),
    (_says_more_than_can_be_read, "event or step"),
    (_says_a_number, "event"),
    (_root_scalar, "shape"),
    (_root_map_replaced, "shape"),
    (_field_deleted, "not-allowed"),
    (_begun_elsewhere, "author"),
    (_id_of_another, "author"),
    (_born_again, "author"),
    (_born_with_a_fourth_map, "shape"),
    (_born_without_materials, "shape"),
    (_born_in_another_schema, "shape"),
    (_born_granted, "right or step"),
]


@pytest.mark.parametrize(
    ("forge", "cause"), FORGERIES, ids=[f.__name__[1:] for f, _ in FORGERIES]
)
def test_what_a_village_may_not_write_is_set_aside_by_all_alike(
    nodes: Three, forge: Callable[[Three, str], Forged], cause: str
) -> None:
    village, town, district = nodes.village, nodes.town, nodes.district
    attacked = submit(village)
    sync_all(nodes)
    before = story(town, attacked.id)

    put_entries(village, [forge(nodes, attacked.id)])
    good = submit(village)
    report = sync(village, town)
    sync(town, district)

    for node in (town, district):
        assert len(causes(node)) == 1
        assert causes(node)[0] in cause.split(" or ")
        assert story(node, attacked.id) == before
        assert open_case(node, attacked.id).fields == attacked.fields
        assert node.store.cases.get(good.row.document) is not None
    assert report.refused == ()
    assert shared_digests(town, district)
    assert rows(town, "SELECT count(*) FROM cases") == [(2,)]
    # The stream goes on, and so does the case.
    step(town, attacked.id, Step.ACCEPT)
    sync_all(nodes)
    assert open_case(district, attacked.id).story.state is State.ACCEPTED
    upkeep.rebuild(district)
    assert causes(district) == causes(town)
    assert shared_digests(town, district)


def test_a_town_may_not_decide_what_the_district_decides(nodes: Three) -> None:
    case = submit(nodes.village)
    sync(nodes.village, nodes.town)
    step(nodes.town, case.id, Step.ACCEPT)
    step(nodes.town, case.id, Step.FORWARD)
    copy = copy_of(nodes.town, case.id)

    put_entry(nodes.town, copy.id, copy.write(nodes.town, "grant"), scope=VILLAGE)
    sync_all(nodes)

    assert causes(nodes.village) == causes(nodes.district) == ["right"]
    assert open_case(nodes.village, case.id).story.state is State.FORWARDED


def test_a_town_may_not_begin_a_case_in_the_scope_of_a_village(nodes: Three) -> None:
    document, _, raw = birth(nodes.town, package_of(nodes.town, ELDER), scope=VILLAGE)

    put_entry(nodes.town, document, raw, scope=VILLAGE)
    sync_all(nodes)

    assert causes(nodes.village) == causes(nodes.district) == ["scope"]


def test_what_builds_upon_something_set_aside_is_set_aside_too(nodes: Three) -> None:
    case = submit(nodes.village)
    sync_all(nodes)
    copy = copy_of(nodes.village, case.id)
    bad = copy.write(nodes.village, "accept")
    upon_it = copy.write(nodes.village, "forward")

    put_entries(nodes.village, [(copy.id, bad), (copy.id, upon_it)])
    sync_all(nodes)

    assert causes(nodes.town) == causes(nodes.district) == ["right", "depends"]
    assert shared_digests(nodes.town, nodes.district)


def test_the_same_change_twice_tells_its_event_once(nodes: Three) -> None:
    case = submit(nodes.village)
    copy = copy_of(nodes.village, case.id)
    raw = copy.write(nodes.village, "amend", {"remark": "一次"})

    put_entries(nodes.village, [(copy.id, raw), (copy.id, raw)])
    sync_all(nodes)
    put_entries(nodes.village, [(copy.id, raw)])
    sync_all(nodes)

    for node in (nodes.town, nodes.district):
        assert len(story(node, case.id)) == 2
        assert open_case(node, case.id).fields["remark"] == "一次"
        assert upkeep.verify(node).faults == ()
    assert shared_digests(nodes.town, nodes.district)


@pytest.mark.parametrize("cuts", [(2, 1), (1, 2)])
def test_a_repeated_change_has_one_verdict_however_bundles_are_cut(
    nodes: Three, cuts: tuple[int, ...]
) -> None:
    case = submit(nodes.village)
    sync_all(nodes)
    copy = copy_of(nodes.village, case.id)
    raw = copy.write(nodes.village, "amend", {"remark": "一次"})
    for count in cuts:
        put_entries(nodes.village, [(copy.id, raw)] * count)
        sync(nodes.village, nodes.town)
    sync(nodes.town, nodes.district)

    before = causes(nodes.town)
    upkeep.rebuild(nodes.town)

    assert causes(nodes.town) == causes(nodes.district) == before


def test_a_second_change_of_the_same_number_is_set_aside(nodes: Three) -> None:
    case = submit(nodes.village)
    actor = actor_of(nodes.village.id, bytes(8))
    one, two = copy_of(nodes.village, case.id), copy_of(nodes.village, case.id)
    first = one.write(nodes.village, "amend", {"remark": "甲"}, actor=actor)
    second = two.write(nodes.village, "amend", {"remark": "乙"}, actor=actor)

    put_entries(nodes.village, [(one.id, first), (one.id, second)])
    sync_all(nodes)

    for node in (nodes.town, nodes.district):
        assert causes(node) == ["duplicate"]
        assert open_case(node, case.id).fields["remark"] == "甲"


def test_a_change_that_skips_a_number_of_its_author_is_set_aside(
    nodes: Three,
) -> None:
    case = submit(nodes.village)
    actor = actor_of(nodes.village.id, bytes(8))
    copy = copy_of(nodes.village, case.id)
    raw = copy.write(nodes.village, "amend", {"remark": "甲"}, actor=actor)
    at = raw.index(actor) + len(actor)
    assert raw[at] == 1
    skipped = repaired(raw[:at] + b"\x07" + raw[at + 1 :])

    put_entry(nodes.village, copy.id, skipped)
    sync_all(nodes)

    assert len(causes(nodes.town)) == 1
    assert causes(nodes.town) == causes(nodes.district)
    assert open_case(nodes.district, case.id).fields == case.fields


def test_operations_that_bear_used_numbers_are_set_aside(nodes: Three) -> None:
    case = submit(nodes.village)
    actor = actor_of(nodes.village.id, bytes(8))
    copy = copy_of(nodes.village, case.id)
    first = copy.write(nodes.village, "amend", {"remark": "甲"}, actor=actor)
    second = copy.write(nodes.village, "amend", {"remark": "乙"}, actor=actor)
    at = second.index(actor) + len(actor) + 1
    used, own = read_change(first).start_op, read_change(second).start_op
    assert second[at] == own < 128
    twisted = repaired(second[:at] + bytes([used]) + second[at + 1 :])

    put_entries(nodes.village, [(copy.id, first), (copy.id, twisted)])
    sync_all(nodes)

    assert len(causes(nodes.town)) == 1
    assert causes(nodes.town) == causes(nodes.district)
    assert open_case(nodes.district, case.id).fields["remark"] == "甲"
    assert shared_digests(nodes.town, nodes.district)


# -- what honest writers may do must be what receivers take ------------------------


def test_a_note_that_is_kept_here_is_taken_everywhere(nodes: Three) -> None:
    case = submit(nodes.village)
    sync(nodes.village, nodes.town)

    try:
        step(nodes.town, case.id, Step.RETURN, "材料不全。" * 401)
    except Exception:  # noqa: BLE001 - a refusal here would be just as right
        return
    sync(nodes.village, nodes.town)

    assert causes(nodes.village) == []


def test_all_that_a_notice_may_say_is_taken_everywhere(nodes: Three) -> None:
    case = submit(nodes.village)
    sync(nodes.village, nodes.town)
    faults = {f"fault/{n}": "𠮷" * 195 for n in range(38)}
    faults["fault/last"] = "字" * (TOTAL_LIMIT - written_length(faults) - 16)
    nodes.town.operator = "镇" * NAME_LIMIT

    notice = {"note": "长" * NOTE_LIMIT, "facts": faults}
    casework.take_step(nodes.town, case.id, Step.RETURN, **notice)
    sync_all(nodes)

    assert written_length(faults) == TOTAL_LIMIT
    assert causes(nodes.village) == causes(nodes.district) == []
    assert open_case(nodes.village, case.id).story.state is State.RETURNED


@pytest.mark.parametrize(
    ("note", "count"),
    [
        ("请补", 41),  # more than a step may say
        ("\x01" * NOTE_LIMIT, 37),  # each is written with six letters
    ],
)
def test_more_than_a_receiver_takes_is_refused_where_it_is_written(
    nodes: Three, note: str, count: int
) -> None:
    case = submit(nodes.village)
    sync(nodes.village, nodes.town)
    said = {f"fault/{n}": "字" * 190 for n in range(count)}

    with pytest.raises((StepRefused, AnswersWrong)) as refused:
        casework.take_step(nodes.town, case.id, Step.RETURN, note=note, facts=said)

    assert "写短一些，或分几次写" in sentence(refused.value)
    assert open_case(nodes.town, case.id).story.state is State.SUBMITTED


def test_the_green_channel_is_opened_only_by_the_tier_that_the_item_names(
    nodes: Three,
) -> None:
    package = next(one for one in shipped_packages() if one.item.code == ELDER)
    urgent = Urgent("重点人群", Tier.DISTRICT, 1)
    item = structs.replace(package.item, urgent=urgent)
    upkeep.publish(nodes.district, [structs.replace(package, item=item)])
    sync_all(nodes)
    case = submit(nodes.village)
    sync_all(nodes)
    facts = {"approver": "王镇长"}

    with pytest.raises(StepRefused) as refused:
        casework.take_step(nodes.town, case.id, Step.HURRY, note="急", facts=facts)
    copy = copy_of(nodes.town, case.id)
    forged = copy.write(nodes.town, "hurry", facts=facts)
    put_entry(nodes.town, copy.id, forged, scope=VILLAGE)
    sync_all(nodes)
    casework.take_step(nodes.district, case.id, Step.HURRY, note="急", facts=facts)

    assert refused.value.why == "urgent"
    assert "要请区里来加急" in sentence(refused.value)
    assert causes(nodes.village) == causes(nodes.district) == ["step"]
    row = open_case(nodes.district, case.id).row
    assert row.is_urgent and not open_case(nodes.village, case.id).row.is_urgent


def test_an_operator_who_can_write_is_read_everywhere(nodes: Three) -> None:
    nodes.village.operator = "代办员" * 21

    try:
        submit(nodes.village)
    except Exception:  # noqa: BLE001 - a refusal here would be just as right
        return
    sync(nodes.village, nodes.town)

    assert causes(nodes.town) == []


def test_the_longest_honest_case_is_taken_everywhere(nodes: Three) -> None:
    long = {"remark": "注" * 200, "home_address": "𠮷" * 100, "name": "䶮" * 50}
    case = submit(nodes.village, **long)

    step(nodes.village, case.id, Step.WITHDRAW, "长" * 2000)
    sync_all(nodes)

    assert causes(nodes.town) == causes(nodes.district) == []
    assert open_case(nodes.district, case.id).fields == case.fields


def test_a_relay_may_be_left_out_and_the_verdicts_are_the_same(nodes: Three) -> None:
    case = submit(nodes.village)
    put_entries(nodes.village, [_accepted(nodes, case.id)])

    answer(
        nodes.district,
        bundle_for(nodes.village, nodes.district),
    )
    sync_all(nodes)

    assert causes(nodes.district) == causes(nodes.town) == ["right"]
    assert shared_digests(nodes.district, nodes.town)
