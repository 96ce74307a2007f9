"""What concurrent writes should come to, reckoned without reading any change.

A `Replica` writes through the library and keeps beside it a plain model: which writes
it knows, and which of them each write took the place of. It shares no code with
`sync`, so that the two can be compared.
"""

from dataclasses import dataclass, field

from automerge import core

Scalar = str | int | bool | None
OpId = tuple[int, bytes]
Place = tuple[str | None, str]
"""(map below the root, or None for the root itself; key)."""

MAPS = ("fields", "events")
TYPES = {
    str: core.ScalarType.Str,
    bool: core.ScalarType.Boolean,
    int: core.ScalarType.Int,
    type(None): core.ScalarType.Null,
}


@dataclass(frozen=True)
class Write:
    """One value put in one place, and the writes that it replaced."""

    id: OpId
    place: Place
    value: Scalar
    replaced: frozenset[OpId]


@dataclass(frozen=True)
class Step:
    """One change: what the model says that it must say."""

    hash: bytes
    dependencies: frozenset[bytes]
    actor: bytes
    sequence: int
    start_op: int
    writes: tuple[Write, ...]


@dataclass
class Replica:
    """One person's copy."""

    actor: bytes
    inner: core.Document
    counter: int
    sequence: int = 0
    known: dict[OpId, Write] = field(default_factory=dict)
    steps: dict[bytes, Step] = field(default_factory=dict)

    def put(self, writes: dict[Place, Scalar]) -> Step | None:
        """Write in one change; None if every value stood already, alone."""
        before = self.inner.get_heads()
        self.inner.set_actor(self.actor)
        made = []
        start = self.counter + 1
        with self.inner.transaction() as tx:
            for (container, key), value in writes.items():
                into = core.ROOT
                if container is not None:
                    found = self.inner.get(core.ROOT, container)
                    assert found is not None
                    into = found[1]
                tx.put(into, key, TYPES[type(value)], value)
                living = self.living((container, key))
                if len(living) == 1 and same(living[0].value, value):
                    continue
                self.counter += 1
                replaced = frozenset(one.id for one in living)
                made.append(
                    Write((self.counter, self.actor), (container, key), value, replaced)
                )
        if not made:
            assert self.inner.get_heads() == before
            return None
        self.known |= {write.id: write for write in made}
        self.sequence += 1
        (head,) = self.inner.get_heads()
        step = Step(
            head, frozenset(before), self.actor, self.sequence, start, tuple(made)
        )
        self.steps[head] = step
        return step

    def merge(self, other: "Replica") -> None:
        """Take in all that the other knows."""
        self.inner.merge(other.inner)
        self.known |= other.known
        self.steps |= other.steps
        self.counter = max(self.counter, other.counter)

    def living(self, place: Place) -> list[Write]:
        """Return the writes in a place that nothing known has replaced, by id."""
        gone = {old for write in self.known.values() for old in write.replaced}
        return sorted(
            (w for w in self.known.values() if w.place == place and w.id not in gone),
            key=lambda w: w.id,
        )

    def places(self) -> set[Place]:
        return {write.place for write in self.known.values()}


def same(one: Scalar, other: Scalar) -> bool:
    """Say whether two values are the same, also in type: True is not 1."""
    return type(one) is type(other) and one == other


def begin(actors: list[bytes]) -> list[Replica]:
    """Return one replica for each actor, of a document with its maps and no values."""
    birth = core.Document()
    birth.set_actor(b"\x00" * 24)
    with birth.transaction() as tx:
        for name in MAPS:
            tx.put_object(core.ROOT, name, core.ObjType.Map)
    saved = birth.save()
    return [
        Replica(actor, core.Document.load(saved), counter=len(MAPS)) for actor in actors
    ]
