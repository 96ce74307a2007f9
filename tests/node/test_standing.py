"""A revoked node is told so, keeps what it has, and may come back."""

import pytest

from node import drafting, roster, status, talk
from node.errors import RevokedHere
from node.lifecycle import Step
from node.standing import is_revoked_here
from node.wiring import Node
from sync.errors import NotTrusted, PeerUnreachable, Revoked
from tests.node.nodes import (
    ANSWERS,
    ELDER,
    Three,
    digests,
    rejoined,
    step,
    submit,
    sync,
    sync_all,
)


def put_out(nodes: Three, who: Node) -> None:
    """Revoke a village, and let it hear so from its town."""
    roster.revoke(nodes.district, who.certificate, "电脑被偷")
    sync(nodes.town, nodes.district)
    with pytest.raises(Revoked):
        sync(who, nodes.town)


def of(node: Node, other: Node) -> status.Neighbour:
    """Return what a node knows of another."""
    found = status.neighbours(node)
    return next(one for one in found if one.certificate.node == other.id)


def test_a_revoked_node_keeps_its_draft_and_does_not_submit(nodes: Three) -> None:
    village = nodes.village
    case = submit(village)
    sync_all(nodes)
    put_out(nodes, village)
    draft = drafting.begin_draft(village, ELDER, ANSWERS)
    before = digests(village)

    with pytest.raises(RevokedHere):
        drafting.submit_draft(village, draft)
    with pytest.raises(RevokedHere):
        step(village, case.id, Step.WITHDRAW, "x")

    assert village.store.drafts.all() == [draft]
    assert digests(village) == before
    assert status.trouble(village).is_revoked
    above = status.above(village)
    assert above is not None
    assert (above.is_online, above.last_result) == (False, "revoked-here")


def test_a_revoked_node_remembers_it_while_the_line_is_cut(nodes: Three) -> None:
    put_out(nodes, nodes.village)
    town = nodes.town.certificate

    def cut(_: object) -> None:
        raise PeerUnreachable("x", "the connection was cut")

    with pytest.raises(PeerUnreachable):
        talk.sync_over(nodes.village, town, cut)  # type: ignore[arg-type]

    assert is_revoked_here(nodes.village)


def test_who_is_let_in_again_may_submit(nodes: Three) -> None:
    village = nodes.village
    put_out(nodes, village)

    rejoined(nodes.district, village)
    sync(nodes.town, nodes.district)
    sync(village, nodes.town)

    assert not is_revoked_here(village)
    assert submit(village).row.state == "submitted"


def test_a_success_with_the_node_above_takes_it_back(nodes: Three) -> None:
    village = nodes.village
    village.store.registry.set_setting("revoked-here", b"1")
    assert is_revoked_here(village)

    sync(village, nodes.town)

    assert not is_revoked_here(village)


def test_only_the_node_above_is_believed(nodes: Three) -> None:
    village, other = nodes.village, nodes.other_village

    def refuse(_: object) -> None:
        raise Revoked(village.id)

    with pytest.raises(NotTrusted):
        talk.sync_over(village, other.certificate, refuse)  # type: ignore[arg-type]

    assert not is_revoked_here(village)


def test_a_revoked_node_owes_nothing_and_nothing_is_owed_to_it(nodes: Three) -> None:
    submit(nodes.village)
    sync_all(nodes)
    submit(nodes.village)
    sync(nodes.village, nodes.town)
    roster.revoke(nodes.district, nodes.village.certificate, "x")
    sync(nodes.town, nodes.district)

    for node in (nodes.town, nodes.district):
        known = of(node, nodes.village)
        assert known.is_revoked
        assert (known.owed_entries, known.owed_cases, known.oldest_ms) == (0, 0, None)
        assert (known.missing_here, known.owed_files, known.packs) == (0, 0, None)
