from contextlib import suppress
from dataclasses import dataclass

import msgspec
import pytest

from sync import seal
from sync.canonical import encode
from sync.errors import Malformed, NotTrusted
from sync.identity import (
    CERTIFICATE_LIMIT_BYTES,
    PUBLIC,
    RIGHT_ENROL,
    RIGHT_ROSTER,
    Certificate,
    Revocation,
    Roster,
    RosterEntry,
    SignedCertificate,
    covers,
    fingerprint_words,
    give_consent,
    holds,
    is_scope,
    issue,
    node_id,
    on_one_line,
    sign_roster_entry,
)
from tests.sync.samples import (
    DISTRICT,
    NEIGHBOUR_VILLAGE,
    OTHER_TOWN,
    OTHER_VILLAGE,
    ROOT,
    ROOT_KEY,
    TOWN,
    VILLAGE,
    Someone,
    certificate,
    district,
    key,
    other_town,
    roster_of,
    someone,
    town,
    village,
)

# -- who a node is ------------------------------------------------------------


def test_a_node_is_called_by_the_hash_of_its_signing_key() -> None:
    public = seal.public_sign_key(key(1))

    assert node_id(public) == seal.sha256(public)[:16]
    assert node_id(public) != node_id(seal.public_sign_key(key(2)))


def test_an_id_is_read_out_in_groups_of_four() -> None:
    assert fingerprint_words(bytes.fromhex("0123456789abcdef")) == "0123 4567 89ab cdef"


def test_a_certificate_comes_back_as_it_was_issued() -> None:
    made = certificate(40, "town", TOWN, rights=(RIGHT_ENROL,))

    assert issue(ROOT_KEY, made).read() == made


FAULTS = [
    ({"format": 2}, "unknown format"),
    ({"format": 0}, "unknown format"),
    ({"sign_key": bytes(31)}, "signing key length"),
    ({"seal_key": bytes(33)}, "sealing key length"),
    ({"tls_fingerprint": b""}, "TLS fingerprint length"),
    ({"issuer": bytes(15)}, "issuer length"),
    ({"node": bytes(16)}, "id is not of its key"),
    ({"node": b""}, "id is not of its key"),
    ({"tier": "province"}, "unknown tier"),
    ({"tier": ""}, "unknown tier"),
    ({"division": "33088110500"}, "not 12 digits"),
    ({"division": "3308811050000"}, "not 12 digits"),
    ({"division": "33088110500x"}, "not 12 digits"),
    ({"division": "３３０８８１１０５０００"}, "not 12 digits"),  # full-width digits
    ({"division": "33088110500²"}, "not 12 digits"),  # str.isdigit() accepts ²
    ({"division": PUBLIC}, "not 12 digits"),
    ({"division": VILLAGE}, "does not fit the tier"),  # a town with a village's code
    ({"tier": "district"}, "does not fit the tier"),  # a district with a town's code
    ({"epoch": 0}, "epoch"),
    ({"epoch": -1}, "epoch"),
    ({"epoch": 2**31}, "epoch"),
    ({"terminal": 0}, "terminal"),
    ({"terminal": 100}, "terminal"),
    ({"name": ""}, "name length"),
    ({"name": "镇" * 61}, "name length"),
    ({"department": "局" * 61}, "department length"),
]


@pytest.mark.parametrize(("change", "why"), FAULTS)
def test_a_certificate_whose_parts_disagree_is_refused(
    change: dict[str, object], why: str
) -> None:
    good = certificate(40, "town", TOWN)
    body = encode(msgspec.structs.replace(good, **change))

    with pytest.raises(Malformed, match=why):
        SignedCertificate(body, bytes(64)).read()


def test_a_certificate_longer_than_allowed_is_refused() -> None:
    many = tuple("right" for _ in range(CERTIFICATE_LIMIT_BYTES))
    body = encode(msgspec.structs.replace(certificate(40, "town", TOWN), rights=many))

    with pytest.raises(Malformed, match="at most"):
        SignedCertificate(body, bytes(64)).read()


def test_a_sealing_key_that_nothing_can_be_sealed_to_is_refused() -> None:
    body = encode(
        msgspec.structs.replace(certificate(40, "town", TOWN), seal_key=bytes(32))
    )

    with pytest.raises(Malformed):
        SignedCertificate(body, bytes(64)).read()


def test_a_signing_key_for_which_anybody_can_sign_is_refused() -> None:
    weak = b"\x01" + bytes(31)
    body = encode(
        msgspec.structs.replace(
            certificate(40, "town", TOWN), sign_key=weak, node=node_id(weak)
        )
    )

    assert seal.is_signed(weak, b"bundle", b"anything", b"\x01" + bytes(63))
    with pytest.raises(Malformed):
        SignedCertificate(body, bytes(64)).read()


