"""Three nodes on one line, and a post that does what it likes.

Any parcel may be lost, cut, repeated, reordered, or come when its sender has long been
put back to an older state. In the end everybody has everything, everybody knows it of
everybody, and nobody has anything more to say.
"""

import copy
from collections import Counter
from dataclasses import dataclass, field

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sync.exchange import Outgoing, Speech, decode_parcel, encode_parcel
from sync.identity import holds
from sync.stream import StreamId
from sync.vector import Vector, owed, sign_vector
from tests.sync.samples import (
    DISTRICT,
    TOWN,
    VILLAGE,
    Someone,
    district,
    town,
    village,
)
from tests.sync.test_exchange import PEOPLE, Shelf, is_quiet, talk

SCOPES = {
    district().id: (DISTRICT, TOWN, VILLAGE, "public"),
    town().id: (TOWN, VILLAGE),
    village().id: (VILLAGE,),
}
LINKS = [(village().id, town().id), (town().id, district().id)]
WAYS = [*LINKS, *((b, a) for a, b in LINKS)]

Letter = tuple[bytes, bytes, bytes]
"""(sender, recipient, parcel)."""

FEW_BYTES, SOME_BYTES, MANY_BYTES = 5, 15, 2**20
GOOD_DAYS = 6


@dataclass
class Node(Shelf):
    """A node in memory that may be put back, and says so as a real one does.

    `signed` counts over all copies of the node: no two of its vectors bear the same
    number, as they would not where each takes a random step.
    """

    signed: Counter[bytes] = field(default_factory=Counter)

    def speech(self, peer: Someone) -> Speech:
        scopes = {s.scope for s in self.logs} | {scope for _, scope in self.vectors}
        shared = {s for s in scopes if holds(peer.certificate, s)}
        for scope in sorted(shared):
            self._sign_vector(scope)
        told = self.told.get(peer.id, {})
        return Speech(self, peer.id, shared, self.shared(peer), told)

    def _sign_vector(self, scope: str) -> None:
        heads = tuple(self.heads(scope))
        known = self.vector_of(self.me.id, scope)
        if known is None or known.heads != heads:
            self.signed[self.me.id] += 1
            # A step further than any copy of this node has gone with the same number.
            step = 1 + self.signed[self.me.id] * 1000
            counter = step + (known.counter if known else 0)
            vector = Vector(self.me.id, 1, scope, counter, 1000, heads)
            signed = sign_vector(self.me.sign_key, vector)
            self.vectors[self.me.id, scope] = (vector, signed)

    def saved(self) -> "Node":
        """Return a copy that shares nothing but what it cannot forget."""
        return Node(
            self.me,
            copy.deepcopy(self.logs),
            dict(self.vectors),
            copy.deepcopy(self.told),
            self.signed,
        )


