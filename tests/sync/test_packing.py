"""The dictionaries and what they save."""

import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import dictionary as maker
from sync.errors import Malformed
from sync.packing import (
    DICTIONARIES,
    NEWEST_DICTIONARY,
    SMALL_BYTES,
    dictionary_for,
    inflate,
    pack,
)

RELEASED = {1: "729fdfae3a16c18f17166f5a308e5aa4fbaf9341c51337db3e045bdad75c0885"}
"""What was packed upon one of these must be readable for ever: never edit a line."""


def test_a_dictionary_never_changes() -> None:
    found = {
        int(path.stem): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in DICTIONARIES.iterdir()
    }

    assert found == RELEASED
    assert max(found) == NEWEST_DICTIONARY
    assert all(path.stat().st_size <= 32 * 1024 for path in DICTIONARIES.iterdir())


@given(st.binary(max_size=3000), st.integers(0, NEWEST_DICTIONARY))
@settings(deadline=None, derandomize=True, max_examples=100)
def test_what_is_packed_comes_out_as_it_was(body: bytes, dictionary: int) -> None:
    assert inflate(pack(body, dictionary), len(body), dictionary) == body


@pytest.mark.parametrize("size", [SMALL_BYTES, SMALL_BYTES + 1])
def test_small_and_large_bodies_come_out_as_they_were(size: int) -> None:
    body = random.Random(size).randbytes(size // 2) + bytes(size - size // 2)
    dictionary = dictionary_for(size)

    assert dictionary == (size <= SMALL_BYTES)
    assert inflate(pack(body, dictionary), size, dictionary) == body


def test_a_bundle_with_one_case_takes_half_of_the_bytes() -> None:
    plain, upon = 0, 0
    # Others than the dictionary was made of.
    for body in maker.samples(seed=1, villages=20):
        plain += len(pack(body, 0))
        upon += len(pack(body, 1))

    assert upon < 0.7 * plain


def test_the_samples_of_a_dictionary_are_the_same_each_time() -> None:
    one, again = (list(maker.samples(seed=1, villages=3)) for _ in range(2))

    assert one == again and len(set(one)) == len(one)


def test_a_body_that_was_packed_upon_a_dictionary_is_nothing_without_it() -> None:
    (body, *_) = maker.samples(seed=1, villages=1)

    with pytest.raises(Malformed):
        inflate(pack(body, 1), len(body), 0)


@pytest.mark.parametrize("more", [-1, 1, 10**6])
def test_another_length_than_was_said_is_refused(more: int) -> None:
    (body, *_) = maker.samples(seed=1, villages=1)

    with pytest.raises(Malformed):
        inflate(pack(body, 1), len(body) + more, 1)
