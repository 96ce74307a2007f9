"""A node that was copied, or put back, begins anew with an ordinary code."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from node import casework, drafting, enrol, journal, roster, upkeep
from node.cases import open_case
from node.enrol import JoinAgain, JoinRequest
from node.errors import Forked, InviteRefused, NotAllowed, WriteForbidden
from node.fork_report import forked_nodes
from node.lifecycle import State, Step
from node.rejoin import rejoin_district
from node.status import above, arrivals, neighbours, trouble
from node.wiring import Node
from sync.canonical import decode, encode
from sync.errors import PeerUnreachable
from sync.identity import Revocation, sign_roster_entry
from sync.stream import StreamId
from sync.vector import Head
from tests.node.forge import chunk_of, claim, parcel, send
from tests.node.nodes import (
    ANSWERS,
    CHEAP,
    DISTRICT,
    ELDER,
    OTHER_VILLAGE,
    VILLAGE,
    Three,
    clone,
    rejoined,
    reopen,
    shared_digests,
    step,
    submit,
    sync,
    sync_all,
)


@pytest.fixture
def copy(nodes: Three) -> Iterator[Node]:
    """A copy of the village's home, made when all knew its first case."""
    submit(nodes.village)
    drafting.begin_draft(nodes.village, ELDER, ANSWERS)
    sync_all(nodes)
    made = reopen(clone(nodes.village, nodes.path / "copy"), nodes.clock)
    yield made
    made.close()


@pytest.fixture
def forked(nodes: Three, copy: Node) -> tuple[str, str]:
    """Both have written and are known to have; return a case of each."""
    cases = submit(nodes.village).id, submit(copy).id
    sync(nodes.village, nodes.town)
    sync(copy, nodes.town)
    sync_all(nodes)
    return cases


def invited(node: Node, division: str = VILLAGE, name: str = "上塘村") -> str:
    return enrol.invite(
        node,
        tier="village",
        division=division,
        department="",
        name=name,
        address="test:1",
    )


def settle(nodes: Three, *more: Node) -> None:
    for _ in range(3):
        for node in (nodes.village, *more):
            sync(node, nodes.town)
        sync(nodes.town, nodes.district)


def test_a_forked_node_rejoins_and_goes_on(
    nodes: Three, forked: tuple[str, str]
) -> None:
    village, town = nodes.village, nodes.town
    keys = (village.id, village.secrets.sign_key, village.certificate.seal_key)

    mine = rejoined(town, village)

    assert (mine.epoch, mine.terminal) == (2, 2)
    assert village.certificate == mine
    again = (village.id, village.secrets.sign_key, village.certificate.seal_key)
    assert again == keys
    assert not trouble(village).is_stopped
    later = submit(village)
    step(village, forked[1], Step.AMEND, contact_name="王五")
    settle(nodes)
    step(town, later.id, Step.ACCEPT)
    settle(nodes)
    for node in (village, town, nodes.district):
        assert open_case(node, later.id).story.state == State.ACCEPTED
        assert open_case(node, forked[1]).fields["contact_name"] == "王五"
        (named,) = forked_nodes(node)
        assert named.is_healed and trouble(node).forks == 0
        assert upkeep.verify(node).faults == ()
        assert shared_digests(node, town)
    shown = [one for one in neighbours(nodes.district) if one.certificate == mine]
    assert len(shown) == 1
    quiet = sync(village, town)
    assert (quiet.requests, quiet.sent, quiet.received) == (1, 0, 0)


