"""Enrolled nodes that mean harm: whatever they sign harms their own entries only."""

import random
import time
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec
import pytest

from forms.package import decode
from node import absorb, casework, enrol, upkeep
from node.batches import BatchList
from node.cases import open_case
from node.lifecycle import Step
from node.wiring import Node
from sync import bundle
from sync.canonical import encode
from sync.errors import Malformed, NotTrusted
from sync.exchange import encode_parcel
from sync.identity import (
    Certificate,
    Revocation,
    SignedCertificate,
    give_consent,
    issue,
    join_scope,
    node_id,
    sign_roster_entry,
)
from sync.seal import public_seal_key, public_sign_key, sha256
from sync.stream import (
    KIND_BATCH,
    KIND_CERTIFICATE,
    KIND_CHANGE,
    Entry,
    StreamId,
    genesis,
)
from sync.vector import Head
from tests.node.forge import (
    as_if_upon,
    birth,
    chunk_of,
    chunk_signed,
    claim,
    copy_of,
    last_op_of,
    package_of,
    parcel,
    put_entries,
    put_entry,
    refusals,
    repaired,
    revoke,
    send,
)
from tests.node.nodes import (
    CHEAP,
    DISTRICT,
    ELDER,
    OTHER_TOWN,
    OTHER_VILLAGE,
    TOWN,
    VILLAGE,
    Three,
    answer,
    causes,
    digests,
    enrolled,
    rows,
    shared_digests,
    step,
    story,
    submit,
    sync,
    sync_all,
)

UNREADABLE_AFTER_SAVE = "856f4a83399a0726010f00022002ffffff7f0100000000000a"
ELEVEN_SECONDS = (
    "856f4a8393c610d70129000109010100000006150534034204560457007004b0ea010161b0ea01"
    "b0ea0101b0ea0100b0ea0100"
)
NEVER_RETURNS = (
    "856f4a83d8ef943b01380001090101000000061508340642075607570070078080808080200161"
    "808080808020808080808020018080808080200080808080802000"
)
SIGNATURE = b"\x85\x6f\x4a\x83"


def test_changes_that_break_the_library_harm_nothing_else(nodes: Three) -> None:
    village, town, district = nodes.village, nodes.town, nodes.district
    good = [submit(village) for _ in range(10)]
    attacked = bytes.fromhex(good[0].id)
    for bomb in (UNREADABLE_AFTER_SAVE, ELEVEN_SECONDS, NEVER_RETURNS):
        put_entry(village, attacked, bytes.fromhex(bomb))
    good += [submit(village) for _ in range(10)]

    began_s = time.monotonic()
    report = sync(village, town)
    took_s = time.monotonic() - began_s
    sync(town, district)

    assert took_s < 5
    assert report.refused == ()
    for node in (town, district):
        assert len(causes(node)) == 3
        assert all(row.detail for row in node.store.documents.quarantine(9))
        assert node.store.documents.count() == 20
        assert all(node.store.cases.get(case.row.document) for case in good)
    assert causes(town) == causes(district)
    step(town, good[0].id, Step.ACCEPT)


def test_a_deflate_bomb_is_set_aside_at_once(nodes: Three) -> None:
    case = submit(nodes.village)
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = squeeze.compress(bytes(64 * 1024 * 1024)) + squeeze.flush()
    assert len(body) < 66_000
    length = bytes([len(body) & 0x7F | 0x80, len(body) >> 7 & 0x7F | 0x80])
    bomb = SIGNATURE + bytes(4) + b"\x02" + length + bytes([len(body) >> 14]) + body

    put_entry(nodes.village, bytes.fromhex(case.id), bomb)
    began_s = time.monotonic()
    sync(nodes.village, nodes.town)

    assert time.monotonic() - began_s < 2
    assert causes(nodes.town)[0] in ("too-large", "damaged")
    assert nodes.town.store.documents.count() == 1