# -- what a node shares -------------------------------------------------------

JOINT = f"{VILLAGE}+{OTHER_VILLAGE}"

PEOPLE = {
    "district": certificate(10, "district", DISTRICT),
    "town": certificate(40, "town", TOWN),
    "other town": certificate(70, "town", OTHER_TOWN),
    "village": certificate(100, "village", VILLAGE),
    "neighbour": certificate(130, "village", NEIGHBOUR_VILLAGE),
    "other village": certificate(160, "village", OTHER_VILLAGE),
    "other district": certificate(190, "district", "330802000000"),
}

SHARED = [
    (PUBLIC, set(PEOPLE)),
    (DISTRICT, {"district"}),
    (TOWN, {"district", "town"}),
    (VILLAGE, {"district", "town", "village"}),
    (OTHER_TOWN, {"district", "other town"}),
    (OTHER_VILLAGE, {"district", "other town", "other village"}),
    # 全市通办: taken in at one village for another, so both lines have it.
    (JOINT, {"district", "town", "village", "other town", "other village"}),
    (f"{TOWN}+{OTHER_VILLAGE}", {"district", "town", "other town", "other village"}),
    (f"330802001000+{VILLAGE}", {"district", "town", "village", "other district"}),
    ("440000000000", set()),
]


@pytest.mark.parametrize(("scope", "shared_by"), SHARED)
def test_a_scope_is_shared_by_its_divisions_and_all_above_them(
    scope: str, shared_by: set[str]
) -> None:
    assert is_scope(scope)
    assert {name for name, who in PEOPLE.items() if holds(who, scope)} == shared_by


COVERED = [
    ("district", DISTRICT, True),
    ("district", TOWN, True),
    ("district", VILLAGE, True),
    ("district", "330802001000", False),
    ("town", TOWN, True),
    ("town", VILLAGE, True),
    ("town", DISTRICT, False),
    ("town", OTHER_VILLAGE, False),
    ("village", VILLAGE, True),
    ("village", TOWN, False),
    ("village", NEIGHBOUR_VILLAGE, False),
]


@pytest.mark.parametrize(("who", "division", "is_covered"), COVERED)
def test_a_node_covers_its_own_division_and_what_lies_below(
    who: str, division: str, is_covered: bool
) -> None:
    assert covers(PEOPLE[who], division) is is_covered


ON_ONE_LINE = [
    ("district", "village", True),
    ("town", "village", True),
    ("village", "village", True),
    ("district", "other town", True),
    ("village", "neighbour", False),
    ("town", "other town", False),
    ("other town", "village", False),
    ("other district", "town", False),
]


@pytest.mark.parametrize(("one", "other", "are"), ON_ONE_LINE)
def test_two_nodes_are_on_one_line_if_one_stands_at_or_above_the_other(
    one: str, other: str, are: bool
) -> None:
    assert on_one_line(PEOPLE[one], PEOPLE[other]) is are
    assert on_one_line(PEOPLE[other], PEOPLE[one]) is are


@pytest.mark.parametrize(
    "scope",
    [
        "",
        "Public",
        "public+public",
        f"{VILLAGE}+{VILLAGE}",  # joined with itself
        f"{OTHER_VILLAGE}+{VILLAGE}",  # unsorted: a second name for the same scope
        f"{DISTRICT}+{TOWN}+{VILLAGE}",
        f"{VILLAGE}+",
        f"+{VILLAGE}",
        f"{VILLAGE}+{PUBLIC}",
        f" {VILLAGE}",
        VILLAGE[:-1],
        VILLAGE[:-1] + "١",  # an Arabic digit
    ],
)
def test_a_scope_has_one_spelling(scope: str) -> None:
    assert not is_scope(scope)


# -- the roster ---------------------------------------------------------------


def test_a_roster_grows_by_one_version_a_step() -> None:
    roster = roster_of(district(), town())

    assert roster.version == 2
    assert roster.certificate(town().id, 1) == town().certificate
    assert roster.certificate(town().id, 2) is None
    assert roster.latest(village().id) is None


@pytest.mark.parametrize("version", [-1, 0, 1, 3, 4, 2**60])
def test_a_roster_takes_the_next_version_only(version: int) -> None:
    roster = roster_of(district())
    step = sign_roster_entry(ROOT_KEY, version, "enrol", encode(town().signed))

    with pytest.raises(NotTrusted, match=f"version {version} after 1"):
        roster.follow(step)

    assert roster.version == 1 and roster.latest(town().id) is None


