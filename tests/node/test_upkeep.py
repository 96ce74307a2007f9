"""Verify names every damage; rebuild makes the same tables again."""

from typing import Any

import msgspec
import pytest

from forms.package import decode
from node import casework, drafting, upkeep
from node.errors import NotAllowed
from node.lifecycle import Step
from node.store import DERIVED
from node.store.cases import Filter
from node.wiring import Node
from tests.node.forge import birth, copy_of, package_of, put_entry
from tests.node.nodes import (
    ALLOWANCE,
    BIRTH,
    ELDER,
    Three,
    digests,
    reopen,
    rows,
    shared_digests,
    step,
    submit,
    sync,
    sync_all,
    tamper,
)
from tests.shipping import shipped_packages


def busy(nodes: Three) -> None:
    """Let there be something of everything."""
    cases = [submit(nodes.village, item) for item in (ELDER, ALLOWANCE, BIRTH) * 2]
    submit(nodes.other_village)
    sync_all(nodes)
    for case in cases[:3]:
        step(nodes.town, case.id, Step.ACCEPT)
    step(nodes.village, cases[0].id, Step.AMEND, home_address="新址")
    step(nodes.village, cases[3].id, Step.AMEND, home_address="甲")
    step(nodes.town, cases[3].id, Step.AMEND, home_address="乙")
    casework.forward_batch(nodes.town, [cases[1].id, cases[0].id])
    sync_all(nodes)
    step(nodes.district, cases[1].id, Step.GRANT)
    step(nodes.village, cases[1].id, Step.WITHDRAW, "不办了")
    copy = copy_of(nodes.village, cases[4].id)
    put_entry(nodes.village, copy.id, copy.write(nodes.village, "accept"))
    put_entry(nodes.village, copy.id, b"\x00" * 40)
    document, _, raw = birth(nodes.village, package_of(nodes.village, ELDER))
    put_entry(nodes.village, document, raw, roster_version=50)
    put_entry(nodes.village, b"", b"later", kind="later")
    drafting.begin_draft(nodes.village, ELDER, {"name": "草稿"})
    sync_all(nodes)