def test_three_hundred_mutants_are_set_aside_and_the_good_go_on(nodes: Three) -> None:
    village, town, district = nodes.village, nodes.town, nodes.district
    chance = random.Random(20261121)
    attacked = [submit(village) for _ in range(6)]
    good = []
    for number in range(300):
        case = attacked[number % len(attacked)]
        copy = copy_of(village, case.id)
        raw = bytearray(
            copy.write(village, "amend", {"remark": f"第 {number} 个", "name": "赵"})
        )
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(9, len(raw))
            raw[at] = chance.choice([chance.randrange(256), raw[at] ^ 1, 0, 255])
        put_entry(village, copy.id, repaired(bytes(raw)))
        if number % 30 == 0:
            good.append(submit(village))

    began_s = time.monotonic()
    report = sync(village, town)
    took_s = time.monotonic() - began_s
    sync(town, district)

    assert took_s < 15
    assert report.refused == ()
    assert all(town.store.cases.get(case.row.document) for case in good + attacked)
    assert len(causes(town)) > 200
    assert "backstop" not in causes(town)
    assert causes(town) == causes(district)
    assert shared_digests(town, district)
    assert upkeep.verify(town).faults == ()
    before = rows(town, "SELECT entry, cause FROM quarantine ORDER BY entry")
    upkeep.rebuild(town)
    assert rows(town, "SELECT entry, cause FROM quarantine ORDER BY entry") == before
    assert shared_digests(town, district)


@pytest.mark.parametrize("kind", ["roster", "certificate", "batch", "publication"])
@pytest.mark.parametrize("payload", [b"", b"\x90", b"\xc1" * 50, b"\x93" * 60_000])
def test_other_kinds_of_entries_that_cannot_be_read_harm_nothing(
    nodes: Three, kind: str, payload: bytes
) -> None:
    put_entry(nodes.village, b"", payload, kind=kind)
    case = submit(nodes.village)

    sync_all(nodes)

    for node in (nodes.town, nodes.district):
        assert node.store.cases.get(case.row.document) is not None
        assert causes(node) in ([], [kind])


# -- one bad thing harms one thing -------------------------------------------------


def test_a_time_that_no_store_can_hold_harms_one_case_only(nodes: Three) -> None:
    document, _, raw = birth(
        nodes.village, package_of(nodes.village, ELDER), at=2**64 + 5
    )
    put_entry(nodes.village, document, raw)
    good = submit(nodes.village)

    sync(nodes.village, nodes.town)

    assert nodes.town.store.cases.get(good.row.document) is not None


def test_a_batch_that_no_store_can_hold_harms_itself_only(nodes: Three) -> None:
    batch = BatchList(b"b" * 16, "330881105-261121-B001", "x", 2**63, ())
    put_entry(nodes.village, b"", encode(batch), kind=KIND_BATCH)
    good = submit(nodes.village)

    sync(nodes.village, nodes.town)

    assert nodes.town.store.cases.get(good.row.document) is not None


@pytest.mark.parametrize("scope", ["public", VILLAGE])
def test_a_false_claim_does_not_stop_anybody_from_writing(
    nodes: Three, scope: str
) -> None:
    heads = [Head(nodes.district.id, 1, 2**40, bytes(32))]
    heads.append(Head(nodes.town.id, 1, 2**40, bytes(32)))

    send(
        nodes.village, nodes.town, parcel(vectors=[claim(nodes.village, scope, heads)])
    )
    sync_all(nodes)

    case = submit(nodes.village)
    sync_all(nodes)
    step(nodes.town, case.id, Step.ACCEPT)
    enrolled(nodes.district, nodes.path / "t2", "town", OTHER_TOWN, "别镇").close()


def test_a_vector_of_nonsense_leaves_nothing_behind(nodes: Three) -> None:
    before = rows(nodes.town, "SELECT count(*) FROM streams")
    heads = [Head(bytes([i]) * 16, 1, 7, bytes(32)) for i in range(200)]

    send(
        nodes.village,
        nodes.town,
        parcel(vectors=[claim(nodes.village, VILLAGE, heads)]),
    )

    assert rows(nodes.town, "SELECT count(*) FROM streams") == before