def test_a_step_that_the_root_has_not_signed_changes_nothing() -> None:
    roster = roster_of(district())
    good = sign_roster_entry(ROOT_KEY, 2, "enrol", encode(town().signed))
    bad = [
        sign_roster_entry(district().sign_key, 2, "enrol", encode(town().signed)),
        msgspec.structs.replace(good, body=encode(other_town().signed)),
        msgspec.structs.replace(good, act="revoke"),
        msgspec.structs.replace(good, signature=b""),
    ]

    for step in bad:
        with pytest.raises(NotTrusted, match="root"):
            roster.follow(step)

    assert roster == roster_of(district())


def test_a_step_signed_for_one_version_is_worth_nothing_for_another() -> None:
    roster = roster_of(district(), town())
    first = sign_roster_entry(ROOT_KEY, 2, "enrol", encode(town().signed))

    with pytest.raises(NotTrusted):
        roster.follow(msgspec.structs.replace(first, version=3))


def test_an_act_of_a_later_version_of_the_program_is_passed_over() -> None:
    roster = roster_of(district())

    roster.follow(sign_roster_entry(ROOT_KEY, 2, "rename", b"\xc1 anything"))
    roster.follow(sign_roster_entry(ROOT_KEY, 3, "enrol", encode(town().signed)))

    assert roster.version == 3
    assert roster.latest(town().id) == town().certificate


@pytest.mark.parametrize("act", ["enrol", "revoke"])
@pytest.mark.parametrize("body", [b"", b"\xc1", encode((1, 2)), bytes(5000)])
def test_a_step_whose_body_cannot_be_read_is_refused_whole(
    act: str, body: bytes
) -> None:
    roster = roster_of(district())

    with pytest.raises(Malformed):
        roster.follow(sign_roster_entry(ROOT_KEY, 2, act, body))

    assert roster == roster_of(district())


def test_the_newest_epoch_of_a_node_is_its_latest() -> None:
    again = someone(40, "town", TOWN, rights=(RIGHT_ENROL,), epoch=2)
    roster = roster_of(district(), again, town())

    assert roster.latest(town().id) == again.certificate
    assert roster.certificate(town().id, 1) == town().certificate


# -- certificates that a town issues ------------------------------------------


def test_a_town_with_the_right_may_introduce_its_villages() -> None:
    roster = roster_of(district(), town())
    new = someone(100, "village", VILLAGE, by=town())

    introduced = roster.introduce(new.signed)

    assert introduced == new.certificate
    assert roster.certificate(new.id, 1) == new.certificate
    assert roster.version == 2


@dataclass(frozen=True)
class Bad:
    what: str
    signed: SignedCertificate
    why: str


def _signed_by(who: Someone, made: Certificate) -> SignedCertificate:
    return issue(who.sign_key, msgspec.structs.replace(made, issuer=who.id))


VILLAGE_CERTIFICATE = certificate(100, "village", VILLAGE)
BAD_CERTIFICATES = [
    Bad("by nobody", someone(100, "village", VILLAGE, by=village()).signed, "known"),
    Bad(
        "by a town without the right",
        someone(100, "village", OTHER_VILLAGE, by=other_town()).signed,
        "no right",
    ),
    Bad(
        "in another branch",
        someone(100, "village", OTHER_VILLAGE, by=town()).signed,
        "no right",
    ),
    Bad(
        "above itself",
        someone(100, "district", DISTRICT, by=town()).signed,
        "no right",
    ),
    Bad("at its own tier", someone(100, "town", TOWN, by=town()).signed, "no right"),
    Bad(
        "with a right that only the root gives",
        someone(100, "village", VILLAGE, rights=(RIGHT_ROSTER,), by=town()).signed,
        "no right",
    ),
    Bad(
        "with that right behind a harmless one",
        someone(
            100, "village", VILLAGE, rights=(RIGHT_ENROL, RIGHT_ROSTER), by=town()
        ).signed,
        "no right",
    ),
    Bad(
        "with a right unknown here",
        someone(100, "village", VILLAGE, rights=("judge",), by=town()).signed,
        "no right",
    ),
    Bad(
        "in the root's name",
        issue(town().sign_key, VILLAGE_CERTIFICATE),
        "signature",
    ),
    Bad(
        "in the district's name",
        issue(
            town().sign_key,
            msgspec.structs.replace(VILLAGE_CERTIFICATE, issuer=district().id),
        ),
        "signature",
    ),
    Bad(
        "changed after signing",
        SignedCertificate(
            encode(
                msgspec.structs.replace(
                    VILLAGE_CERTIFICATE, issuer=town().id, name="other"
                )
            ),
            _signed_by(town(), VILLAGE_CERTIFICATE).signature,
        ),
        "signature",
    ),
]


