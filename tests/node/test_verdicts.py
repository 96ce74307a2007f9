"""Verdicts: what must wait for what, and that the way of an entry has no say."""

from collections.abc import Iterable

import msgspec
import pytest

from node import upkeep
from node.cases import open_case
from node.lifecycle import State, Step, encode_event
from node.wiring import Node
from sync.actor import actor_of
from sync.stream import StreamId
from sync.worker import Job, Outcome
from tests.node.forge import (
    as_if_upon,
    birth,
    chunk_of,
    copy_at,
    copy_of,
    hash_of,
    last_op_of,
    package_of,
    parcel,
    put_entries,
    put_entry,
    send,
    with_dependency,
)
from tests.node.nodes import (
    ELDER,
    TOWN,
    VILLAGE,
    Three,
    causes,
    digests,
    enrolled,
    reopen,
    sandbox,
    shared_digests,
    step,
    story,
    submit,
    sync,
    sync_all,
)

# -- waiting -----------------------------------------------------------------------


def _stream(node: Node, scope: str = VILLAGE) -> StreamId:
    return StreamId(node.id, 1, scope)


def test_a_change_waits_for_what_it_builds_upon_and_is_applied_then(
    nodes: Three,
) -> None:
    village, town, district = nodes.village, nodes.town, nodes.district
    case = submit(village)
    sync(village, town)
    step(town, case.id, Step.AMEND, remark="镇里补充")
    sync(village, town)
    step(village, case.id, Step.AMEND, home_address="新址")

    # The district hears the village first, which builds upon the town's change.
    send(village, district, parcel([chunk_of(village, _stream(village))]))
    waiting = district.store.documents.all_pending(10)
    assert [(row.waits_for, row.name) for row in waiting] == [
        ("change", hash_of(_raw(town, case.id, 1)))
    ]
    assert [(row.author, row.document.hex()) for row in waiting] == [
        (village.id, case.id)
    ]
    assert "home_address" not in _changed_fields(district, case.id, case.fields)
    send(village, district, parcel([chunk_of(village, _stream(town))]))

    assert district.store.documents.counts() == (0, 0)
    sync_all(nodes)
    assert shared_digests(village, district)
    assert open_case(district, case.id).fields["home_address"] == "新址"
    assert upkeep.verify(district).faults == ()


def _raw(node: Node, case: str, index: int) -> bytes:
    payload = node.store.journal.entries_of(bytes.fromhex(case))[index].entry.payload
    assert payload is not None
    return payload


def _changed_fields(node: Node, case: str, before: dict[str, str]) -> set[str]:
    now = open_case(node, case).fields
    return {key for key in now if now[key] != before.get(key)}


def test_a_change_that_builds_upon_nothing_known_waits_and_harms_nobody(
    nodes: Three,
) -> None:
    case = submit(nodes.village)
    copy = copy_of(nodes.village, case.id)
    (head,) = copy.document.heads()
    raw = copy.write(nodes.village, "amend", {"remark": "无根"})

    put_entry(nodes.village, copy.id, with_dependency(raw, head, b"\xab" * 32))
    good = submit(nodes.village)
    sync_all(nodes)

    for node in (nodes.town, nodes.district):
        assert node.store.documents.counts() == (1, 0)
        assert node.store.cases.get(good.row.document) is not None
        assert open_case(node, case.id).fields == case.fields
    assert shared_digests(nodes.town, nodes.district)


def test_an_entry_that_names_a_newer_roster_waits_for_it(nodes: Three) -> None:
    case = submit(nodes.village)
    copy = copy_of(nodes.village, case.id)
    raw = copy.write(nodes.village, "amend", {"remark": "新名册"})
    newer = nodes.village.roster.version + 1
    put_entry(nodes.village, copy.id, raw, roster_version=newer)

    sync(nodes.village, nodes.town)
    (waiting,) = nodes.town.store.documents.all_pending(5)
    assert (waiting.waits_for, waiting.name) == ("roster", str(newer).encode())
    # Somebody is enrolled: the roster comes to that version, and the town hears it.
    third = nodes.path / "third"
    enrolled(nodes.district, third, "village", "330881105203", "第三村").close()
    sync_all(nodes)

    for node in (nodes.town, nodes.district):
        assert node.store.documents.counts() == (0, 0)
        assert open_case(node, case.id).fields["remark"] == "新名册"
    assert shared_digests(nodes.town, nodes.district)


