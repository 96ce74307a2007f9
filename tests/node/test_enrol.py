"""How a node comes to be, and who tries to come in besides."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from node import enrol
from node.enrol import JoinGrant, JoinRequest
from node.errors import HomeTaken, InviteRefused, NodeError
from node.wiring import Node
from sync.canonical import decode, encode
from sync.errors import NotTrusted, PeerUnreachable, SyncError
from sync.identity import RIGHT_ENROL, give_consent, node_id
from sync.seal import public_seal_key, public_sign_key
from tests.node.nodes import (
    CHEAP,
    DISTRICT,
    OTHER_TOWN,
    TOWN,
    VILLAGE,
    Three,
    enrolled,
    joined,
    rows,
    submit,
    sync,
    sync_all,
)

THIRD = "330881105203"
KEY = bytes(range(32))


def invited(node: Node, division: str = THIRD, tier: str = "village") -> str:
    return enrol.invite(
        node,
        tier=tier,
        division=division,
        department="",
        name="某地",
        address="test:1",
    )


def request_with(code_text: str, secret: bytes | None = None) -> bytes:
    """Return a join request for a code, proven with `secret`."""
    code = enrol.read_code(code_text)
    sign, sealing = public_sign_key(KEY), public_seal_key(KEY)
    request = JoinRequest(
        enrol._invite_id(code.secret),
        sign,
        sealing,
        bytes(32),
        1,
        bytes(16),
        give_consent(KEY, sealing, bytes(32), 1, code.issuer),
        b"",
    )
    proof = enrol._proof(secret or code.secret, request)
    return encode(msgspec.structs.replace(request, proof=proof))


def test_an_invited_node_is_known_to_all_after_they_have_heard(nodes: Three) -> None:
    third = enrolled(nodes.town, nodes.path / "third", "village", THIRD, "第三村")
    try:
        assert third.certificate.rights == ()
        assert third.secrets.parent == nodes.town.id
        assert third.secrets.root == nodes.district.secrets.root
        assert not third.secrets.root_key and not third.secrets.recovery_key
        sync(third, nodes.town)
        case = submit(third)
        sync(third, nodes.town)
        sync_all(nodes)
    finally:
        third.close()

    assert {c.name for c in nodes.other_village.roster.everyone()} >= {"第三村"}
    assert nodes.district.store.cases.get(case.row.document) is not None
    assert (third.id, 1) in nodes.village.roster.enrolled


def test_a_town_may_enrol_and_a_village_may_not(nodes: Three) -> None:
    assert nodes.town.certificate.rights == (RIGHT_ENROL,)
    assert nodes.village.certificate.rights == ()

    with pytest.raises(InviteRefused):
        invited(nodes.village)


@pytest.mark.parametrize(
    ("division", "tier"),
    [
        ("330881106201", "village"),  # a village of another town
        (OTHER_TOWN, "town"),
        (TOWN, "town"),  # its own level
        (DISTRICT, "district"),
    ],
)
def test_a_town_invites_only_below_itself(
    nodes: Three, division: str, tier: str
) -> None:
    with pytest.raises(InviteRefused) as refused:
        invited(nodes.town, division, tier)

    assert refused.value.why == "not-below-us"
    assert rows(nodes.town, "SELECT count(*) FROM invites") == [(2,)]


@pytest.mark.parametrize(
    ("tier", "division", "name"),
    [
        ("village", "33088110520", "十一位"),
        ("village", "3308811052011", "十三位"),
        ("village", "33088110520a", "字母"),
        ("village", "３３０８８１１０５２０１", "全角"),
        ("village", "330881105000", "镇的代码"),
        ("town", "330881105201", "村的代码"),
        ("town", "330881000000", "区的代码"),
        ("district", "330881105000", "镇的代码"),
        ("hamlet", "330881105201", "没有这一级"),
        ("village", "330881105201", ""),
        ("village", "330881105201", "长" * 61),
        ("village", "330881105201", "有\n换行"),
        ("village", "330881105201", "有\u202e反向"),
        ("village", "330881105201", "有\x1b[31m颜色"),
    ],
)
def test_a_place_that_cannot_be_is_refused(
    nodes: Three, tier: str, division: str, name: str
) -> None:
    with pytest.raises(NodeError):
        enrol.invite(
            nodes.district,
            tier=tier,
            division=division,
            department="",
            name=name,
            address="test:1",
        )


@pytest.mark.parametrize("part", ["department", "address"])
def test_an_invitation_that_is_given_out_can_be_used(nodes: Three, part: str) -> None:
    parts = {"department": "民政局", "address": "test:1"} | {part: "长" * 120}
    try:
        code = enrol.invite(
            nodes.district, tier="town", division=OTHER_TOWN, name="别镇", **parts
        )
    except NodeError:
        return

    joined(nodes.district, nodes.path / "new", code).close()


# -- codes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["", "A", "AAAA", "0189", "天地玄黄", "A" * 401, "A" * 400, "NBSWY3DPEB3W64TMMQ"],
)
def test_what_is_no_code_is_refused_and_makes_nothing(
    tmp_path: Path, text: str
) -> None:
    with pytest.raises(InviteRefused):
        enrol.join(tmp_path / "n", text, operator="o", password="p", cost=CHEAP)

    assert not (tmp_path / "n").exists()


def test_a_code_may_be_written_as_people_write_it(nodes: Three) -> None:
    code = invited(nodes.town)
    spaced = "-".join(code[at : at + 4].lower() for at in range(0, len(code), 4))

    assert enrol.read_code(f"  {spaced}\n") == enrol.read_code(code)


def test_a_code_of_another_secret_is_not_known(nodes: Three) -> None:
    code = enrol.read_code(invited(nodes.town))
    wrong = msgspec.structs.replace(code, secret=bytes(16))
    text = base64.b32encode(encode(wrong)).decode().rstrip("=")

    with pytest.raises(InviteRefused):
        joined(nodes.town, nodes.path / "new", text)

    assert not (nodes.path / "new" / "vault.json").exists()
    assert THIRD not in {c.division for c in nodes.town.roster.everyone()}


def test_a_code_is_good_for_one_node(nodes: Three) -> None:
    code = invited(nodes.town)
    joined(nodes.town, nodes.path / "one", code).close()

    with pytest.raises(InviteRefused):
        joined(nodes.town, nodes.path / "two", code)

    assert not (nodes.path / "two" / "node.db").exists()
    assert [c.division for c in nodes.town.roster.everyone()].count(THIRD) == 1


def test_the_same_request_again_gets_the_same_grant(nodes: Three) -> None:
    code = invited(nodes.town)
    request = request_with(code)

    first = enrol.grant(nodes.town, request)

    assert enrol.grant(nodes.town, request) == first
    assert [c.division for c in nodes.town.roster.everyone()].count(THIRD) == 1


def test_a_code_is_good_for_a_day(nodes: Three) -> None:
    code = invited(nodes.town)
    late = invited(nodes.town, "330881105204")

    nodes.clock.advance(enrol.INVITE_LIFE_MS - 60_000)
    joined(nodes.town, nodes.path / "one", code).close()
    nodes.clock.advance(120_000)

    with pytest.raises(InviteRefused, match="too old"):
        joined(nodes.town, nodes.path / "two", late)


def test_a_code_bears_five_wrong_proofs_and_not_a_sixth(nodes: Three) -> None:
    code = invited(nodes.town)
    wrong = request_with(code, secret=bytes(16))

    for _ in range(enrol.INVITE_TRIES):
        with pytest.raises(NotTrusted, match="proof does not hold"):
            enrol.grant(nodes.town, wrong)
    with pytest.raises(NotTrusted, match="too often"):
        enrol.grant(nodes.town, wrong)

    with pytest.raises(InviteRefused, match="too often"):
        joined(nodes.town, nodes.path / "new", code)
    assert THIRD not in {c.division for c in nodes.town.roster.everyone()}


def test_four_wrong_proofs_do_not_close_the_door(nodes: Three) -> None:
    code = invited(nodes.town)
    for _ in range(enrol.INVITE_TRIES - 1):
        with pytest.raises(NotTrusted):
            enrol.grant(nodes.town, request_with(code, secret=bytes(16)))

    joined(nodes.town, nodes.path / "new", code).close()


@pytest.mark.parametrize(
    "data", [b"", b"\x96", b"\xff" * 20_000, b"\x96" + b"\xc4\x00" * 6]
)
def test_a_request_that_is_none_is_refused(nodes: Three, data: bytes) -> None:
    invited(nodes.town)

    with pytest.raises(SyncError):
        enrol.grant(nodes.town, data)


@pytest.mark.parametrize("field", ["sign_key", "seal_key", "tls_fingerprint"])
def test_who_stands_on_the_line_cannot_put_his_keys_into_the_request(
    nodes: Three, field: str
) -> None:
    code = invited(nodes.town)

    def swap(data: bytes) -> bytes:
        request = decode(data, JoinRequest, limit_bytes=99_999)
        mine = {
            "sign_key": public_sign_key(KEY),
            "seal_key": public_seal_key(KEY),
            "tls_fingerprint": bytes(32),
        }
        swapped = msgspec.structs.replace(request, **{field: mine[field]})
        return enrol.grant(nodes.town, encode(swapped))

    with pytest.raises(InviteRefused):
        joined(nodes.town, nodes.path / "new", code, swap)

    assert THIRD not in {c.division for c in nodes.town.roster.everyone()}
    assert not (nodes.path / "new" / "vault.json").exists()


@pytest.mark.parametrize("field", ["certificate", "chain", "root", "recovery", "proof"])
def test_who_stands_on_the_line_cannot_alter_the_grant(
    nodes: Three, field: str
) -> None:
    code = invited(nodes.town)

    def alter(data: bytes) -> bytes:
        answer = decode(enrol.grant(nodes.town, data), JoinGrant, limit_bytes=99_999)
        other = {
            "certificate": answer.chain[0],
            "chain": answer.chain[:1],
            "root": public_sign_key(KEY),
            "recovery": public_seal_key(KEY),
            "proof": bytes(32),
        }
        return encode(msgspec.structs.replace(answer, **{field: other[field]}))

    with pytest.raises(InviteRefused) as refused:
        joined(nodes.town, nodes.path / "new", code, alter)

    assert refused.value.why == "not-proven"
    assert not (nodes.path / "new" / "vault.json").exists()


def test_another_root_with_the_same_secret_is_not_believed(
    nodes: Three, tmp_path: Path
) -> None:
    """Whoever has read the code, but is not of this district, cannot take the node."""
    code = invited(nodes.town)
    stranger = enrol.init_district(
        tmp_path / "stranger",
        division=DISTRICT,
        name="江山市",
        operator="o",
        password="p",
        cost=CHEAP,
    )
    stranger.now_ms = nodes.clock
    secret = enrol.read_code(code).secret
    try:
        invitation = enrol.Invitation(secret, "village", THIRD, "", "某地", b"", b"")
        with stranger.store.transaction():
            stranger.store.registry.put_invite(
                enrol._invite_id(secret), encode(invitation), 2**50
            )

        with pytest.raises((InviteRefused, SyncError)):
            joined(stranger, nodes.path / "new", code)
    finally:
        stranger.close()

    assert not (nodes.path / "new" / "vault.json").exists()


# -- homes -------------------------------------------------------------------------


def test_a_join_whose_answer_was_lost_can_be_tried_again(nodes: Three) -> None:
    code = invited(nodes.town)

    def lose(data: bytes) -> bytes:
        enrol.grant(nodes.town, data)
        raise PeerUnreachable("https://test", "cut")

    with pytest.raises((PeerUnreachable, InviteRefused)):
        joined(nodes.town, nodes.path / "new", code, lose)

    joined(nodes.town, nodes.path / "new", code).close()


def test_what_is_left_of_a_cut_join_opens_no_home_to_another(nodes: Three) -> None:
    path = nodes.path / "new"
    code = invited(nodes.town)
    with _power_gone_before_the_end():
        joined(nodes.town, path, code).close()
    assert (path / "joining").exists()
    before = (path / "vault.json").read_bytes()

    with pytest.raises(HomeTaken):
        joined(nodes.town, path, invited(nodes.town))
    with pytest.raises(HomeTaken):
        enrol.init_district(
            path,
            division=DISTRICT,
            name="江山市",
            operator="o",
            password="p",
            cost=CHEAP,
        )
    assert (path / "vault.json").read_bytes() == before

    joined(nodes.town, path, code).close()
    assert not (path / "joining").exists()


@contextmanager
def _power_gone_before_the_end() -> Iterator[None]:
    """Let a join end as if the power had gone just before its last act."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("node.home.Home.forget_joining", lambda _: None)
        yield