def test_both_copies_rejoin_and_go_on_beside_each_other(
    nodes: Three, copy: Node, forked: tuple[str, str]
) -> None:
    village, town = nodes.village, nodes.town
    epochs = {rejoined(town, one).epoch for one in (village, copy)}

    numbers = set()
    for _ in range(3):
        for one in (village, copy):
            numbers.add(submit(one).row.number)
    for one in (village, copy):
        for draft in one.store.drafts.all():
            numbers.add(drafting.submit_draft(one, draft).row.number)
    settle(nodes, copy)

    assert epochs == {2, 3}
    assert len(numbers) == 8
    nodes_now = (village, copy, town, nodes.district)
    for node in nodes_now:
        assert node.store.documents.count() == 3 + 8
        assert node.store.documents.counts() == (0, 0)
        assert [one.epoch for one in forked_nodes(node)] == [1]
        assert trouble(node).forks == 0
        assert upkeep.verify(node).faults == ()
        assert shared_digests(node, town)
    for one in (village, copy):
        known = above(one)
        assert known is not None and known.not_delivered == 0
        found = arrivals(one, [bytes.fromhex(case) for case in forked])
        assert all(arrival.district_ms for arrival in found.values())
        quiet = sync(one, town)
        assert (quiet.requests, quiet.sent, quiet.received) == (1, 0, 0)


def test_one_code_lets_one_copy_in(
    nodes: Three, copy: Node, forked: tuple[str, str]
) -> None:
    code = invited(nodes.town)
    rejoined(nodes.town, nodes.village, code)

    with pytest.raises(InviteRefused, match="has been used"):
        rejoined(nodes.town, copy, code)

    assert copy.certificate.epoch == 1
    assert trouble(copy).is_stopped
    with pytest.raises(Forked):
        submit(copy)


def test_a_copy_that_does_not_know_of_the_newest_epoch_is_told(
    nodes: Three, copy: Node, forked: tuple[str, str]
) -> None:
    rejoined(nodes.town, nodes.village)
    latest = copy.roster.latest(copy.id)
    assert latest is not None and latest.epoch == 1

    assert rejoined(nodes.town, copy).epoch == 3


def test_what_nobody_has_yet_comes_home_with_the_rejoin(
    nodes: Three, copy: Node
) -> None:
    """The copy hears of the fork before it has sent anything, then rejoins."""
    submit(nodes.village)
    sync(nodes.village, nodes.town)
    lost = [submit(copy) for _ in range(3)]
    send(nodes.town, copy, parcel([chunk_of(nodes.town, stream(copy), 2)]))
    assert trouble(copy).is_stopped and trouble(nodes.town).forks == 0

    rejoined(nodes.town, copy)

    head = copy.store.journal.head(stream(copy, 2))[0]
    assert head == 2, "what each of both sides has written, under entries of its own"
    settle(nodes, copy)
    for node in (nodes.town, nodes.district, nodes.village):
        for case in lost:
            assert open_case(node, case.id).fields == case.fields
        assert shared_digests(node, nodes.town)
        assert upkeep.verify(node).faults == ()
    known = above(copy)
    assert known is not None and known.not_delivered == 0
    assert trouble(nodes.district).forks == 0
    assert trouble(nodes.village).is_stopped, "it has not begun anew itself"


def test_a_copy_that_rejoins_before_anybody_knows_heals_as_well(
    nodes: Three, copy: Node
) -> None:
    cases = [submit(nodes.village), submit(copy)]
    rejoined(nodes.town, copy)
    cases.append(submit(copy))
    sync(nodes.village, nodes.town)

    settle(nodes, copy)

    for node in (nodes.town, nodes.district, nodes.village, copy):
        assert all(node.store.cases.get(case.row.document) for case in cases)
        assert shared_digests(node, nodes.town)
        assert upkeep.verify(node).faults == ()
    assert not trouble(copy).is_stopped
    cases.append(submit(copy))


def test_a_backup_that_cannot_have_its_own_back_rejoins(nodes: Three) -> None:
    village, town = nodes.village, nodes.town
    first = submit(village)
    sync_all(nodes)
    backup = clone(village, nodes.path / "backup")
    restored = reopen(backup, nodes.clock)
    try:
        # It once said that it had more than anybody has now.
        said = claim(
            village, VILLAGE, [Head(village.id, 1, 9, bytes(32))], counter=2**40
        )
        send(town, restored, parcel(vectors=[said]))
        for _ in range(3):
            sync(restored, town)
            with pytest.raises(WriteForbidden, match="sync first"):
                submit(restored)

        mine = rejoined(town, restored)

        again = submit(restored)
        for _ in range(2):
            sync(restored, town)
            sync(town, nodes.district)
        sync(restored, town)
        assert mine.epoch == 2
        assert again.row.number != first.row.number
        assert nodes.district.store.cases.get(again.row.document) is not None
        assert shared_digests(restored, town)
        assert upkeep.verify(restored).faults == ()
        assert trouble(nodes.district).forks == 0
    finally:
        restored.close()


