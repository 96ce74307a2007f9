from automerge import core
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.change import Change, Scalar, read_change
from sync.conflict import Conflict, has_stood, standing
from sync.document import Document
from tests.sync.model import Place, Replica, same
from tests.sync.worlds import few_scalars, worlds

NODE, OTHER, THIRD = (bytes([byte]) * 24 for byte in (1, 2, 3))


def changes_of(replica: Replica) -> list[Change]:
    return [read_change(c.raw_bytes) for c in replica.inner.get_changes([])]


def expected(replica: Replica) -> dict[Place, set[tuple[type, Scalar, bytes]]]:
    """Return what the model says: places with different living values."""
    found = {}
    for place in replica.places():
        living = replica.living(place)
        if any(not same(one.value, living[0].value) for one in living):
            found[place] = {(type(w.value), w.value, w.id[1][:16]) for w in living}
    return found


def found_in(
    changes: list[Change],
) -> dict[Place, set[tuple[type, Scalar, bytes]]]:
    maps = {op.id: op.key for c in changes for op in c.ops if op.makes_map}
    return {
        (maps.get(one.container) if one.container else None, one.key): {
            (type(living.value), living.value, living.author) for living in one.values
        }
        for one in standing(changes)
    }


@given(worlds(few_scalars), st.randoms(use_true_random=False))
@settings(deadline=None, derandomize=True, max_examples=150)
def test_standing_conflicts_are_those_of_an_independent_model(
    replicas: list[Replica], random: object
) -> None:
    for replica in replicas:
        changes = changes_of(replica)
        in_order = standing(changes)
        random.shuffle(changes)  # type: ignore[attr-defined]

        assert found_in(changes) == expected(replica)
        assert standing(changes) == in_order


@given(worlds(few_scalars))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_what_the_library_shows_is_one_of_the_living_values(
    replicas: list[Replica],
) -> None:
    replica = replicas[0]
    for place in replica.places():
        container, key = place
        at = core.ROOT
        if container:
            made = replica.inner.get(core.ROOT, container)
            assert made is not None
            at = made[1]
        shown = replica.inner.get(at, key)
        assert shown is not None

        winner = replica.living(place)[-1]

        assert same(shown[0][1], winner.value)


def closure(change: Change, known: dict[bytes, Change]) -> dict[bytes, Change]:
    found: dict[bytes, Change] = {}
    waiting = [change]
    while waiting:
        one = waiting.pop()
        if one.hash not in found:
            found[one.hash] = one
            waiting += [known[parent] for parent in one.dependencies]
    return found


def fields_of(changes: list[Change]) -> tuple[int, bytes] | None:
    return next(
        op.id for c in changes for op in c.ops if op.makes_map and op.key == "fields"
    )


@given(worlds(few_scalars), st.randoms(use_true_random=False))
@settings(deadline=None, derandomize=True, max_examples=150)
def test_a_place_had_a_conflict_if_any_two_people_could_have_seen_one(
    replicas: list[Replica], random: object
) -> None:
    """Reckoned by trying every pair: what stands where just these two have met?"""
    for replica in replicas:
        changes = changes_of(replica)
        known = {change.hash: change for change in changes}
        for container in (None, fields_of(changes)):
            expected = any(
                one.container == container
                for a in changes
                for b in changes
                for one in standing(
                    list((closure(a, known) | closure(b, known)).values())
                )
            )
            shuffled = list(changes)
            random.shuffle(shuffled)  # type: ignore[attr-defined]

            assert has_stood(shuffled, container) == expected


def test_a_conflict_that_was_settled_has_stood_for_good() -> None:
    merged, changes = two_writers("李四", "王五")
    changes.append(merged.write(NODE, {"fields": {"name": "李四"}}))
    read = [read_change(change) for change in changes]

    assert standing(read) == []
    assert has_stood(read, fields_of(read))
    assert not has_stood(read[:2], fields_of(read))


def two_writers(one: Scalar, other: Scalar) -> tuple[Document, list[bytes]]:
    """Return a document in which two people have put values at once."""
    document, birth = Document.begin(NODE, {"fields": {"name": "old"}})
    copy = Document.load(document.snapshot())
    changes = [
        birth,
        document.write(OTHER, {"fields": {"name": one}}),
        copy.write(THIRD, {"fields": {"name": other}}),
    ]
    return document.apply(changes[2:]), changes


def conflicts(changes: list[bytes]) -> list[Conflict]:
    return standing([read_change(change) for change in changes])


def test_two_values_written_at_once_are_both_shown_with_their_authors() -> None:
    _, changes = two_writers("李四", "王五")

    (conflict,) = conflicts(changes)

    assert conflict.key == "name"
    assert {(v.value, v.author, v.change) for v in conflict.values} == {
        ("李四", OTHER[:16], read_change(changes[1]).hash),
        ("王五", THIRD[:16], read_change(changes[2]).hash),
    }


def test_the_same_value_written_at_once_is_no_conflict() -> None:
    _, changes = two_writers("李四", "李四")

    assert conflicts(changes) == []


def test_one_and_true_are_different_values() -> None:
    _, changes = two_writers(1, True)

    assert len(conflicts(changes)) == 1


def test_a_conflict_stands_after_an_unrelated_write_brought_the_heads_together() -> (
    None
):
    merged, changes = two_writers("李四", "王五")

    changes.append(merged.write(NODE, {"fields": {"phone": "1"}}))

    assert len(merged.heads()) == 1
    assert len(conflicts(changes)) == 1


def test_putting_the_winner_again_settles_a_conflict() -> None:
    merged, changes = two_writers("李四", "王五")
    fields = merged.tree()["fields"]
    assert isinstance(fields, dict)

    changes.append(merged.write(NODE, {"fields": {"name": fields["name"]}}))

    assert conflicts(changes) == []


def test_nothing_written_is_no_conflict() -> None:
    assert standing([]) == []