@pytest.mark.parametrize("bad", BAD_CERTIFICATES, ids=lambda bad: bad.what)
def test_a_certificate_that_its_issuer_may_not_issue_is_refused(bad: Bad) -> None:
    powerless = someone(70, "town", OTHER_TOWN)
    roster = roster_of(district(), town(), powerless)

    with pytest.raises(NotTrusted, match=bad.why):
        roster.introduce(bad.signed)

    assert roster == roster_of(district(), town(), powerless)


def test_a_signature_under_a_roster_step_is_none_under_a_certificate() -> None:
    body = encode(VILLAGE_CERTIFICATE)
    signature = seal.sign(ROOT_KEY, b"roster", body)

    with pytest.raises(NotTrusted):
        roster_of().introduce(SignedCertificate(body, signature))


def test_what_a_town_introduced_stands_once_the_roster_names_it() -> None:
    roster = roster_of(district(), town())
    new = someone(100, "village", VILLAGE, by=town())
    roster.introduce(new.signed)

    roster.follow(sign_roster_entry(ROOT_KEY, 3, "enrol", encode(new.signed)))
    roster.introduce(new.signed)

    assert not roster.provisional
    assert roster.everyone() == [
        district().certificate,
        town().certificate,
        new.certificate,
    ]


def test_a_town_cannot_replace_what_the_roster_says() -> None:
    roster = roster_of(district(), town(), village())
    other = someone(100, "village", NEIGHBOUR_VILLAGE, by=town())

    roster.introduce(other.signed)

    assert roster.certificate(village().id, 1) == village().certificate


def test_a_town_cannot_speak_for_the_district_by_a_newer_epoch() -> None:
    # The district's signing key is public. With a certificate of its own making the
    # town replaces the sealing key and the TLS pin that everybody uses for the
    # district: `latest` returns it, and the district would even enrol it.
    roster = roster_of(district(), town())
    stolen = msgspec.structs.replace(
        certificate(10, "village", VILLAGE, epoch=2, issuer=town().id),
        seal_key=seal.public_seal_key(key(200)),
    )
    signed = issue(town().sign_key, stolen)

    with pytest.raises(NotTrusted):
        roster.introduce(signed)


def test_a_town_cannot_speak_for_another_town_by_a_newer_epoch() -> None:
    roster = roster_of(district(), town(), other_town())
    stolen = msgspec.structs.replace(
        certificate(70, "village", VILLAGE, epoch=2, issuer=town().id),
        consent=other_town().certificate.consent,  # it asked the root, once
    )
    below_the_other = someone(160, "village", OTHER_VILLAGE, by=other_town())

    with suppress(NotTrusted):
        roster.introduce(issue(town().sign_key, stolen))

    assert roster.latest(other_town().id) == other_town().certificate
    assert roster.introduce(below_the_other.signed) == below_the_other.certificate


def _asked(
    *, keys: int = 101, tls: bytes = bytes(32), epoch: int = 1, issuer: bytes = b""
) -> bytes:
    seal_key = seal.public_seal_key(key(keys))
    return give_consent(key(100), seal_key, tls, epoch, issuer or town().id)


@pytest.mark.parametrize(
    "consent",
    [
        pytest.param(b"", id="none"),
        pytest.param(bytes(64), id="zeros"),
        pytest.param(_asked(keys=102), id="for another sealing key"),
        pytest.param(_asked(tls=b"t" * 32), id="for another TLS key"),
        pytest.param(_asked(epoch=2), id="for another epoch"),
        pytest.param(_asked(issuer=other_town().id), id="to another town"),
        pytest.param(_asked(issuer=node_id(ROOT)), id="to the root"),
        pytest.param(
            give_consent(
                town().sign_key, seal.public_seal_key(key(101)), bytes(32), 1, town().id
            ),
            id="by the town itself",
        ),
    ],
)
def test_nobody_is_certified_who_has_not_asked_this_issuer_for_it(
    consent: bytes,
) -> None:
    roster = roster_of(district(), town())
    made = certificate(100, "village", VILLAGE, issuer=town().id)

    with pytest.raises(NotTrusted, match="has not asked"):
        roster.introduce(
            issue(town().sign_key, msgspec.structs.replace(made, consent=consent))
        )

    assert roster == roster_of(district(), town())
    assert made.consent == _asked()


