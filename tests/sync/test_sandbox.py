import os
import signal
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest

from sync.change import Change, read_change, tree_of
from sync.document import Document, Tree, merge_changes
from sync.errors import ChangeRefused
from sync.sandbox import BACKSTOP, GROUP_JOBS, Sandbox
from sync.seal import sha256
from sync.worker import Job, Outcome
from sync.worker import run as run_here
from tests.sync.changes import (
    ACTOR,
    MAGIC,
    NEVER_RETURNS,
    OTHER_ACTOR,
    UNREADABLE_AFTER_SAVE,
    Written,
    a_case,
    body_of,
    chunk,
    column,
    craft,
    leb,
    mutants,
    one_put,
    run,
    sleb,
)

MUTANTS = 24_000
CASE = a_case()
BODIES = [body_of(written.raw) for written in CASE]
THIRD = b"\x33" * 24

BIRTH = read_change(CASE[0].raw)
BIRTH_OPS = len(BIRTH.ops)
FIELDS_OP = next(op.id[0] for op in BIRTH.ops if op.key == "fields")
NAME_OP = next(op.id[0] for op in BIRTH.ops if op.key == "name")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as made:
        yield made


def job(written: Written) -> Job:
    change = read_change(written.raw)
    return Job(
        written.before,
        [written.raw],
        [change.hash],
        [list(change.dependencies), [change.hash]],
    )


def test_a_change_is_applied_proven_and_looked_at(sandbox: Sandbox) -> None:
    written = CASE[1]

    (outcome,) = sandbox.run([job(written)])

    expected = merge_changes(written.before, [written.raw])
    assert outcome.refused == ""
    assert tuple(outcome.heads) == expected.heads()
    assert outcome.tree == expected.tree()
    assert outcome.looked == [Document.load(written.before).tree(), expected.tree()]
    assert Document.load(outcome.snapshot).heads() == expected.heads()


def test_the_child_says_what_the_same_code_says_here(sandbox: Sandbox) -> None:
    jobs = [job(written) for written in CASE]

    assert sandbox.run(jobs) == [run_here(one) for one in jobs]


def test_a_first_change_alone_is_its_own_snapshot(sandbox: Sandbox) -> None:
    (outcome,) = sandbox.run([job(CASE[0])])

    document = Document.load(CASE[0].raw)
    assert outcome.refused == ""
    assert (outcome.snapshot, outcome.tree) == (b"", {})
    assert tuple(outcome.heads) == document.heads() == (BIRTH.hash,)
    assert outcome.looked == [{}, document.tree()]
    assert tree_of(BIRTH) == document.tree()


def test_a_first_change_with_more_to_come_is_saved_and_proven(
    sandbox: Sandbox,
) -> None:
    raws = [CASE[0].raw, CASE[1].raw]
    hashes = [read_change(raw).hash for raw in raws]

    (outcome,) = sandbox.run([Job(b"", raws, hashes, [])])
    (later,) = sandbox.run([Job(CASE[0].raw, raws[1:], hashes[1:], [])])

    assert outcome.snapshot and outcome.tree
    assert later == outcome  # it does not matter how much came together


def test_a_first_change_that_is_not_what_was_expected_is_refused(
    sandbox: Sandbox,
) -> None:
    (outcome,) = sandbox.run([Job(b"", [CASE[0].raw], [bytes(32)], [])])

    assert outcome.refused and outcome.refused != BACKSTOP


def test_many_jobs_come_back_in_order(sandbox: Sandbox) -> None:
    jobs = []
    for number in range(2 * GROUP_JOBS + 50):
        _, birth = Document.begin(ACTOR, {"v": number, "fields": {}})
        jobs.append(Job(b"", [birth], [read_change(birth).hash], []))

    outcomes = sandbox.run(jobs)

    assert [one.heads for one in outcomes] == [one.expected for one in jobs]
    assert sandbox.run([]) == []


