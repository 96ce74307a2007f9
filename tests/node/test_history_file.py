"""A case's signed entries as a file: what it proves, and what is refused."""

import random
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from node import audit, history, history_file, history_proof, roster
from node.cases import open_case
from node.errors import HistoryRefused, NotFound, WriteForbidden
from node.history_file import Head, Paper, Seal, Stretch
from node.history_proof import Compared
from node.lifecycle import Step
from node.wiring import Node
from sync import seal
from sync.stream import KIND_CHANGE, Entry, link
from tests.node.forge import put_back, put_entry
from tests.node.nodes import (
    Three,
    causes,
    clone,
    reopen,
    step,
    submit,
    sync,
    sync_all,
)

Lines = list[bytes]


def told(nodes: Three) -> str:
    """Return a case with entries of all three tiers, among those of other cases."""
    others = [submit(nodes.village) for _ in range(2)]
    case = submit(nodes.village)
    others += [submit(nodes.village) for _ in range(2)]
    sync_all(nodes)
    for one in (*others, case):
        step(nodes.town, one.id, Step.ACCEPT)
    sync_all(nodes)
    step(nodes.town, case.id, Step.FORWARD)
    sync_all(nodes)
    step(nodes.district, case.id, Step.GRANT)
    sync_all(nodes)
    return case.id


def saved(node: Node, case: str, path: Path) -> bytes:
    history_proof.save(node, open_case(node, case), path)
    return path.read_bytes()


def resealed(node: Node, lines: Lines) -> bytes:
    """Return changed lines as whoever has this node's key would hand them out."""
    above = b"".join(line + b"\n" for line in lines)
    signature = seal.sign(node.secrets.sign_key, b"history", seal.sha256(above))
    return above + msgspec.json.encode(Seal(signature)) + b"\n"


def why(data: bytes, node: Node) -> tuple[str, int]:
    """Return why a file is refused, and at which entry."""
    with pytest.raises(HistoryRefused) as caught:
        history_file.verify(data, node.roster)
    return caught.value.why, caught.value.sequence


def test_every_node_of_the_district_believes_what_any_other_has_exported(
    nodes: Three, tmp_path: Path
) -> None:
    case = told(nodes)

    for maker in (nodes.village, nodes.town, nodes.district):
        path = tmp_path / f"{maker.tier}.jsonl"
        saved(maker, case, path)
        for reader in nodes:
            found = history_proof.read(reader, path)

            steps = [str(event.step) for _, event in found.events if event]
            tiers = [one.author.tier for one, _ in found.events]
            assert steps == ["submit", "accept", "forward", "grant"]
            assert tiers == ["village", "town", "town", "district"]
            assert found.verified.maker == maker.certificate
            is_held = reader.id != nodes.other_village.id
            assert found.compared == (Compared.SAME if is_held else Compared.ABSENT)