# -- numbers and drafts ---------------------------------------------------------------


def test_drafts_of_both_copies_become_cases_of_their_own(
    nodes: Three, copy: Node, forked: tuple[str, str]
) -> None:
    (draft,) = nodes.village.store.drafts.all()
    (same,) = copy.store.drafts.all()
    assert same == draft
    for one in (nodes.village, copy):
        rejoined(nodes.town, one)
    drafts = [one.store.drafts.all() for one in (nodes.village, copy)]

    made = [
        drafting.submit_draft(one, kept)
        for one, (kept,) in zip((nodes.village, copy), drafts, strict=True)
    ]
    settle(nodes, copy)

    assert len({case.id for case in made} | {draft.id}) == 3
    assert len({case.row.number for case in made} | {draft.number}) == 3
    assert all(kept.answers == draft.answers for (kept,) in drafts)
    assert all(nodes.district.store.cases.get(case.row.document) for case in made)


def test_a_draft_that_the_other_copy_has_submitted_does_not_replace_its_case(
    nodes: Three, copy: Node
) -> None:
    (draft,) = copy.store.drafts.all()
    submitted = drafting.submit_draft(copy, draft)
    sync(copy, nodes.town)
    sync(nodes.village, nodes.town)
    assert nodes.village.store.cases.get(submitted.row.document) is not None
    kept = drafting.save_draft(nodes.village, draft, draft.answers | {"remark": "补"})

    other = drafting.submit_draft(nodes.village, kept)

    assert other.id != submitted.id
    assert "remark" not in open_case(nodes.village, submitted.id).fields
    settle(nodes, copy)
    assert nodes.district.store.documents.count() == 3
    assert nodes.district.store.documents.counts() == (0, 0)


def test_numbers_that_were_given_twice_stay_and_are_both_shown(
    nodes: Three, copy: Node
) -> None:
    numbers = [submit(one).row.number for one in (nodes.village, copy)]
    assert numbers[0] == numbers[1]
    sync(nodes.village, nodes.town)
    sync(copy, nodes.town)

    found = nodes.town.store.cases.find(numbers[0])

    assert [row.number for row in found] == numbers


def test_batches_of_two_desks_are_not_called_the_same(nodes: Three) -> None:
    town = nodes.town
    first, second = (submit(nodes.village).id for _ in range(2))
    sync_all(nodes)
    for one in (first, second):
        step(town, one, Step.ACCEPT)
    before, _ = casework.forward_batch(town, [first])
    rejoined_town = enrol.invite(
        nodes.district,
        tier="town",
        division=town.certificate.division,
        department="",
        name="石门镇",
        address="test:1",
    )
    rejoined(nodes.district, town, rejoined_town)

    after, _ = casework.forward_batch(town, [second])

    assert before.number.endswith("-B001")
    assert after.number.endswith("-02B002")
    assert town.certificate.rights == ("enrol",)
    sync(town, nodes.district)
    sync(town, nodes.district)
    assert len(nodes.district.store.registry.batches(9)) == 2
    invited(town)


# -- what can go wrong ------------------------------------------------------------


def test_an_answer_that_was_lost_comes_again(
    nodes: Three, forked: tuple[str, str]
) -> None:
    village, town = nodes.village, nodes.town
    code = invited(town)

    def lost(data: bytes) -> bytes:
        enrol.grant(town, data)
        raise PeerUnreachable("town", "the connection was cut")

    with pytest.raises(InviteRefused):
        rejoined(town, village, code, lost)
    assert village.certificate.epoch == 1
    # Meanwhile it hears from above of the epoch that it has not begun.
    sync(town, nodes.district)
    for _ in range(2):
        sync(town, nodes.district)
        sync(village, town)
    latest = village.roster.latest(village.id)
    assert latest is not None and latest.epoch == 2

    mine = rejoined(town, village, code)

    assert mine.epoch == 2 and village.certificate.epoch == 2
    submit(village)
    settle(nodes)
    assert shared_digests(village, nodes.district)