def test_a_change_that_was_not_taken_up_is_said_so(sandbox: Sandbox) -> None:
    missing = job(CASE[1])
    missing.expected.append(bytes(32))
    alone = Job(CASE[0].raw, [CASE[3].raw], [read_change(CASE[3].raw).hash], [])

    outcomes = sandbox.run([missing, alone, job(CASE[1])])

    assert [bool(one.refused) for one in outcomes] == [True, True, False]
    assert BACKSTOP not in {one.refused for one in outcomes}


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"garbage",
        UNREADABLE_AFTER_SAVE,
        CASE[1].raw[:-1],
        chunk(b""),
        chunk(bytes(200)),
    ],
)
def test_bytes_that_the_library_does_not_take_are_refused(
    sandbox: Sandbox, bad: bytes
) -> None:
    (outcome,) = sandbox.run([Job(CASE[1].before, [bad], [bytes(32)], [])])

    assert outcome.refused and outcome.refused != BACKSTOP
    assert outcome.snapshot == b""


# -- what kills the child -----------------------------------------------------


def test_a_job_that_hangs_the_child_is_found_and_the_others_are_done() -> None:
    # The bomb goes round read_change, which would never let it through.
    bomb = Job(b"", [NEVER_RETURNS], [], [])
    jobs = [job(CASE[n % len(CASE)]) for n in range(20)]
    jobs.insert(3, bomb)

    with Sandbox(time_limit_s=2) as sandbox:
        outcomes = sandbox.run(jobs)
        again = sandbox.run(jobs[:3])

    assert [n for n, one in enumerate(outcomes) if one.refused] == [3]
    assert outcomes[3].refused == BACKSTOP
    assert outcomes[4].tree == CASE_TREES[3]
    assert [one.refused for one in again] == ["", "", ""]


def test_a_job_that_wants_too_much_memory_harms_itself_only() -> None:
    # After a full flush the same block may stand again and again: 4 GiB of zeros.
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(2**24)) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = block * 256 + packer.flush()
    bomb = MAGIC + bytes(4) + b"\x02" + leb(len(packed)) + packed
    huge = Job(b"", [bomb], [], [])

    with Sandbox() as sandbox:
        (refused,) = sandbox.run([huge])
        (taken,) = sandbox.run([job(CASE[1])])

    assert refused.refused and not taken.refused


def test_a_child_that_was_killed_between_two_calls_is_started_again() -> None:
    with Sandbox() as sandbox:
        sandbox.run([job(CASE[0])])
        child = sandbox._child
        assert child is not None
        os.kill(child.pid, signal.SIGKILL)
        child.wait()

        outcomes = sandbox.run([job(CASE[n]) for n in range(5)])

    assert [one.refused for one in outcomes] == [""] * 5


def test_a_single_job_is_not_blamed_for_a_child_that_died_before_it() -> None:
    with Sandbox() as sandbox:
        sandbox.run([job(CASE[0])])
        child = sandbox._child
        assert child is not None
        os.kill(child.pid, signal.SIGKILL)
        child.wait()

        (outcome,) = sandbox.run([job(CASE[1])])

    assert outcome.refused == ""


def test_a_closed_sandbox_has_no_child_and_may_be_used_again() -> None:
    sandbox = Sandbox()
    sandbox.close()
    sandbox.run([job(CASE[0])])
    child = sandbox._child
    assert child is not None

    sandbox.close()

    assert child.poll() is not None
    assert sandbox.run([job(CASE[0])])[0].refused == ""
    sandbox.close()


# -- what our own reading lets through ----------------------------------------


def _tree(document: Document) -> Tree:
    return document.tree()


def _snapshot(change: Change, outcome: Outcome) -> bytes:
    """Return what is kept: a first change alone is its own snapshot."""
    return outcome.snapshot or change.raw


def _tree_after(change: Change, outcome: Outcome) -> Tree:
    return outcome.tree or tree_of(change)


CASE_TREES = [_tree(merge_changes(one.before, [one.raw])) for one in CASE]


@pytest.fixture(scope="module")
def let_through() -> list[tuple[Written, Change]]:
    """Damaged changes with a right checksum that `read_change` has not refused."""
    found = []
    for origin, stored in mutants(7, MUTANTS, BODIES):
        try:
            found.append((CASE[origin], read_change(stored)))
        except ChangeRefused:
            continue
    return found


def _job(written: Written, change: Change) -> Job:
    look_at = [list(change.dependencies), [change.hash]]
    return Job(written.before, [change.raw], [change.hash], look_at)