def test_a_vector_makes_no_rows_for_streams_that_are_not_here(nodes: Three) -> None:
    village, town = nodes.village, nodes.town
    tables = ("streams", "vector_heads", "arrivals")

    def count(table: str) -> int:
        return int(rows(town, f"SELECT count(*) FROM {table}")[0][0])

    submit(village)
    sync(village, town)
    before = [count(table) for table in tables]
    made_up = [
        Head(author.id, epoch, 2**40, bytes(32))
        for author in (village, town)
        for epoch in range(2, 500)
    ]

    send(village, town, parcel(vectors=[claim(village, VILLAGE, made_up)]))
    for sequence in range(50, 90):
        head = Head(village.id, 1, sequence, bytes(32))
        vector = claim(village, VILLAGE, [head], counter=2**50 + sequence)
        send(village, town, parcel(vectors=[vector]))

    after = [count(table) for table in tables]
    assert after[0] == before[0] and sum(after) <= sum(before) + 2
    assert town.store.arrivals.owed_by(village.id)[0] > 0, "it is still shown"


def test_scopes_that_somebody_has_made_up_are_not_kept_and_not_told(
    nodes: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any twelve digits behind one's own make a scope that both share."""
    monkeypatch.setattr(absorb, "MAX_SCOPES_AHEAD", 2)
    village, town = nodes.village, nodes.town
    nowhere = [join_scope(VILLAGE, f"{n:012}") for n in range(30)]
    places = [join_scope(VILLAGE, one) for one in (OTHER_VILLAGE, TOWN, DISTRICT)]
    head = Head(village.id, 1, 5, bytes(32))

    empty = [claim(village, scope, []) for scope in (*nowhere, *places)]
    send(village, town, parcel(vectors=empty))
    full = [claim(village, scope, [head], 2**51) for scope in (*nowhere, *places)]
    send(village, town, parcel(vectors=full))

    kept = {v.scope for v in town.store.vectors.all()}
    assert kept & {*nowhere, *places} == set(places[:2])
    assert not {*nowhere, *places} & set(town.store.vectors.scopes(town.id))
    assert town.store.refusals.count() == 0


def test_chunks_that_came_in_go_out_again(nodes: Three) -> None:
    village, town = nodes.village, nodes.town
    stream = StreamId(village.id, 1, VILLAGE)
    noise = random.Random(1)
    for count in (3, 7):
        for _ in range(count):
            put_entry(village, b"", noise.randbytes(500 * 1024), kind="later")
        last = village.store.journal.head(stream)[0]
        stored = village.store.journal.entries(stream, last - count + 1, last)
        previous = village.store.journal.hash_at(stream, last - count)
        assert previous is not None
        entries = [one.entry for one in stored]
        send(village, town, parcel([chunk_signed(village, stream, previous, entries)]))
    case = submit(village)
    sync(village, town)

    sync(town, nodes.district)

    assert nodes.district.store.cases.get(case.row.document) is not None


def test_the_time_for_a_long_case_grows_with_its_length(nodes: Three) -> None:
    took_s = []
    for count in (100, 400):
        case = submit(nodes.village)
        copy = copy_of(nodes.village, case.id)
        for number in range(count):
            raw = copy.write(nodes.village, "amend", {"remark": str(number)})
            put_entry(nodes.village, copy.id, raw)
        began_s = time.process_time()
        sync(nodes.village, nodes.town)
        took_s.append(time.process_time() - began_s)

    assert causes(nodes.town) == []
    assert took_s[1] < 8 * took_s[0]


def test_one_bad_change_in_a_long_case_is_found_in_time(nodes: Three) -> None:
    case = submit(nodes.village)
    copy = copy_of(nodes.village, case.id)
    for number in range(100):
        raw = copy.write(nodes.village, "amend", {"remark": str(number)})
        put_entry(nodes.village, copy.id, raw)
    last = max(copy.events, key=lambda key: copy.events[key].clock)
    (head,) = copy.document.heads()
    copy.write(nodes.village, "amend", {"remark": "从不送出"})
    bad = copy.write(nodes.village, "amend", {"remark": "坏"}, seen=(last,), clock=102)
    # What it overwrites is nowhere: our own reading lets it pass, the library does not.
    put_entry(nodes.village, copy.id, as_if_upon(bad, head, last_op_of(raw)))

    began_s = time.monotonic()
    sync(nodes.village, nodes.town)

    assert time.monotonic() - began_s < 3
    assert causes(nodes.town) == ["library"]
    assert len(story(nodes.town, case.id)) == 101


def test_what_waits_does_not_make_every_exchange_dearer(
    nodes: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = package_of(nodes.village, ELDER)
    for number in range(30):
        document, _, raw = birth(
            nodes.village,
            package,
            change=lambda w, n=number: w.update(package=f"{n:064x}"),  # type: ignore[misc]
        )
        put_entry(nodes.village, document, raw)
    sync(nodes.village, nodes.town)
    assert nodes.town.store.documents.counts() == (30, 0)
    begin, transactions = nodes.town.store.transaction, []

    def counted() -> AbstractContextManager[None]:
        transactions.append(1)
        return begin()

    monkeypatch.setattr(nodes.town.store, "transaction", counted)
    sync(nodes.village, nodes.town)

    assert len(transactions) < 10


def test_a_material_that_cannot_be_read_does_not_close_the_case(nodes: Three) -> None:
    case = submit(nodes.village)
    copy = copy_of(nodes.village, case.id)
    more = {"materials": {"a" * 64: '{"x":' + "[" * 1000}}
    put_entry(nodes.village, copy.id, copy.write(nodes.village, "amend", more=more))

    sync(nodes.village, nodes.town)

    assert open_case(nodes.town, case.id).fields == case.fields


@pytest.mark.parametrize(
    "name",
    [
        '王"小" OR 1',
        "a\x00b",
        "\u202e张三\u2066",
        "'; DROP TABLE cases; --",
        "*" * 300,
        "𠮷" * 3000,
        "",
    ],
)
def test_any_name_can_be_kept_and_found(nodes: Three, name: str) -> None:
    document, _, raw = birth(
        nodes.village, package_of(nodes.village, ELDER), fields={"name": name}
    )
    put_entry(nodes.village, document, raw)

    sync_all(nodes)

    assert causes(nodes.town) == causes(nodes.district) == []
    row = nodes.town.store.cases.get(document)
    assert row is not None and row.applicant == name
    assert upkeep.verify(nodes.town).faults == ()


# -- nobody speaks for another -----------------------------------------------------


def test_nobody_replaces_the_batch_of_another(nodes: Three) -> None:
    case = submit(nodes.village)
    sync(nodes.village, nodes.town)
    step(nodes.town, case.id, Step.ACCEPT)
    batch, _ = casework.forward_batch(nodes.town, [case.id])
    sync_all(nodes)

    forged = BatchList(batch.id, batch.number, "somebody", 5, ())
    put_entry(nodes.village, b"", encode(forged), kind=KIND_BATCH)
    sync_all(nodes)

    for node in (nodes.town, nodes.district):
        assert [row.body for row in node.store.registry.batches(5)] == [batch.body]


def _certificate(issuer: Node, key: bytes, **changed: object) -> SignedCertificate:
    """Return a certificate that `issuer` signs for whoever holds `key`."""
    public, sealing = public_sign_key(key), public_seal_key(key)
    fields: dict[str, object] = {
        "node": node_id(public),
        "sign_key": public,
        "seal_key": sealing,
        "epoch": 1,
        "tier": "village",
        "division": "330881105209",
        "name": "影子村",
        "terminal": 1,
        "rights": (),
        "issuer": issuer.id,
        "tls_fingerprint": bytes(32),
    }
    fields["consent"] = give_consent(key, sealing, bytes(32), 1, issuer.id)
    certificate = msgspec.structs.replace(issuer.certificate, **(fields | changed))
    assert isinstance(certificate, Certificate)
    return issue(issuer.secrets.sign_key, certificate)


KEY = bytes(range(32))


def test_a_town_certifies_a_village_below_it(nodes: Three) -> None:
    signed = _certificate(nodes.town, KEY)

    put_entry(nodes.town, b"", encode(signed), kind=KIND_CERTIFICATE)
    sync_all(nodes)

    for node in nodes:
        assert "影子村" in [c.name for c in node.roster.everyone()]


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ([(1, 1), (2, 2), (3, 3)], {1, 2, 3}),
        ([(3, 3), (2, 2), (1, 1)], {1, 2, 3}),  # in whatever order they come
        ([(1, 1), (3, 2), (4, 3)], {1}),  # none is left out
        ([(2, 1), (3, 2)], set()),
        ([(1, 1), (2, 1), (3, 2)], {1}),  # a number was given twice
        ([(1, 0)], set()),
        ([(1, 100)], set()),
    ],
)
def test_the_district_takes_up_by_itself_only_what_follows(
    nodes: Three, given: list[tuple[int, int]], taken: set[int]
) -> None:
    for epoch, terminal in given:
        seal_key = public_seal_key(bytes(range(1, 33)))
        try:
            signed = _certificate(
                nodes.town,
                KEY,
                epoch=epoch,
                terminal=terminal,
                seal_key=seal_key,
                consent=give_consent(KEY, seal_key, bytes(32), epoch, nodes.town.id),
            )
        except Malformed:
            continue
        put_entry(nodes.town, b"", encode(signed), kind=KIND_CERTIFICATE)
    sync_all(nodes)

    who = node_id(public_sign_key(KEY))
    for node in (nodes.district, nodes.other_village):
        assert {epoch for one, epoch in node.roster.enrolled if one == who} == taken
    latest = nodes.other_village.roster.latest(who)
    assert (latest.epoch if latest else 0) == max(taken, default=0)