def test_a_file_is_for_its_owner_only_and_is_written_down_first(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit(nodes.village)
    path = tmp_path / "a.jsonl"

    saved(nodes.village, case.id, path)

    (row, *_) = nodes.village.store.registry.audits(9)
    assert path.stat().st_mode & 0o777 == 0o600
    assert (row.act, row.subject) == (audit.EXPORT_HISTORY, case.row.number)
    assert row.by == nodes.village.operator


def test_nothing_is_written_where_it_cannot_be_answered_for(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit(nodes.village)
    put_back(nodes.village)

    with pytest.raises(WriteForbidden):
        saved(nodes.village, case.id, tmp_path / "a.jsonl")

    assert list(tmp_path.glob("a*")) == []


def test_any_byte_that_was_changed_is_noticed(nodes: Three, tmp_path: Path) -> None:
    case = told(nodes)
    data = saved(nodes.town, case, tmp_path / "a.jsonl")
    places = random.Random(7).sample(range(len(data)), 150)

    for at in places:
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        why(changed, nodes.district)


def test_a_file_that_was_cut_anywhere_is_refused(nodes: Three, tmp_path: Path) -> None:
    data = saved(nodes.town, told(nodes), tmp_path / "a.jsonl")

    for at in range(0, len(data), 97):
        why(data[:at], nodes.district)
    why(data + b"\n", nodes.district)
    why(data + data, nodes.district)


def split(data: bytes) -> Lines:
    return data.split(b"\n")[:-2]


def of_line(line: bytes) -> Head | Paper | Stretch:
    return msgspec.json.decode(line, type=Head | Paper | Stretch)


def swap(
    lines: Lines, kind: type, change: Callable[[object], object], at: int = 0
) -> Lines:
    """Return the lines with the `at`-th of a kind changed."""
    places = [n for n, line in enumerate(lines) if isinstance(of_line(line), kind)]
    made = list(lines)
    number = places[at]
    made[number] = msgspec.json.encode(change(of_line(lines[number])))
    return made


def without(lines: Lines, kind: type, at: int) -> Lines:
    places = [n for n, line in enumerate(lines) if isinstance(of_line(line), kind)]
    return [line for n, line in enumerate(lines) if n != places[at]]


def test_a_maker_who_takes_an_entry_out_is_found_out(
    nodes: Three, tmp_path: Path
) -> None:
    """He has the key to seal the file with, and none of the others' keys."""
    lines = split(saved(nodes.town, told(nodes), tmp_path / "a.jsonl"))
    count = sum(isinstance(of_line(line), Stretch) for line in lines)
    assert count >= 3

    found = {
        why(resealed(nodes.town, without(lines, Stretch, at)), nodes.district)[0]
        for at in range(count)
    }
    kept = [
        why(resealed(nodes.town, without(lines, Paper, at)), nodes.village)[0]
        for at in range(3)
    ]

    assert found == {"before", "lacking"}
    assert set(kept) <= {"author", "maker"}


def test_a_maker_who_changes_an_entry_is_found_out_and_the_entry_is_named(
    nodes: Three, tmp_path: Path
) -> None:
    lines = split(saved(nodes.town, told(nodes), tmp_path / "a.jsonl"))
    structs = msgspec.structs

    def first_row(change: Callable[[object], object]) -> Callable[[object], object]:
        def on(one: object) -> object:
            assert isinstance(one, Stretch)
            return structs.replace(one, rows=(change(one.rows[0]), *one.rows[1:]))

        return on

    stretch = next(s for s in map(of_line, lines) if isinstance(s, Stretch))
    other = seal.sha256(b"other")
    changes: dict[str, Callable[[object], object]] = {
        "payload": first_row(lambda row: structs.replace(row, payload=b"x")),
        "left-out": first_row(lambda row: structs.replace(row, payload=None)),
        "chain": first_row(lambda row: structs.replace(row, written_at_ms=1)),
        "signature": lambda one: structs.replace(one, signature=bytes(64)),
        "author": lambda one: structs.replace(one, epoch=9),
    }
    for expected, change in changes.items():
        data = resealed(nodes.town, swap(lines, Stretch, change))
        cause, sequence = why(data, nodes.district)
        assert cause == expected
        assert stretch.first <= sequence <= stretch.first + len(stretch.rows)

    huge = first_row(lambda row: structs.replace(row, written_at_ms=2**80))
    data = resealed(nodes.town, swap(lines, Stretch, huge))
    assert why(data, nodes.district)[0] == "unreadable"

    def whole(**what: object) -> str:
        made = swap(lines, Head, lambda one: structs.replace(one, **what))
        return why(resealed(nodes.town, made), nodes.district)[0]

    assert whole(root=other) == "district"
    assert whole(format=2) == "format"
    assert whole(changes=9) == "lacking"
    assert whole(number="1") == "payload"
    assert whole(node=bytes(16)) == "maker"
    assert whole(made_at_ms=2**52) == "unreadable"
    assert whole(scope="张三") == "unreadable"
    assert why(resealed(nodes.village, lines), nodes.district)[0] == "seal"


def test_a_file_of_thousands_of_rows_that_nobody_has_signed_is_refused_in_time(
    nodes: Three, tmp_path: Path
) -> None:
    lines = saved(nodes.town, told(nodes), tmp_path / "a.jsonl").splitlines()
    head = msgspec.json.decode(lines[0], type=Head)
    papers = [line for line in lines if b'"certificate"' in line]
    aside = tuple(number.to_bytes(32) for number in range(20_000))
    previous = chain_hash = bytes(32)
    rows = []
    for number in range(2, 20_002):
        entry = Entry(number, KIND_CHANGE, head.document, 1, 1, aside[-1], None)
        chain_hash = link(chain_hash, entry)
        rows.append(history_file.row_of(entry, chain_hash, is_shown=False))
    stretch = Stretch(nodes.town.id, 1, 2, previous, tuple(rows), bytes(64))
    made = [
        msgspec.json.encode(structs.replace(head, aside=aside)),
        *papers,
        msgspec.json.encode(stretch),
        msgspec.json.encode(Seal(bytes(64))),
    ]

    began_s = time.process_time()
    found = why(b"".join(line + b"\n" for line in made), nodes.other_village)

    assert found == ("signature", 20_001)
    assert time.process_time() - began_s < 2


def test_a_certificate_of_another_district_vouches_for_nobody(
    nodes: Three, tmp_path: Path
) -> None:
    lines = split(saved(nodes.town, told(nodes), tmp_path / "a.jsonl"))

    def forged(one: object) -> object:
        assert isinstance(one, Paper)
        return msgspec.structs.replace(
            one, body=one.body[:-1] + bytes([one.body[-1] ^ 1])
        )

    def unsigned(one: object) -> object:
        return msgspec.structs.replace(one, signature=bytes(64))

    for change in (forged, unsigned):
        for at in range(3):
            data = resealed(nodes.town, swap(lines, Paper, change, at))
            assert why(data, nodes.district)[0] == "certificate"


def test_what_a_node_wrote_after_it_was_revoked_does_not_count(
    nodes: Three, tmp_path: Path
) -> None:
    case = submit(nodes.village)
    sync(nodes.village, nodes.town)
    path = tmp_path / "a.jsonl"
    saved(nodes.town, case.id, path)
    assert history_proof.read(nodes.district, path).compared is Compared.ABSENT

    roster.revoke(nodes.district, nodes.village.certificate, "电脑被偷")

    assert why(path.read_bytes(), nodes.district)[0] == "revoked"


def test_a_file_is_told_beside_what_is_held(nodes: Three, tmp_path: Path) -> None:
    case = submit(nodes.village)
    sync_all(nodes)
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    saved(nodes.village, case.id, old)
    step(nodes.village, case.id, Step.AMEND, phone="13700137001")
    saved(nodes.village, case.id, new)
    step(nodes.town, case.id, Step.ACCEPT)

    found = [
        (one.compared, one.more, one.fewer)
        for one in (
            history_proof.read(nodes.village, old),
            history_proof.read(nodes.district, new),
            history_proof.read(nodes.town, new),
        )
    ]

    assert found == [
        (Compared.OLDER, 0, 1),
        (Compared.NEWER, 1, 0),
        (Compared.OTHER, 1, 1),
    ]


def test_a_newer_format_is_told_from_what_is_no_history(nodes: Three) -> None:
    newer = b'{"type":"head","format":2,"what":[1]}\n{"type":"?"}\n'

    assert why(newer, nodes.town)[0] == "format"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"{}\n",
        b"[" * 100_000 + b"\n",
        b'{"type":"head"}\n',
        b"\xff\xfe\n" * 9,
        b"\n" * 20_000,
        b"x" * (history_file.FILE_LIMIT_BYTES + 1),
    ],
    ids=["nothing", "line", "empty", "deep", "short", "no text", "lines", "large"],
)
def test_what_is_no_history_is_refused_at_once(nodes: Three, data: bytes) -> None:
    assert why(data, nodes.town)[0] in ("unreadable", "too-large")