def test_what_is_let_through_is_refused_or_gives_a_document_that_loads_again(
    sandbox: Sandbox, let_through: list[tuple[Written, Change]]
) -> None:
    outcomes = sandbox.run([_job(*one) for one in let_through])

    refused = Counter(one.refused for one in outcomes if one.refused)
    assert BACKSTOP not in refused
    assert 500 < len(outcomes) - refused.total() < len(outcomes)
    for (_, change), outcome in zip(let_through, outcomes, strict=True):
        if not outcome.refused:
            again = Document.load(_snapshot(change, outcome))
            assert again.heads() == tuple(sorted(outcome.heads))
            assert again.tree() == _tree_after(change, outcome)
            assert Document.load(again.snapshot()).tree() == again.tree()


def test_what_is_taken_does_to_the_document_what_we_have_read_and_nothing_else(
    sandbox: Sandbox, let_through: list[tuple[Written, Change]]
) -> None:
    # Policy judges by our reading: a write that we do not see would pass it.
    outcomes = sandbox.run([_job(*one) for one in let_through])

    for (_, change), outcome in zip(let_through, outcomes, strict=True):
        if outcome.refused:
            continue
        maps = {
            op.id: op.key for one in (BIRTH, change) for op in one.ops if op.makes_map
        }
        said: dict[tuple[str | None, str], list[object]] = {}
        for op in change.ops:
            container = maps.get(op.container, "?") if op.container else None
            value = dict if op.makes_map else (type(op.value), op.value)
            said.setdefault((container, op.key), []).append(value)
        before, after = (_flat(tree) for tree in outcome.looked)
        for place in before.keys() | after.keys():
            if before.get(place) != after.get(place):
                assert after.get(place) in said[place]


def _flat(tree: Tree) -> dict[tuple[str | None, str], object]:
    flat: dict[tuple[str | None, str], object] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat[None, key] = dict
            flat |= {(key, name): (type(v), v) for name, v in value.items()}
        else:
            flat[None, key] = (type(value), value)
    return flat


def test_the_verdict_over_a_change_does_not_depend_on_what_came_before_it(
    sandbox: Sandbox, let_through: list[tuple[Written, Change]]
) -> None:
    # Somebody else has written at the same time; nodes hear of the two in any order.
    third = {}
    for written in CASE[1:]:
        document = Document.load(written.before)
        meanwhile = document.write(
            THIRD, {"v": 77, "fields": {"name": "x", "age": 1, "poor": None}}
        )
        third[written] = (document.snapshot(), meanwhile)
    some = [one for one in let_through[::2] if one[0] in third]

    alone = sandbox.run([_job(*one) for one in some])
    later = sandbox.run([Job(third[w][0], [c.raw], [c.hash], []) for w, c in some])
    earlier = sandbox.run(
        [Job(w.before, [c.raw, third[w][1]], [c.hash], []) for w, c in some]
    )

    for one, two, three in zip(alone, later, earlier, strict=True):
        assert bool(one.refused) == bool(two.refused) == bool(three.refused)
        if not one.refused:
            assert two.tree == three.tree and sorted(two.heads) == sorted(three.heads)


# -- changes that are well formed and say something odd --------------------------


@dataclass(frozen=True)
class Odd:
    """One put of "x" into `fields`, crafted; ids are (index of the actor, counter)."""

    what: str
    overwrites: tuple[tuple[int, int], ...] = ((1, NAME_OP),)
    container: tuple[int, int] = (1, FIELDS_OP)
    actors: tuple[bytes, ...] = (OTHER_ACTOR, ACTOR)
    start_op: int = BIRTH_OPS + 1
    is_taken: bool = False

    def raw(self) -> bytes:
        actor, counter = self.container
        numbers = [0, *(number for _, number in self.overwrites)]
        return craft(
            one_put(
                object_actor=run(1, leb(actor)),
                object_counter=run(1, leb(counter)),
                key_text=sleb(-1) + b"\x04name",
                pred_count=run(1, leb(len(self.overwrites))),
                pred_actor=column([leb(who) for who, _ in self.overwrites]),
                pred_counter=column([sleb(b - a) for a, b in pairwise(numbers)]),
            ),
            actor=self.actors[0],
            others=self.actors[1:],
            start_op=self.start_op,
            dependencies=(read_change(CASE[0].raw).hash,),
        )