@pytest.mark.parametrize(
    "changed",
    [
        {"division": "330881106201"},  # another town's village
        {"division": OTHER_TOWN, "tier": "town"},
        {"division": TOWN, "tier": "town"},  # its own level
        {"rights": ("roster",)},
        {"rights": ("enrol", "roster")},
        {"consent": bytes(64)},
        {"sign_key": public_sign_key(bytes(32)), "node": bytes(16)},
    ],
    ids=str,
)
def test_a_town_certifies_nobody_else(nodes: Three, changed: dict[str, object]) -> None:
    try:
        signed = _certificate(nodes.town, KEY, **changed)
    except Exception:  # noqa: BLE001 - such a thing cannot even be signed
        return

    put_entry(nodes.town, b"", encode(signed), kind=KIND_CERTIFICATE)
    sync_all(nodes)

    for node in nodes:
        assert "影子村" not in [c.name for c in node.roster.everyone()]
    assert causes(nodes.district) == ["certificate"]


def test_a_village_certifies_nobody(nodes: Three) -> None:
    signed = _certificate(nodes.village, KEY, division=VILLAGE)

    put_entry(nodes.village, b"", encode(signed), kind=KIND_CERTIFICATE)
    sync_all(nodes)

    assert causes(nodes.town) == causes(nodes.district) == ["certificate"]
    assert "影子村" not in [c.name for c in nodes.town.roster.everyone()]