class Net(RuleBasedStateMachine):
    """The nodes, their backups, and everything that is on its way."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes = {id_: Node(one) for id_, one in PEOPLE.items()}
        self.backups: list[Node] = []
        self.ever: dict[tuple[bytes, StreamId], list[bytes]] = {}
        self.post: list[Letter] = []
        self.written = 0

    # -- what people and machines do

    @rule(data=st.data(), who=st.sampled_from(sorted(PEOPLE)), size=st.integers(0, 40))
    def write(self, data: st.DataObject, who: bytes, size: int) -> None:
        if self._is_behind(who):
            return  # such a node may not write, see `node.journal`
        scope = data.draw(st.sampled_from(SCOPES[who]))
        self.written += 1
        self.nodes[who].write(scope, b"%d " % self.written + bytes(size))

    @rule(
        way=st.sampled_from(WAYS),
        limit=st.sampled_from([FEW_BYTES, SOME_BYTES, MANY_BYTES]),
        is_believed=st.booleans(),
    )
    def post_a_run(
        self, way: tuple[bytes, bytes], limit: int, is_believed: bool
    ) -> None:
        """Say all that there is to say; the sender may believe that it has arrived."""
        sender, recipient = way
        speech = self.nodes[sender].speech(PEOPLE[recipient])
        said: Outgoing | None = None
        while made := speech.parcel(limit):
            said = made
            self.post.append((sender, recipient, encode_parcel(made.parcel)))
        assert said is not None and said.is_last
        if is_believed:
            self.nodes[sender].told[recipient] = said.told

    @precondition(lambda self: self.post)
    @rule(data=st.data(), stays=st.booleans())
    def deliver(self, data: st.DataObject, stays: bool) -> None:
        """Deliver any parcel of the post; it may stay, to be delivered again."""
        at = data.draw(st.integers(0, len(self.post) - 1))
        sender, recipient, body = self.post[at]
        if not stays:
            del self.post[at]
        self.nodes[recipient].absorb(PEOPLE[sender], decode_parcel(body))

    @precondition(lambda self: self.post)
    @rule()
    def deliver_all(self) -> None:
        """Deliver the whole post, in order."""
        for sender, recipient, body in self.post:
            self.nodes[recipient].absorb(PEOPLE[sender], decode_parcel(body))
        self.post.clear()

    @precondition(lambda self: self.post)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        del self.post[data.draw(st.integers(0, len(self.post) - 1))]

    @precondition(lambda self: self.post)
    @rule(data=st.data())
    def cut(self, data: st.DataObject) -> None:
        """Let only some chunks and vectors of a parcel arrive."""
        at = data.draw(st.integers(0, len(self.post) - 1))
        sender, recipient, body = self.post.pop(at)
        parcel = decode_parcel(body)
        half = msgspec.structs.replace(
            parcel,
            chunks=parcel.chunks[data.draw(st.integers(0, len(parcel.chunks))) :],
            vectors=parcel.vectors[: data.draw(st.integers(0, len(parcel.vectors)))],
        )
        self.nodes[recipient].absorb(PEOPLE[sender], half)

    @rule(who=st.sampled_from(sorted(PEOPLE)))
    def back_up(self, who: bytes) -> None:
        self.backups.append(self.nodes[who].saved())

    @precondition(lambda self: self.backups)
    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        """Put a node back to an older state, if all that it loses lies elsewhere."""
        backup = data.draw(st.sampled_from(self.backups))
        lost = self.nodes[backup.me.id].logs
        others = [n for id_, n in self.nodes.items() if id_ != backup.me.id]
        is_elsewhere = all(
            len(log.entries) == _held(backup, stream)
            or any(len(log.entries) <= _held(other, stream) for other in others)
            for stream, log in lost.items()
        )
        if is_elsewhere:
            self.nodes[backup.me.id] = backup.saved()

    @rule()
    def heal(self) -> None:
        """Some good days: everybody talks until all is said; then nobody says more."""
        for _ in range(GOOD_DAYS):
            for one, other in LINKS:
                talk(self.nodes[one], self.nodes[other])
        for one, other in LINKS:
            for said in talk(self.nodes[one], self.nodes[other]):
                assert is_quiet(said)
                assert len(encode_parcel(said.parcel)) < 300
            self._assert_same(self.nodes[one], self.nodes[other])

    # -- what must hold

    @invariant()
    def nobody_claims_what_it_has_never_had(self) -> None:
        for who, node in self.nodes.items():
            for stream, log in node.logs.items():
                had = self.ever.setdefault((who, stream), [])
                assert log.hashes[: len(had)] == had[: len(log.hashes)]
                had += log.hashes[len(had) :]
        for node in self.nodes.values():
            for (holder, scope), (vector, _) in node.vectors.items():
                for head in vector.heads:
                    had = self.ever[holder, StreamId(head.node, head.epoch, scope)]
                    assert had[head.sequence - 1] == head.hash

    def teardown(self) -> None:
        self.heal()

    def _is_behind(self, who: bytes) -> bool:
        return any(
            _held(node, stream) > _held(self.nodes[who], stream)
            for node in self.nodes.values()
            for stream in node.logs
            if stream.node == who
        )

    def _assert_same(self, one: Shelf, other: Shelf) -> None:
        for scope in {s.scope for s in one.logs} | {s.scope for s in other.logs}:
            if not (
                holds(one.me.certificate, scope) and holds(other.me.certificate, scope)
            ):
                continue
            assert one.heads(scope) == other.heads(scope)
            for mine, yours in ((one, other), (other, one)):
                word = mine.vector_of(yours.me.id, scope)
                assert word is not None and list(word.heads) == yours.heads(scope)
                assert owed(scope, mine.heads(scope), word) == []


def _held(node: Shelf, stream: StreamId) -> int:
    log = node.logs.get(stream)
    return len(log.entries) if log else 0


TestNet = Net.TestCase
TestNet.settings = settings(
    deadline=None, derandomize=True, max_examples=150, stateful_step_count=40
)