def derived(node: Node, without: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    """Return all rows of all derived tables, sorted, and the verdicts."""
    found: dict[str, list[Any]] = {}
    for table in DERIVED:
        if table == "search":
            found[table] = rows(
                node, "SELECT rowid FROM search WHERE search MATCH 'numbers : 3*'"
            )
            continue
        names = [row[1] for row in rows(node, f"PRAGMA table_info({table})")]
        wanted = ", ".join(n for n in names if n not in without)
        found[table] = sorted(rows(node, f"SELECT {wanted} FROM {table}"), key=repr)
    found["verdicts"] = rows(node, "SELECT id, verdict FROM entries ORDER BY id")
    return found


@pytest.mark.parametrize("who", ["town", "district"])
def test_a_rebuild_makes_the_same_tables_again(nodes: Three, who: str) -> None:
    busy(nodes)
    node: Node = getattr(nodes, who)
    before = derived(node)

    upkeep.rebuild(node)

    assert derived(node) == before


@pytest.mark.parametrize("who", ["town", "district", "other_village"])
def test_a_rebuild_makes_the_same_of_all_that_is_not_a_time(
    nodes: Three, who: str
) -> None:
    busy(nodes)
    node: Node = getattr(nodes, who)
    before, hashes = derived(node, ("changed_at_ms",)), digests(node)

    count = upkeep.rebuild(node)

    assert derived(node, ("changed_at_ms",)) == before
    assert digests(node) == hashes
    assert count == node.store.documents.count() == len(before["documents"])
    assert upkeep.verify(node).faults == ()


def test_a_rebuild_of_honest_work_keeps_a_village_s_own_tables(nodes: Three) -> None:
    first, second = submit(nodes.village), submit(nodes.village, BIRTH)
    sync_all(nodes)
    step(nodes.town, first.id, Step.ACCEPT)
    step(nodes.village, second.id, Step.WITHDRAW, "不办了")
    drafting.begin_draft(nodes.village, ELDER, {"name": "草稿"})
    sync_all(nodes)
    before = derived(nodes.village, ("changed_at_ms",))

    upkeep.rebuild(nodes.village)

    assert derived(nodes.village, ("changed_at_ms",)) == before
    (draft,) = nodes.village.store.drafts.all()
    assert draft.answers["name"] == "草稿"
    sync_all(nodes)
    assert shared_digests(nodes.village, nodes.town)


def test_a_rebuild_mends_every_derived_table(nodes: Three) -> None:
    busy(nodes)
    before = derived(nodes.town, ("changed_at_ms",))
    tamper(nodes.town, "UPDATE cases SET state = 'granted', applicant = '别人'")
    tamper(nodes.town, "UPDATE documents SET snapshot = x'00', heads = x''")
    tamper(nodes.town, "DELETE FROM changes")
    tamper(nodes.town, "DELETE FROM quarantine")
    tamper(nodes.town, "DELETE FROM packages")
    tamper(nodes.town, "UPDATE entries SET verdict = 'taken'")
    mended = reopen(nodes.town.home.path, nodes.clock)
    try:
        assert upkeep.verify(mended).faults

        upkeep.rebuild(mended)

        assert derived(mended, ("changed_at_ms",)) == before
        assert upkeep.verify(mended).faults == ()
    finally:
        mended.close()


def test_a_rebuild_that_is_cut_off_has_changed_nothing(
    nodes: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy(nodes)
    before = derived(nodes.town)
    calls = []

    def fails(*_: object) -> None:
        calls.append(1)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(upkeep, "settle_waiting", fails)
        with pytest.raises(KeyboardInterrupt):
            upkeep.rebuild(nodes.town)

    assert calls and derived(nodes.town) == before
    submit(nodes.village)
    sync(nodes.village, nodes.town)


# -- verify ------------------------------------------------------------------------


def test_clean_is_said_of_clean_nodes(nodes: Three) -> None:
    busy(nodes)

    for node in (nodes.town, nodes.district, nodes.other_village):
        verdict = upkeep.verify(node)
        assert verdict.faults == ()
        assert verdict.entries == node.store.journal.count_entries()
        assert verdict.documents == node.store.documents.count()
        assert verdict.digests == digests(node)


TAMPERED = {
    "a payload": "UPDATE entries SET payload = "
    "CAST(x'00' || substr(payload, 2) AS BLOB) "
    "WHERE sequence = 2 AND document != x''",
    "one bit of the end of a payload": "UPDATE entries SET payload = "
    "CAST(substr(payload, 1, length(payload) - 1) || x'7f' AS BLOB) WHERE sequence = 3 "
    "AND document != x''",
    "a kind": "UPDATE entries SET kind = 'batch' WHERE kind = 'later'",
    "a document": "UPDATE entries SET document = x'00000000000000000000000000000000' "
    "WHERE sequence = 2 AND document != x''",
    "a time": "UPDATE entries SET written_at_ms = written_at_ms + 1 "
    "WHERE sequence = 2 AND document != x''",
    "a roster version": "UPDATE entries SET roster_version = 0 "
    "WHERE sequence = 2 AND document != x''",
    "a hash": "UPDATE entries SET hash = zeroblob(32) "
    "WHERE sequence = 2 AND document != x''",
    "a lost entry": "DELETE FROM entries WHERE sequence = 2 AND document != x''",
    "a lost last entry": "DELETE FROM entries WHERE id = (SELECT max(id) FROM entries)",
    "a head": "UPDATE streams SET hash = zeroblob(32) WHERE sequence > 1",
    "a shorter head": "UPDATE streams SET sequence = sequence - 1 WHERE sequence > 1",
    "a signature": "UPDATE checkpoints SET signature = zeroblob(64)",
    "a lost signature": "DELETE FROM checkpoints",
    "a snapshot": "UPDATE documents SET snapshot = "
    "(SELECT payload FROM entries WHERE kind = 'change' AND document = "
    "(SELECT max(id) FROM documents)) WHERE id = (SELECT min(id) FROM documents)",
    "a snapshot of nothing": "UPDATE documents SET snapshot = x'' "
    "WHERE id = (SELECT min(id) FROM documents)",
    "heads": "UPDATE documents SET heads = zeroblob(32) "
    "WHERE id = (SELECT min(id) FROM documents)",
    "a lost list row": "DELETE FROM cases WHERE id = 1",
}
UNSEEN = {
    "a state in the list": "UPDATE cases SET state = 'granted' WHERE id = 1",
    "a name in the list": "UPDATE cases SET applicant = '别人' WHERE id = 1",
    "a verdict": "UPDATE entries SET verdict = 'taken' WHERE verdict = 'aside'",
    "a lost reason": "DELETE FROM quarantine",
    "a lost document": "DELETE FROM documents WHERE id = "
    "(SELECT document FROM cases WHERE id = 1)",
    "a lost wait": "DELETE FROM pending",
    "a lost package": "DELETE FROM packages",
    "a step of the roster": "UPDATE roster SET body = zeroblob(9) WHERE version = 2",
}


@pytest.mark.parametrize("statement", TAMPERED.values(), ids=TAMPERED)
def test_what_was_altered_with_the_key_in_hand_is_named(
    nodes: Three, statement: str
) -> None:
    busy(nodes)

    tamper(nodes.town, statement)

    faults = upkeep.verify(nodes.town).faults
    assert faults
    assert all(len(fault) > 20 for fault in faults)
    assert not any("张三丰" in fault for fault in faults)


def test_verify_goes_on_where_a_column_is_of_another_type(nodes: Three) -> None:
    busy(nodes)

    tamper(
        nodes.town,
        "UPDATE entries SET payload = CAST(payload AS TEXT) "
        "WHERE sequence = 2 AND document != x''",
    )

    assert upkeep.verify(nodes.town).faults


@pytest.mark.parametrize("statement", UNSEEN.values(), ids=UNSEEN)
def test_what_is_shown_wrongly_is_named(nodes: Three, statement: str) -> None:
    busy(nodes)

    tamper(nodes.town, statement)

    fresh = reopen(nodes.town.home.path, nodes.clock)
    try:
        faults = upkeep.verify(fresh).faults
    finally:
        fresh.close()
    assert faults


def test_a_flipped_byte_of_the_file_is_never_shown_as_right(nodes: Three) -> None:
    busy(nodes)
    shown = rows(nodes.town, "SELECT document, applicant, state FROM cases ORDER BY 1")
    nodes.town.store.close()
    again = reopen(nodes.town.home.path, nodes.clock)
    again.close()
    data = nodes.town.home.database.read_bytes()
    assert not nodes.town.home.database.with_name("node.db-wal").exists()

    for at in range(5000, len(data), len(data) // 25):
        broken = bytearray(data)
        broken[at] ^= 0x10
        nodes.town.home.database.write_bytes(broken)
        seen = _look(nodes)
        assert seen is None or seen == shown, at

    nodes.town.home.database.write_bytes(data)
    assert _look(nodes) == shown
    nodes.town = reopen(nodes.town.home.path, nodes.clock)


def _look(nodes: Three) -> object:
    """Return the list, or None where damage was named."""
    try:
        node = reopen(nodes.town.home.path, nodes.clock)
    except Exception:  # noqa: BLE001 - named by opening
        return None
    try:
        faults = upkeep.verify(node).faults
        found = [
            (r.document, r.applicant, r.state)
            for r in node.store.cases.page(Filter(), None, 100)
        ]
    except Exception:  # noqa: BLE001 - named by reading
        return None
    else:
        return None if faults else sorted(found)
    finally:
        node.close()


# -- publishing --------------------------------------------------------------------


def test_only_the_district_may_publish(nodes: Three) -> None:
    for node in (nodes.town, nodes.village):
        with pytest.raises(NotAllowed):
            upkeep.publish(node, [])


def test_publishing_the_same_again_adds_nothing(nodes: Three) -> None:
    before = digests(nodes.district)

    done = upkeep.publish(nodes.district, shipped_packages())

    assert [is_new for _, _, is_new in done] == [False] * 3
    assert digests(nodes.district) == before


def test_a_package_that_was_published_again_is_the_present_one_everywhere(
    nodes: Three,
) -> None:
    """Back to the first version after a second: everybody must show the first."""
    district = nodes.district
    old = decode(district.store.registry.current_packages()[0].body)
    new = msgspec.structs.replace(old, version=str(int(old.version) + 1))
    for package in (new, old):
        upkeep.publish(district, [package])
    sync_all(nodes)

    versions = [
        {row.code: row.version for row in n.store.registry.current_packages()}
        for n in nodes
    ]
    assert versions.count(versions[0]) == 4
    assert versions[0][old.item.code] == old.version