def test_a_case_whose_form_is_not_here_waits_for_the_form(nodes: Three) -> None:
    from forms.package import decode, encode

    old = nodes.district.store.registry.current_packages()[0]
    package = decode(old.body)
    newer = msgspec.structs.replace(package, version=str(int(package.version) + 1))
    upkeep.publish(nodes.district, [newer])
    digest = nodes.district.store.registry.current_packages()[0].digest
    assert digest != old.digest and encode(newer) is not None
    # The village has the new form by stick, the town has it not.
    send(
        nodes.district,
        nodes.village,
        parcel([chunk_of(nodes.district, _stream(nodes.district, "public"))]),
    )
    document, _, raw = birth(nodes.village, digest)
    put_entry(nodes.village, document, raw)

    send(
        nodes.village,
        nodes.town,
        parcel([chunk_of(nodes.village, _stream(nodes.village))]),
    )
    (waiting,) = nodes.town.store.documents.all_pending(5)
    assert (waiting.waits_for, waiting.name) == ("package", digest.encode())
    sync_all(nodes)

    for node in (nodes.town, nodes.district):
        assert node.store.documents.counts() == (0, 0)
        assert node.store.cases.get(document) is not None
    assert shared_digests(nodes.town, nodes.district)


def test_an_entry_of_an_unknown_kind_is_kept_and_passed_on_untouched(
    nodes: Three,
) -> None:
    payload = b"\x00\xff something of a later version"
    put_entry(nodes.village, b"\x01" * 16, payload, kind="later-kind")

    case = submit(nodes.village)
    sync_all(nodes)

    stream = _stream(nodes.village)
    for node in (nodes.town, nodes.district):
        (stored,) = (
            one
            for one in node.store.journal.entries(stream, 1, 9)
            if one.entry.kind == "later-kind"
        )
        assert (stored.entry.payload, stored.verdict) == (payload, "kept")
        assert node.store.cases.get(case.row.document) is not None
        assert causes(node) == []
        assert upkeep.verify(node).faults == ()


def test_nobody_else_can_speak_in_a_village_s_stream(nodes: Three) -> None:
    """The other village signs entries and says that they are its neighbour's."""
    case = submit(nodes.village)
    sync_all(nodes)
    other = nodes.other_village
    document, _, raw = birth(other, package_of(other, ELDER), scope=VILLAGE)

    put_entry(other, document, raw, scope=VILLAGE)
    chunk = chunk_of(other, StreamId(other.id, 1, VILLAGE))
    before = digests(nodes.town)
    send(other, nodes.town, parcel([chunk]))

    assert digests(nodes.town) | {TOWN: ""} == before | {TOWN: ""}
    assert nodes.town.store.refusals.count() == 1
    assert nodes.town.store.cases.get(document) is None
    assert open_case(nodes.town, case.id).story.state is State.SUBMITTED


# -- verdicts must not depend on the way -------------------------------------------


def test_which_of_two_equal_numbers_stands_does_not_depend_on_the_way(
    nodes: Three,
) -> None:
    village, town, district = nodes.village, nodes.town, nodes.district
    case = submit(village)
    sync(village, town)
    step(town, case.id, Step.AMEND, remark="镇里补充")
    sync(village, town)
    upon_town, upon_birth = copy_of(village, case.id), copy_at(village, case.id, 1)
    actor = actor_of(village.id, bytes(8))
    one = upon_town.write(village, "amend", {"home_address": "甲"}, actor=actor)
    two = upon_birth.write(village, "amend", {"home_address": "乙"}, actor=actor)
    put_entries(village, [(upon_town.id, one), (upon_town.id, two)])

    sync(village, town)
    send(village, district, parcel([chunk_of(village, _stream(village))]))
    sync(town, district)

    assert shared_digests(town, district)


def test_a_verdict_does_not_depend_on_how_bundles_are_cut(nodes: Three) -> None:
    village, town, district = nodes.village, nodes.town, nodes.district
    case = submit(village)
    sync_all(nodes)
    actor = actor_of(village.id, bytes(8))
    one, two = copy_of(village, case.id), copy_of(village, case.id)
    event_id, event = one.event(village, "amend")
    bad = one.document.write(
        actor, {"events": {event_id: encode_event(event)}, "number": "9"}
    )
    good = two.write(village, "amend", {"remark": "甲"}, actor=actor)

    put_entry(village, one.id, bad)
    sync(village, town)
    put_entry(village, one.id, good)
    sync(village, town)
    sync(town, district)

    assert causes(town) == causes(district)
    assert shared_digests(town, district)


def test_what_was_refused_does_not_count_against_what_came_with_it(
    nodes: Three,
) -> None:
    village, town, district = nodes.village, nodes.town, nodes.district
    case = submit(village)
    sync_all(nodes)

    # Both upon the same state: the second leaves the first out, which is refused.
    for what, note in (("deliver", ""), ("withdraw", "不办了")):
        copy = copy_of(district, case.id)
        put_entry(village, copy.id, copy.write(village, what, note=note))
        sync(village, town)
    sync(town, district)

    for node in (town, district):
        assert causes(node) == ["step"]
        assert open_case(node, case.id).story.state is State.WITHDRAWN
        assert upkeep.verify(node).faults == ()