def test_a_file_that_is_not_there_is_told(nodes: Three, tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(NotFound):
            history_proof.read(nodes.town, path)


def test_a_case_that_a_copied_node_wrote_in_is_proven_along_both_branches(
    nodes: Three, tmp_path: Path
) -> None:
    """The parting itself was never signed: what comes behind it covers it."""
    case, path = submit(nodes.village), tmp_path / "a.jsonl"
    with closing(
        reopen(clone(nodes.village, nodes.path / "copy"), nodes.clock)
    ) as copy:
        step(nodes.village, case.id, Step.AMEND, phone="13700137001")
        step(copy, case.id, Step.AMEND, phone="13700137002")
        submit(copy)
        sync(nodes.village, nodes.town)
        sync(copy, nodes.town)
        sync_all(nodes)

        for maker in (nodes.town, nodes.district):
            data = saved(maker, case.id, path)
            found = history_proof.read(nodes.other_village, path)

            assert [str(event.step) for _, event in found.events if event] == [
                "submit",
                "amend",
                "amend",
            ]
            assert history_file.verify(data, nodes.town.roster).maker
            assert len(history.traces(maker, open_case(maker, case.id))) == 3


def test_what_the_maker_has_not_taken_is_named_and_proves_nothing(
    nodes: Three, tmp_path: Path
) -> None:
    case, path = submit(nodes.village), tmp_path / "a.jsonl"
    put_entry(nodes.village, case.row.document, b"no change at all")
    step(nodes.village, case.id, Step.AMEND, phone="13700137001")
    sync_all(nodes)
    assert causes(nodes.town) != []

    saved(nodes.town, case.id, path)
    found = history_proof.read(nodes.district, path)

    assert len(found.events) == 2 and len(found.verified.head.aside) == 1
    assert found.compared is Compared.SAME