THREE = (OTHER_ACTOR, ACTOR, THIRD)
ODD = [
    Odd("nothing odd", is_taken=True),
    Odd("names nothing that it replaces", overwrites=(), is_taken=True),
    Odd(
        "replaces a write that it cannot have seen", ((2, BIRTH_OPS + 1),), actors=THREE
    ),
    Odd(
        "replaces that and what it has seen",
        ((1, NAME_OP), (2, BIRTH_OPS + 1)),
        actors=THREE,
    ),
    Odd("replaces a write of another field", overwrites=((1, NAME_OP + 1),)),
    Odd("replaces the map itself", overwrites=((1, FIELDS_OP),)),
    Odd("replaces what never was", overwrites=((1, 500),)),
    Odd("replaces itself", overwrites=((0, BIRTH_OPS + 1),)),
    Odd("replaces the same twice", overwrites=((1, NAME_OP), (1, NAME_OP))),
    Odd("writes into what never was", container=(1, 99)),
    Odd("writes into a scalar", container=(1, NAME_OP)),
    Odd("numbers its writes from one again", start_op=1),
    Odd("numbers its writes beyond what the library counts", start_op=2**32),
]


UNREAD = [
    Odd("writes into itself", container=(0, BIRTH_OPS + 1)),
    Odd("writes into what it will never write", container=(0, BIRTH_OPS + 2)),
    Odd("names an actor that it does not need", actors=THREE),
    Odd("names an actor twice", actors=(OTHER_ACTOR, ACTOR, ACTOR)),
    Odd("names itself again", actors=(OTHER_ACTOR, ACTOR, OTHER_ACTOR)),
    Odd("names an actor that is empty", actors=(OTHER_ACTOR, ACTOR, b"")),
]


@pytest.mark.parametrize("odd", UNREAD, ids=lambda odd: odd.what)
def test_what_the_library_would_never_say_is_refused_as_it_is_read(odd: Odd) -> None:
    with pytest.raises(ChangeRefused):
        read_change(odd.raw())

    # And well so: the library does not take it, or not in every order.
    raw = odd.raw()
    assert run_here(Job(CASE[1].before, [raw], [sha256(raw[8:])], [])).refused


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.what)
def test_the_verdict_over_an_odd_change_is_the_same_in_every_order(
    sandbox: Sandbox, odd: Odd
) -> None:
    base = CASE[1].before
    change = read_change(odd.raw())
    copy = Document.load(base)
    meanwhile = copy.write(THIRD, {"fields": {"name": "third"}})
    both = [change.hash, read_change(meanwhile).hash]

    alone, first, second, later = sandbox.run(
        [
            Job(base, [change.raw], both[:1], []),
            Job(base, [change.raw, meanwhile], both, []),
            Job(base, [meanwhile, change.raw], both, []),
            Job(copy.snapshot(), [change.raw], both, []),
        ]
    )

    outcomes = (alone, first, second, later)
    assert [not one.refused for one in outcomes] == [odd.is_taken] * 4
    assert BACKSTOP not in {one.refused for one in outcomes}
    assert first.tree == second.tree == later.tree


def test_jobs_may_be_made_while_the_child_works(sandbox: Sandbox) -> None:
    made = (job(CASE[n % len(CASE)]) for n in range(2 * GROUP_JOBS + 3))

    outcomes = sandbox.run(made)

    assert [_tree_after(BIRTH, one) for one in outcomes] == [
        CASE_TREES[n % len(CASE)] for n in range(2 * GROUP_JOBS + 3)
    ]


def test_an_answer_is_never_taken_for_that_of_another_job() -> None:
    def failing() -> Iterator[Job]:
        for _ in range(GROUP_JOBS):
            yield job(CASE[0])
        raise LookupError("the store could not be read")

    with Sandbox() as sandbox:
        with pytest.raises(LookupError):
            sandbox.run(failing())
        outcomes = sandbox.run([job(CASE[1])] * GROUP_JOBS)

    assert [one.tree for one in outcomes] == [CASE_TREES[1]] * GROUP_JOBS