def test_nobody_overwrites_what_he_says_he_has_not_seen(nodes: Three) -> None:
    village, town, district = nodes.village, nodes.town, nodes.district
    case = submit(village)
    sync(village, town)
    step(town, case.id, Step.AMEND, remark="镇里补充")
    sync(village, town)
    full, base = copy_of(village, case.id), copy_at(village, case.id, 1)
    (head,) = base.document.heads()
    answers = {"contact_name": "甲", "home_address": "乙", "remark": "盖掉"}
    event_id, event = base.event(village, "amend", fields=tuple(sorted(answers)))
    # The remark comes last, so that it bears a higher number than what it overwrites.
    raw = full.document.write(
        actor_of(village.id, bytes(8)),
        {"fields": answers, "events": {event_id: encode_event(event)}},
    )
    last_op = last_op_of(_raw(village, case.id, 0))
    put_entry(village, base.id, as_if_upon(raw, head, last_op))

    sync(village, town)
    send(village, district, parcel([chunk_of(village, _stream(village))]))
    sync(town, district)

    assert causes(town) == causes(district) != []
    assert shared_digests(town, district)


def test_an_event_cannot_be_replaced_from_a_branch_that_has_not_seen_it(
    nodes: Three,
) -> None:
    village = nodes.village
    case = submit(village)
    base = copy_of(village, case.id)
    step(village, case.id, Step.WITHDRAW, "申请人不办了")
    sync_all(nodes)
    event_id, _, _ = story(nodes.town, case.id)[-1]
    told = story(nodes.town, case.id)

    raw = base.write(
        village,
        "amend",
        actor=actor_of(village.id, b"\xff" * 8),
        event_id=event_id,
        at=int(event_id.partition("-")[2]),
    )
    put_entry(village, base.id, raw)
    sync_all(nodes)

    assert story(nodes.town, case.id)[: len(told)] == told
    assert open_case(nodes.town, case.id).story.state is State.WITHDRAWN


def test_a_revocation_cuts_the_same_entries_on_every_node(nodes: Three) -> None:
    from node import journal
    from node.roster import take_step
    from sync.canonical import encode
    from sync.identity import Revocation, sign_roster_entry

    village, town, district = nodes.village, nodes.town, nodes.district
    submit(village)
    sync(village, town)
    revocation = sign_roster_entry(
        district.secrets.root_key,
        district.roster.version + 1,
        "revoke",
        encode(Revocation(village.id, 1, 1)),
    )
    with district.store.transaction():
        journal.append(
            district, "public", "roster", b"", encode(revocation), district.now_ms()
        )
        take_step(district, revocation)

    for _ in range(2):
        sync(town, district)

    assert causes(town) == causes(district) == ["revoked"]
    assert shared_digests(town, district)


def test_a_revoked_node_is_not_spoken_with(nodes: Three) -> None:
    from node import journal
    from node.roster import take_step
    from sync.canonical import encode
    from sync.errors import NotTrusted
    from sync.identity import Revocation, sign_roster_entry

    district = nodes.district
    revocation = sign_roster_entry(
        district.secrets.root_key,
        district.roster.version + 1,
        "revoke",
        encode(Revocation(nodes.village.id, 1, 1)),
    )
    with district.store.transaction():
        journal.append(
            district, "public", "roster", b"", encode(revocation), district.now_ms()
        )
        take_step(district, revocation)
    sync(nodes.town, district)
    submit(nodes.village)

    with pytest.raises(NotTrusted):
        sync(nodes.village, nodes.town)

    assert nodes.town.store.documents.count() == 0
    assert "revoked" in nodes.town.store.refusals.newest(1)[0][3]


def test_what_begins_to_wait_while_its_part_arrives_is_not_forgotten(
    nodes: Three,
) -> None:
    village, town, district = nodes.village, nodes.town, nodes.district
    case = submit(village)
    sync(village, town)
    step(town, case.id, Step.ACCEPT)
    born = chunk_of(village, _stream(village))
    accepted = chunk_of(town, _stream(town))
    process = reopen(district.home.path, nodes.clock)

    class Meanwhile:
        """Another process absorbs the acceptance while the birth is being judged."""

        def run(self, jobs: Iterable[Job]) -> list[Outcome]:
            asked = list(jobs)
            district.sandbox = sandbox()
            send(town, process, parcel([accepted]))
            return sandbox().run(asked)

    district.sandbox = Meanwhile()  # type: ignore[assignment]
    try:
        send(village, district, parcel([born]))
    finally:
        process.close()

    assert district.store.documents.counts() == (0, 0)
    assert open_case(district, case.id).story.state is State.ACCEPTED