def test_a_used_home_is_left_alone(nodes: Three) -> None:
    before = (nodes.village.home.vault.read_bytes(), nodes.village.id)
    code = invited(nodes.town)

    with pytest.raises(HomeTaken):
        joined(nodes.town, nodes.village.home.path, code)
    with pytest.raises(HomeTaken):
        enrol.init_district(
            nodes.village.home.path,
            division=DISTRICT,
            name="江山市",
            operator="o",
            password="p",
            cost=CHEAP,
        )

    assert nodes.village.home.vault.read_bytes() == before[0]
    joined(nodes.town, nodes.path / "new", code).close()


@pytest.mark.parametrize(
    ("division", "name"),
    [(TOWN, "石门镇"), (VILLAGE, "上塘村"), ("330881", "江山市"), (DISTRICT, "")],
)
def test_a_district_that_cannot_be_is_not_made(
    tmp_path: Path, division: str, name: str
) -> None:
    with pytest.raises(NodeError):
        enrol.init_district(
            tmp_path / "d",
            division=division,
            name=name,
            operator="o",
            password="p",
            cost=CHEAP,
        )

    assert not (tmp_path / "d").exists()


def test_a_home_is_its_owner_s_only(nodes: Three) -> None:
    third = enrolled(nodes.town, nodes.path / "third", "village", THIRD, "第三村")
    third.close()

    home = nodes.path / "third"
    assert home.stat().st_mode & 0o077 == 0
    for secret in ("vault.json", "tls.key"):
        assert (home / secret).stat().st_mode & 0o077 == 0


def test_a_node_s_id_follows_from_its_key(nodes: Three) -> None:
    for node in nodes:
        assert node.id == node_id(public_sign_key(node.secrets.sign_key))


def test_a_join_that_is_refused_leaves_nothing_behind(nodes: Three) -> None:
    home = nodes.path / "refused"

    def refuse(_: bytes) -> bytes:
        raise NotTrusted("enrolment", "the code is too old")

    with pytest.raises(InviteRefused):
        enrolled(nodes.town, home, "village", "330881105203", "下塘村", deliver=refuse)

    assert not home.exists()