def test_a_town_cannot_take_the_name_of_a_node_that_has_not_asked(
    nodes: Three,
) -> None:
    district = nodes.district.certificate
    stolen = msgspec.structs.replace(
        district,
        epoch=2,
        tier="village",
        division="330881105209",
        rights=(),
        issuer=nodes.town.id,
        seal_key=nodes.town.certificate.seal_key,
    )

    put_entry(
        nodes.town,
        b"",
        encode(issue(nodes.town.secrets.sign_key, stolen)),
        kind=KIND_CERTIFICATE,
    )
    sync_all(nodes)

    for node in nodes:
        assert node.roster.latest(nodes.district.id) == district


def test_a_revoked_town_enrols_nobody(nodes: Three) -> None:
    case = submit(nodes.village)
    sync_all(nodes)
    step(nodes.town, case.id, Step.ACCEPT)
    next_one = nodes.town.store.journal.head(StreamId(nodes.town.id, 1, VILLAGE))[0] + 1
    revoke(nodes, nodes.town, next_one)

    signed = _certificate(nodes.town, KEY)
    put_entry(nodes.town, b"", encode(signed), kind=KIND_CERTIFICATE, scope=VILLAGE)
    # The village has not heard of it yet, and carries both ways.
    sync(nodes.village, nodes.town)
    sync(nodes.village, nodes.district)

    assert "影子村" not in [c.name for c in nodes.district.roster.everyone()]


