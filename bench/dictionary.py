"""Make the zstd dictionary for small bundles: `make dictionary`, once for a release.

A bundle with one case is mostly what every bundle says: the keys of forms and events,
the columns of a change, ethnicities and addresses. The dictionary holds that, so that
it need not travel. It is trained on parcels made here from the catalogue that ships and
from invented applications, whose digits are drawn once more: no name in it is
anybody's, and no number is a valid one but by chance.

The samples are the same each time: no key, clock or chance of this machine is in them.
What zstd makes of them may differ between its versions, and with the catalogue and the
words of `node.sample`. So the file is kept in the project, a released one is never made
again (a test knows its hash), and a better one gets the next number.
"""

import datetime as dt
from base64 import b32encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

import zstandard

from forms import package
from forms.author.packing import read_packages
from forms.catalog import shipped
from forms.check import CHINA
from forms.service import Delivery
from node.facts import HANDLINGS, MATERIAL_STATES
from node.lifecycle import Event, Step, encode_event
from node.numbering import check_character
from node.policy import SCHEMA, author_prefix
from node.sample import SAMPLED, Application, applications
from sync.actor import NONCE_BYTES, actor_of, document_id
from sync.canonical import encode
from sync.document import Document
from sync.envelope import Parent, change_hash
from sync.exchange import Parcel, encode_parcel
from sync.identity import NODE_ID_BYTES
from sync.packing import DICTIONARIES, LEVEL, NEWEST_DICTIONARY
from sync.seal import HASH_BYTES, SIGNATURE_BYTES, sha256
from sync.stream import KIND_CHANGE, Checkpoint, Chunk, Entry, StreamId, pack
from sync.vector import Head, SignedVector, Vector

SIZE_BYTES = 32 * 1024
"""Half as much makes a bundle with one case an eighth larger, others hardly."""

_SEED = 20260302
_COUNTY = "330881"
_VILLAGES = 400
_CASES = 3
_TOLD = 0.5
"""How often a step says of a thing what it need not."""
_PHONE = "13800000000"
_FIRST_DAY = dt.date(2026, 3, 2)
_WORDS = (
    "材料不全，请补正后再交",
    "情况属实，同意",
    "不符合规定的条件",
    "本人要求撤回",
)


@dataclass(slots=True)
class _Author:
    """A node, and what it has written in one scope."""

    node: bytes
    scope: str
    name: str
    draw: Random
    entries: list[Entry] = field(default_factory=list)
    sent: int = 0

    def put(self, document: bytes, payload: bytes, at_ms: int) -> None:
        self.entries.append(
            Entry(
                len(self.entries) + 1, KIND_CHANGE, document, 4, at_ms,
                sha256(payload), payload,
            )
        )  # fmt: skip

    def chunk(self) -> Chunk:
        """Return what was written since the last chunk."""
        first, self.sent = self.sent, len(self.entries)
        return pack(
            StreamId(self.node, 1, self.scope),
            self.entries[first:],
            Checkpoint(self.sent, *_signed(self.draw)),
            lambda documents: self._before(documents, first),
        )

    def _before(self, documents: object, first: int) -> list[Parent]:
        return [
            Parent(one.sequence, one.document, change)
            for one in self.entries[:first]
            if one.payload and (change := change_hash(one.payload))
        ]


@dataclass(slots=True)
class _Case:
    """A case, as all who write in it have it."""

    id: bytes
    document: Document
    at_ms: int
    seen: str
    clock: int = 1

    def step(
        self,
        by: _Author,
        step: Step,
        note: str = "",
        fields: Mapping[str, str] = {},
        facts: Mapping[str, str] = {},
        batch: str = "",
    ) -> None:
        """Let somebody take a step in it."""
        self.at_ms += by.draw.randrange(60_000, 90_000_000)
        self.clock += 1
        event = Event(
            step=step, at=self.at_ms, by=by.name, seen=(self.seen,), clock=self.clock,
            note=note, fields=tuple(sorted(fields)), batch=batch, facts=facts,
        )  # fmt: skip
        self.seen = f"{author_prefix(by.node)}-{self.at_ms}"
        writes = {"events": {self.seen: encode_event(event)}}
        if fields:
            writes["fields"] = dict(fields)
        raw = self.document.write(self.document.actor_for(by.node, writes), writes)
        by.put(self.id, raw, self.at_ms)


