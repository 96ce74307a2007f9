"""A newer program opens the store: what an older one set aside is judged again."""

from collections.abc import Callable

import msgspec
import pytest

from forms import package as packages
from node import judge, policy, roster, upgrade, upkeep
from node.cases import open_case
from node.lifecycle import State, Step
from node.wiring import Node
from sync.canonical import encode
from sync.identity import sign_roster_entry
from sync.stream import StreamId
from tests.node.forge import birth, put_entry
from tests.node.nodes import (
    VILLAGE,
    Three,
    causes,
    digests,
    enrolled,
    reopen,
    rows,
    shared_digests,
    step,
    submit,
    sync,
    sync_all,
    tamper,
)


def upgraded(node: Node) -> Node:
    """Return the node as a newer program finds it."""
    node.close()
    version = upgrade.VERSION_SETTING
    older = reopen(node.home.path, node.now_ms)
    with older.store.transaction():
        older.store.registry.set_setting(version, b"0")
    older.close()
    return reopen(node.home.path, node.now_ms)


def shelf(node: Node) -> list[tuple[str, bytes, int]]:
    return [(q.cause, q.document, q.entry) for q in node.store.documents.quarantine(99)]


@pytest.mark.parametrize("order", ["town first", "district first"])
def test_what_a_newer_program_can_take_is_taken_on_every_node_that_runs_it(
    nodes: Three, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    long, good = submit(nodes.village), submit(nodes.village)
    step(nodes.village, long.id, Step.AMEND, remark="很长的说明")
    step(nodes.village, long.id, Step.AMEND, phone="13857099999")
    step(nodes.village, good.id, Step.AMEND, phone="13857088888")
    with monkeypatch.context() as older:
        older.setattr(policy, "NOTE_LIMIT", -1)  # which no event can keep
        sync_all(nodes)
    assert causes(nodes.town) == causes(nodes.district)
    assert len(causes(nodes.town)) == 5, "all of it is set aside"
    later = submit(nodes.village)
    sync_all(nodes)
    assert open_case(nodes.district, later.id).story.state is State.SUBMITTED

    names = ["town", "district"]
    for name in names if order == "town first" else reversed(names):
        setattr(nodes, name, upgraded(getattr(nodes, name)))
        sync_all(nodes)

    for node in (nodes.town, nodes.district):
        assert shelf(node) == []
        assert open_case(node, long.id).fields["remark"] == "很长的说明"
        assert open_case(node, good.id).fields["phone"] == "13857088888"
        assert upkeep.verify(node).faults == ()
    assert digests(nodes.town)[VILLAGE] == digests(nodes.village)[VILLAGE]
    assert shared_digests(nodes.town, nodes.district)


def test_what_a_newer_program_cannot_take_either_stays_on_the_shelf(
    nodes: Three,
) -> None:
    case = submit(nodes.village)
    put_entry(nodes.village, bytes.fromhex(case.id), b"no change at all")
    put_entry(nodes.village, b"", b"none of any case")
    put_entry(nodes.village, b"", b"no batch", kind="batch")
    put_entry(nodes.village, bytes.fromhex(case.id), b"nor this", kind="audit")
    sync_all(nodes)
    before, hashes = shelf(nodes.town), digests(nodes.town)

    nodes.town = upgraded(nodes.town)

    assert len(before) == 4
    assert shelf(nodes.town) == before
    assert digests(nodes.town) == hashes
    assert upkeep.verify(nodes.town).faults == ()


def test_it_is_done_once_for_each_version(
    nodes: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = upgraded(nodes.town)
    assert upgrade.judge_after_upgrade(town) is False

    monkeypatch.setattr(judge, "JUDGE_VERSION", judge.JUDGE_VERSION + 1)

    assert upgrade.judge_after_upgrade(town) is True
    assert upgrade.judge_after_upgrade(town) is False
    monkeypatch.undo()
    # Who goes back to the older program finds the store as the newer one left it.
    assert upgrade.judge_after_upgrade(town) is False
    nodes.town = town


def test_an_upgrade_that_is_cut_off_is_made_at_the_next_opening(
    nodes: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = submit(nodes.village)
    with monkeypatch.context() as older:
        older.setattr(policy, "NOTE_LIMIT", -1)
        sync_all(nodes)
    before = shelf(nodes.town)
    assert len(before) == 1
    with nodes.town.store.transaction():
        nodes.town.store.registry.set_setting(upgrade.VERSION_SETTING, b"0")

    def cut(_node: Node) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as power:
        power.setattr(upgrade, "settle_waiting", cut)
        with pytest.raises(KeyboardInterrupt):
            upgrade.judge_after_upgrade(nodes.town)
    assert shelf(nodes.town) == before
    assert nodes.town.store.cases.get(case.row.document) is None

    nodes.town.close()
    nodes.town = reopen(nodes.town.home.path, nodes.clock)

    assert shelf(nodes.town) == []
    assert nodes.town.store.cases.get(case.row.document) is not None


def _of_the_next_format(package: packages.Package) -> packages.Package:
    return msgspec.structs.replace(
        package, format=packages.FORMAT, version=str(int(package.version) + 1)
    )


def test_a_form_of_a_newer_format_waits_on_the_shelf_for_the_upgrade(
    nodes: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The district and the village are newer than the town between them."""
    district, village = nodes.district, nodes.village
    with monkeypatch.context() as newer:
        newer.setattr(packages, "FORMAT", packages.FORMAT + 1)
        old = packages.decode(district.store.registry.current_packages()[0].body)
        upkeep.publish(district, [_of_the_next_format(old)])
        digest = next(
            row.digest
            for row in district.store.registry.current_packages()
            if row.code == old.item.code
        )
        sync(village, district)
        document, _, raw = birth(village, digest)
        put_entry(village, document, raw)
    sync(nodes.town, district)
    sync(village, nodes.town)
    waiting = nodes.town.store.documents.all_pending(9)
    assert causes(nodes.town) == ["publication"]
    assert [row.waits_for for row in waiting] == ["package"]

    monkeypatch.setattr(packages, "FORMAT", packages.FORMAT + 1)
    nodes.town = upgraded(nodes.town)

    assert causes(nodes.town) == []
    assert nodes.town.store.documents.counts() == (0, 0)
    assert nodes.town.store.cases.get(document) is not None
    sync(nodes.town, district)
    assert shared_digests(nodes.town, district)


def test_a_kind_that_was_unknown_is_taken_up(nodes: Three) -> None:
    """As it is with audit records at a town whose program knew none."""
    payload = encode(("invite", "x", "", 1, "", b""))
    put_entry(nodes.village, b"", payload, kind="audit")
    sync_all(nodes)
    before = nodes.town.store.registry.audits(99)
    tamper(nodes.town, "UPDATE entries SET verdict = 'kept' WHERE kind = 'audit'")
    tamper(nodes.town, "DELETE FROM audits")

    nodes.town = upgraded(nodes.town)

    assert nodes.town.store.registry.audits(99) == before
    assert upkeep.verify(nodes.town).faults == ()


# -- what judging a case again must leave alone --------------------------------------


@pytest.mark.parametrize("what", ["revocation", "upgrade", "rebuild"])
def test_judging_a_case_again_touches_its_changes_only(nodes: Three, what: str) -> None:
    """An entry of another kind may be about a case: it is no change of it."""
    case = submit(nodes.village)
    document = bytes.fromhex(case.id)
    put_entry(nodes.village, document, b"of a later version", kind="later")
    put_entry(nodes.village, document, b"no batch", kind="batch")
    sync_all(nodes)
    late = submit(nodes.village)
    step(nodes.village, case.id, Step.AMEND, remark="x")
    sync(nodes.village, nodes.town)
    assert causes(nodes.town) == ["batch"]

    def again() -> None:
        if what == "revocation":
            roster.revoke(nodes.district, nodes.village.certificate, "x")
            sync(nodes.town, nodes.district)
        elif what == "upgrade":
            nodes.town = upgraded(nodes.town)
        else:
            upkeep.rebuild(nodes.town)

    again()

    expected = ["batch"]
    if what == "revocation":
        expected += ["revoked", "revoked"]
    assert sorted(causes(nodes.town)) == expected
    stream = StreamId(nodes.village.id, 1, VILLAGE)
    kept = [
        one.verdict
        for one in nodes.town.store.journal.entries(stream, 1, 99)
        if one.entry.kind == "later"
    ]
    assert kept == ["kept"]
    is_there = nodes.town.store.cases.get(late.row.document) is not None
    assert is_there == (what != "revocation")


@pytest.mark.parametrize(
    "again", [upkeep.rebuild, upgraded], ids=["rebuild", "upgrade"]
)
def test_a_forged_step_of_the_roster_is_not_taken_once_the_roster_has_passed_it(
    nodes: Three, again: Callable[[Node], object]
) -> None:
    district = nodes.district
    forged = sign_roster_entry(
        district.secrets.sign_key, district.roster.version + 1, "rename", b""
    )
    put_entry(district, b"", encode(forged), kind="roster", scope="public")
    third = nodes.path / "third"
    enrolled(district, third, "village", "330881105203", "第三村").close()
    sync_all(nodes)
    assert causes(nodes.town) == ["roster"]

    found = again(nodes.town)
    nodes.town = found if isinstance(found, Node) else nodes.town

    assert causes(nodes.town) == ["roster"]
    verdicts = rows(nodes.town, "SELECT verdict FROM entries WHERE kind = 'roster'")
    assert [row[0] for row in verdicts].count("aside") == 1