def test_a_roster_step_is_taken_from_the_root_only(nodes: Three) -> None:
    """The district's own node key is not the root key."""
    version = nodes.district.roster.version
    forged = sign_roster_entry(
        nodes.district.secrets.sign_key,
        version + 1,
        "revoke",
        encode(Revocation(nodes.town.id, 1, 1)),
    )
    put_entry(nodes.district, b"", encode(forged), kind="roster", scope="public")

    sync_all(nodes)

    assert {n.roster.version for n in nodes} == {version}
    assert causes(nodes.town) == ["roster"]
    assert not nodes.village.roster.is_revoked(nodes.town.id)


def test_a_change_under_a_name_of_a_later_epoch_is_not_taken(nodes: Three) -> None:
    """Nobody begins an epoch by himself."""
    village = nodes.village
    stream = StreamId(village.id, 2, VILLAGE)
    document, _, raw = birth(village, package_of(village, ELDER))
    entry = Entry(1, KIND_CHANGE, document, 1, 5, sha256(raw), raw)
    chunk = chunk_signed(village, stream, genesis(stream), [entry])

    send(village, nodes.town, parcel([chunk]))

    assert nodes.town.store.documents.count() == 0
    assert nodes.town.store.refusals.count() == 1


def test_two_births_of_one_document_are_one(nodes: Three) -> None:
    nonce = b"\x05" * 8
    village = nodes.village
    package = package_of(village, ELDER)
    one = birth(village, package, nonce=nonce, fields={"name": "甲"})
    two = birth(village, package, nonce=nonce, fields={"name": "乙"})
    assert one[0] == two[0]

    put_entries(village, [(one[0], one[2]), (two[0], two[2])])
    sync_all(nodes)

    for node in (nodes.town, nodes.district):
        assert causes(node) == ["duplicate"]
        row = node.store.cases.get(one[0])
        assert row is not None and row.applicant == "甲"


def test_which_of_two_births_stands_does_not_depend_on_the_way(nodes: Three) -> None:
    village, town, district = nodes.village, nodes.town, nodes.district
    old = next(r for r in district.store.registry.current_packages())
    package = decode(old.body)
    upkeep.publish(
        district,
        [msgspec.structs.replace(package, version=str(int(package.version) + 1))],
    )
    newer = district.store.registry.current_packages()[0].digest
    sync(village, district)
    nonce = b"\x05" * 8
    one = birth(village, newer, nonce=nonce, fields={"name": "甲"})
    two = birth(village, old.digest, nonce=nonce, fields={"name": "乙"})
    put_entries(village, [(one[0], one[2]), (two[0], two[2])])

    send(village, town, parcel([chunk_of(village, StreamId(village.id, 1, VILLAGE))]))
    sync_all(nodes)

    assert shared_digests(town, district)


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[Node]:
    """The district of another root, with a certificate that looks just as good."""
    node = enrol.init_district(
        tmp_path / "stranger",
        division=DISTRICT,
        name="江山市",
        operator="x",
        password="x",
        cost=CHEAP,
    )
    yield node
    node.close()


def test_a_stranger_leaves_no_trace(nodes: Three, stranger: Node) -> None:
    before = digests(nodes.town)
    chunk = chunk_of(stranger, StreamId(stranger.id, 1, "public"))
    data = bundle.wrap(
        encode_parcel(parcel([chunk])),
        sender=stranger.certificate,
        sign_key=stranger.secrets.sign_key,
        recipient=nodes.town.certificate,
        roster_version=1,
    )

    with pytest.raises(NotTrusted, match="not enrolled"):
        answer(nodes.town, data)

    assert digests(nodes.town) == before
    # A stranger must not fill our disk with refusals either.
    assert nodes.town.store.refusals.count() == 0


def test_what_a_stranger_wrote_is_not_taken_from_a_friend(
    nodes: Three, stranger: Node
) -> None:
    put_entry(stranger, b"", b"x", kind="later", scope=VILLAGE)
    streams = [StreamId(stranger.id, 1, scope) for scope in ("public", VILLAGE)]
    before = digests(nodes.town)

    chunks = [chunk_of(stranger, stream) for stream in streams]
    send(nodes.village, nodes.town, parcel(chunks))

    assert digests(nodes.town) == before
    assert [word for word, _ in refusals(nodes.town)] == ["chunk", "chunk"]
    assert all("not enrolled" in why for _, why in refusals(nodes.town))
    assert stranger.id not in {c.node for c in nodes.town.roster.everyone()}