def samples(seed: int = _SEED, villages: int = _VILLAGES) -> Iterator[bytes]:
    """Yield bodies of small bundles, as they go up and down in a district."""
    draw = Random(seed)
    packages = {one.item.code: one for one in read_packages(shipped(), SAMPLED)}
    for number in range(villages):
        division = f"{_COUNTY}{draw.randrange(100, 125)}{draw.randrange(201, 240)}"
        village, town, district = (
            _Author(draw.randbytes(NODE_ID_BYTES), division, name, draw)
            for name in ("代办员", "镇审核", "区部门")
        )
        today = _FIRST_DAY + dt.timedelta(days=number)
        drawn = applications(
            list(packages.values()),
            seed=seed + number,
            today=today,
            division=division,
            count=_CASES,
        )
        for count, application in enumerate(drawn, 1):
            row = package.digest(package.encode(packages[application.item_code]))
            case = _submitted(village, application, row, today, count)
            yield _body(village)
            phones = {key for key in application.answers if key.endswith("phone")}
            for key in sorted(phones)[:1]:
                case.step(village, Step.AMEND, fields={key: _masked(_PHONE, draw)})
                yield _body(village)
            papers = _papers(packages[application.item_code], draw)
            fault = {"fault/1": draw.choice(_WORDS)}
            case.step(town, Step.RETURN, draw.choice(_WORDS), facts=fault | _seal(draw))
            case.step(town, Step.ACCEPT, facts=papers | _seal(draw))
            batch = f"{division[:9]}-{today:%y%m%d}-B{count:03}"
            case.step(town, Step.FORWARD, batch=batch)
            yield _body(town)
            case.step(district, Step.GRANT, draw.choice(_WORDS), facts=_seal(draw))
            yield _body(district)


def _submitted(
    village: _Author, application: Application, package_digest: str, day: dt.date,
    count: int,
) -> _Case:  # fmt: skip
    """Let a village submit a case, as `node.drafting` writes it."""
    morning = dt.datetime.combine(day, dt.time(8, 30), CHINA)
    at_ms = int(morning.timestamp() * 1000) + village.draw.randrange(30_000_000)
    digits = f"{village.scope}{day:%y%m%d}01{count:04d}"
    event_id = f"{author_prefix(village.node)}-{at_ms}"
    facts = {
        "handling": village.draw.choice(HANDLINGS),
        "delivery": village.draw.choice(list(Delivery)).value,
        "trips": "1",
    }
    event = Event(
        step=Step.SUBMIT,
        at=at_ms,
        by=village.name,
        facts=facts if village.draw.random() < _TOLD else {},
    )
    actor = actor_of(village.node, village.draw.randbytes(NONCE_BYTES))
    document, raw = Document.begin(
        actor,
        {
            "v": SCHEMA,
            "item": application.item_code,
            "package": package_digest,
            "number": digits + check_character(digits),
            "fields": {
                key: _masked(value, village.draw)
                for key, value in application.answers.items()
            },
            "events": {event_id: encode_event(event)},
            "materials": {},
        },
    )
    key = document_id(actor, village.scope)
    village.put(key, raw, at_ms)
    return _Case(key, document, at_ms, event_id)


def _papers(one: package.Package, draw: Random) -> dict[str, str]:
    """Return what a desk says of the papers that it has looked at."""
    states = list(MATERIAL_STATES)
    return {
        f"material/{material.key}": draw.choice(states)
        for material in one.item.materials
        if draw.random() < _TOLD
    }


def _seal(draw: Random) -> dict[str, str]:
    """Return what stands for the signature of the paper that goes with a step."""
    return {"seal": b32encode(draw.randbytes(SIGNATURE_BYTES)).decode().rstrip("=")}


def _masked(answer: str, draw: Random) -> str:
    """Return an answer with other digits; where it begins in the county it stays."""
    kept = _COUNTY if answer.startswith(_COUNTY) else ""
    return kept + "".join(
        str(draw.randrange(10)) if c.isdigit() else c for c in answer[len(kept) :]
    )


def _body(author: _Author) -> bytes:
    """Return what somebody has to say after its last word."""
    chunk = author.chunk()
    head = Head(author.node, 1, chunk.checkpoint.sequence, chunk.checkpoint.hash)
    at_ms = author.entries[-1].written_at_ms
    vector = Vector(author.node, 1, author.scope, author.sent, at_ms, (head,))
    knows, signature = _signed(author.draw)
    signed = SignedVector(encode(vector), signature)
    return encode_parcel(Parcel(knows, (signed,), (chunk,), (), (), more=False))


def _signed(draw: Random) -> tuple[bytes, bytes]:
    """Return what stands for a hash and a signature: nothing that could be learnt."""
    return draw.randbytes(HASH_BYTES), draw.randbytes(SIGNATURE_BYTES)


def main() -> None:
    """Write the dictionary where `sync.bundle` looks for it."""
    trained = zstandard.train_dictionary(
        SIZE_BYTES, list(samples()), level=LEVEL, dict_id=NEWEST_DICTIONARY
    )
    path = DICTIONARIES / f"{NEWEST_DICTIONARY}.zdict"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(trained.as_bytes())
    print(f"{path}: {len(trained)} bytes, {sha256(trained.as_bytes()).hex()}")


if __name__ == "__main__":
    main()