def test_the_same_code_again_changes_nothing(
    nodes: Three, forked: tuple[str, str]
) -> None:
    code = invited(nodes.town)
    mine = rejoined(nodes.town, nodes.village, code)

    assert rejoined(nodes.town, nodes.village, code) == mine

    assert len([c for c in nodes.town.roster.everyone() if c.node == mine.node]) == 2


def test_what_fails_half_way_leaves_the_old_epoch(
    nodes: Three, forked: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    village, code = nodes.village, invited(nodes.town)
    with monkeypatch.context() as patch:
        patch.setattr(drafting, "rename_drafts", _disk_is_full)
        with pytest.raises(OSError, match="full"):
            rejoined(nodes.town, village, code)

    assert village.certificate.epoch == 1
    with pytest.raises(Forked):
        submit(village)
    village.close()
    nodes.village = reopen(village.home.path, nodes.clock)
    assert nodes.village.certificate.epoch == 1

    assert rejoined(nodes.town, nodes.village, code).epoch == 2
    submit(nodes.village)


def _disk_is_full(_node: Node) -> None:
    raise OSError("the disk is full")


_REJOIN = """
import sys
from pathlib import Path
from unittest import mock
from node import enrol, rejoin
from tests.node.nodes import Clock, Line, NOON_MS, reopen
clock = Clock(NOON_MS + 10_000_000)
village = reopen(Path(sys.argv[1]), clock)
town = reopen(Path(sys.argv[2]), clock)
def deliver(data):
    answer = enrol.grant(town, data)
    print("granted", flush=True)
    return answer
with mock.patch.object(enrol, "Client", Line(deliver)):
    print("begun", flush=True)
    rejoin.rejoin(village, sys.argv[3])
    print("done", flush=True)
"""


@pytest.mark.parametrize("line", ["begun", "granted", "done"])
def test_a_kill_leaves_one_of_both_identities_and_the_code_finishes_it(
    nodes: Three, forked: tuple[str, str], line: str
) -> None:
    village, town, code = nodes.village, nodes.town, invited(nodes.town)
    root = Path(upkeep.__file__).parents[1]
    child = subprocess.Popen(
        [
            *(sys.executable, "-c", _REJOIN),
            *(str(village.home.path), str(town.home.path), code),
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert child.stdout is not None
    for said in child.stdout:
        if said.strip() == line:
            break
    child.send_signal(signal.SIGKILL)
    child.communicate()
    village.close()
    nodes.village = reopen(village.home.path, nodes.clock)
    assert nodes.village.certificate.epoch in (1, 2)

    mine = rejoined(town, nodes.village, code)

    assert mine.epoch == nodes.village.certificate.epoch == 2
    submit(nodes.village)
    settle(nodes)
    assert upkeep.verify(nodes.village).faults == ()
    assert shared_digests(nodes.village, nodes.district)


def test_a_process_that_was_open_goes_on_in_the_new_epoch(
    nodes: Three, forked: tuple[str, str]
) -> None:
    beside = nodes.village.another_connection()
    try:
        rejoined(nodes.town, nodes.village)

        case = submit(beside)

        assert beside.certificate.epoch == 2
        assert beside.store.journal.head(stream(beside, 2))[0] >= 1
        assert nodes.village.store.cases.get(case.row.document) is not None
    finally:
        beside.close()


@pytest.mark.parametrize("place", [OTHER_VILLAGE, "330881105203"])
def test_a_code_for_another_place_is_refused(
    nodes: Three, forked: tuple[str, str], place: str
) -> None:
    with pytest.raises(InviteRefused, match="another place"):
        rejoined(nodes.town, nodes.village, invited(nodes.town, place))

    assert nodes.village.certificate.epoch == 1


def test_a_code_of_another_district_is_refused(
    nodes: Three, forked: tuple[str, str], tmp_path: Path
) -> None:
    stranger = enrol.init_district(
        tmp_path / "stranger",
        division=DISTRICT,
        name="江山市",
        operator="o",
        password="p",
        cost=CHEAP,
    )
    try:
        with pytest.raises(InviteRefused) as refused:
            rejoined(stranger, nodes.village, invited(stranger))
    finally:
        stranger.close()

    assert refused.value.why == "another-district"


def test_who_knows_less_of_a_node_than_itself_lets_it_not_in(
    nodes: Three, forked: tuple[str, str]
) -> None:
    old = reopen(clone(nodes.town, nodes.path / "old"), nodes.clock)
    try:
        rejoined(nodes.town, nodes.village)
        with old.store.transaction():
            code = invited(old)

        with pytest.raises(InviteRefused) as refused:
            rejoined(old, nodes.village, code)
    finally:
        old.close()

    assert refused.value.why == "not-known"
    assert nodes.village.certificate.epoch == 2


def test_who_stands_on_the_line_cannot_choose_the_epoch(
    nodes: Three, forked: tuple[str, str]
) -> None:
    code = invited(nodes.town)

    def lie(data: bytes) -> bytes:
        request = decode(data, JoinRequest, limit_bytes=99_999)
        return encode(JoinAgain(request.epoch + 5, bytes(32)))

    def alter(data: bytes) -> bytes:
        request = decode(data, JoinRequest, limit_bytes=99_999)
        return enrol.grant(
            nodes.town, encode(msgspec.structs.replace(request, epoch=9))
        )

    for between in (lie, alter):
        with pytest.raises(InviteRefused):
            rejoined(nodes.town, nodes.village, code, between)

    assert nodes.village.certificate.epoch == 1
    assert rejoined(nodes.town, nodes.village, code).epoch == 2


def test_a_revoked_node_is_let_in_by_the_district_only(nodes: Three) -> None:
    village, district = nodes.village, nodes.district
    entry = sign_roster_entry(
        district.secrets.root_key,
        district.roster.version + 1,
        "revoke",
        encode(Revocation(village.id, 1, 1)),
    )
    with district.store.transaction():
        journal.append(
            district, "public", "roster", b"", encode(entry), district.now_ms()
        )
        roster.take_step(district, entry)
    sync(nodes.town, district)

    with pytest.raises(InviteRefused, match="revoked"):
        rejoined(nodes.town, village)
    mine = rejoined(district, village)

    assert mine.epoch == 2
    sync(nodes.town, district)
    case = submit(village)
    for _ in range(2):
        sync(village, nodes.town)
    assert nodes.town.store.cases.get(case.row.document) is not None


def test_a_district_begins_anew_by_itself_and_nobody_else_does(nodes: Three) -> None:
    district, town = nodes.district, nodes.town
    case, second = submit(nodes.village), submit(nodes.village)
    sync_all(nodes)
    for one in (case, second):
        step(town, one.id, Step.ACCEPT)
        step(town, one.id, Step.FORWARD)
    sync(town, district)
    copy = reopen(clone(district, nodes.path / "copy"), nodes.clock)
    try:
        step(district, case.id, Step.GRANT)
        step(copy, case.id, Step.REFUSE, "不符合")
        sync(town, district)
        for _ in range(3):
            sync(town, copy)
        for _ in range(2):
            sync(town, district)
        with pytest.raises(Forked):
            step(district, second.id, Step.GRANT)

        mine = rejoin_district(district)

        assert mine.epoch == 2 and mine.rights == ("enrol", "roster")
        for _ in range(2):
            sync_all(nodes)
        step(district, second.id, Step.GRANT)
        sync_all(nodes)
        assert open_case(nodes.village, second.id).story.state == State.GRANTED
        assert len(open_case(town, case.id).story.disputed) == 1
        assert shared_digests(town, district)
        assert upkeep.verify(district).faults == ()
        with pytest.raises(NotAllowed):
            rejoin_district(town)
    finally:
        copy.close()


def stream(node: Node, epoch: int = 1) -> StreamId:
    return StreamId(node.id, epoch, VILLAGE)