def test_two_towns_that_name_one_node_come_out_the_same_in_any_order() -> None:
    ours = someone(100, "village", VILLAGE, by=town())
    theirs = someone(100, "village", OTHER_VILLAGE, by=other_town())
    found = []

    for order in ((ours, theirs), (theirs, ours)):
        roster = roster_of(district(), town(), other_town())
        for one in order:
            with suppress(NotTrusted):
                roster.introduce(one.signed)
        found.append(roster.certificate(ours.id, 1))

    assert found[0] == found[1]


# -- revocation ---------------------------------------------------------------


def _revoke(roster: Roster, who: Someone, epoch: int, sequence: int) -> RosterEntry:
    body = encode(Revocation(who.id, epoch, sequence))
    return sign_roster_entry(ROOT_KEY, roster.version + 1, "revoke", body)


@pytest.mark.parametrize(
    ("epoch", "sequence", "is_cut"),
    [
        (1, 1, False),
        (1, 4, False),  # what came before stays valid
        (1, 5, True),  # from here on nothing counts
        (1, 2**39, True),
        (2, 5, False),  # a new epoch is a new beginning
    ],
)
def test_a_revocation_cuts_a_stream_at_its_sequence(
    epoch: int, sequence: int, is_cut: bool
) -> None:
    roster = roster_of(district(), town())

    roster.follow(_revoke(roster, town(), 1, 5))

    assert roster.is_cut(town().id, epoch, sequence) is is_cut
    assert not roster.is_cut(district().id, epoch, sequence)
    assert roster.is_revoked(town().id)
    assert not roster.is_revoked(district().id)


@pytest.mark.parametrize("order", [(5, 9), (9, 5)])
def test_of_two_revocations_the_earlier_cut_counts(order: tuple[int, int]) -> None:
    roster = roster_of(district(), town())

    for sequence in order:
        roster.follow(_revoke(roster, town(), 1, sequence))

    assert roster.is_cut(town().id, 1, 5) and not roster.is_cut(town().id, 1, 4)


def test_a_revoked_node_comes_back_with_a_new_epoch() -> None:
    roster = roster_of(district(), town())
    roster.follow(_revoke(roster, town(), 1, 5))
    again = someone(40, "town", TOWN, rights=(RIGHT_ENROL,), epoch=2)

    roster.follow(sign_roster_entry(ROOT_KEY, 4, "enrol", encode(again.signed)))

    assert not roster.is_revoked(town().id)
    assert roster.is_cut(town().id, 1, 5) and not roster.is_cut(town().id, 2, 5)


def test_a_town_cannot_bring_back_a_village_that_the_district_revoked() -> None:
    bad = someone(100, "village", VILLAGE, by=town())
    roster = roster_of(district(), town(), bad)
    roster.follow(_revoke(roster, bad, 1, 1))

    with suppress(NotTrusted):
        roster.introduce(someone(100, "village", VILLAGE, epoch=2, by=town()).signed)

    assert roster.is_revoked(bad.id)


def test_a_revoked_town_introduces_nobody() -> None:
    roster = roster_of(district(), town())
    roster.follow(_revoke(roster, town(), 1, 5))

    with pytest.raises(NotTrusted):
        roster.introduce(someone(100, "village", VILLAGE, by=town()).signed)


# -- the line above -----------------------------------------------------------


def test_a_new_village_is_given_the_line_above_it_from_the_top() -> None:
    first, neighbour = village(), someone(130, "village", NEIGHBOUR_VILLAGE)
    roster = roster_of(neighbour, first, other_town(), town(), district())

    line = roster.line_above(VILLAGE, last=first.id)

    assert [one.read() for one in line] == [
        district().certificate,
        town().certificate,
        first.certificate,
    ]


def test_the_line_above_has_every_node_there_and_those_not_yet_on_the_roster() -> None:
    roster = roster_of(district(), town())
    second_town = someone(190, "town", TOWN)
    new = someone(100, "village", VILLAGE, by=town())
    roster.follow(sign_roster_entry(ROOT_KEY, 3, "enrol", encode(second_town.signed)))
    roster.introduce(new.signed)

    line = [one.read().node for one in roster.line_above(VILLAGE, last=new.id)]

    assert line[0] == district().id and line[-1] == new.id
    assert set(line[1:-1]) == {town().id, second_town.id}


def test_a_roster_begins_with_its_root_and_nobody_on_it() -> None:
    roster = Roster(ROOT)

    assert roster.version == 0 and roster.everyone() == []
    assert roster.line_above(VILLAGE, last=b"") == ()
