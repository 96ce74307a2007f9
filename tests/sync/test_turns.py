"""Whose turn it is: many runs, one thread that takes them in."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from sync.turns import MOST_HANDED_OVER, MOST_WAITING, Turn, Turns


class Listener:
    """Takes nothing in before it may, and notes in which order it came."""

    def __init__(self, name: bytes, seen: list[bytes], may: threading.Event) -> None:
        self.name, self.seen, self.may = name, seen, may

    def admit(self, beginning: bytes) -> bytes:
        return beginning

    def take(self, bundle: bytes) -> None:
        self.may.wait()
        self.seen.append(self.name)

    def reply(self) -> Iterator[bytes]:
        raise NotImplementedError


async def filled(turn: Turn, count: int) -> None:
    for _ in range(count):
        await turn.take(b"")


def test_who_sends_much_and_hangs_up_lets_others_have_their_turn_in_between() -> None:
    seen: list[bytes] = []
    may = threading.Event()

    async def play(executor: ThreadPoolExecutor) -> None:
        turns = Turns(executor)
        much, little = (Turn(turns, Listener(n, seen, may)) for n in (b"a", b"b"))
        await filled(much, MOST_WAITING)
        await filled(little, 1)
        may.set()
        await asyncio.gather(much.end(), little.end())

    with ThreadPoolExecutor(1) as executor:
        asyncio.run(play(executor))

    assert seen.index(b"b") == MOST_HANDED_OVER
    assert seen.count(b"a") == MOST_WAITING, "what came before the cut is taken"


def test_a_run_waits_at_the_door_where_too_many_of_its_bundles_wait() -> None:
    seen: list[bytes] = []
    may = threading.Event()

    async def play(executor: ThreadPoolExecutor) -> None:
        turns = Turns(executor)
        turn = Turn(turns, Listener(b"a", seen, may))
        await filled(turn, MOST_WAITING)
        held_bytes = turns.held_bytes
        one_more = asyncio.create_task(turn.take(b""))
        await asyncio.sleep(0)
        assert held_bytes > 0 and not one_more.done()
        may.set()
        await one_more
        await turn.end()
        assert (turns.held_bytes, turns.waiting, turns.runs) == (0, 0, set())

    with ThreadPoolExecutor(1) as executor:
        asyncio.run(play(executor))

    assert len(seen) == MOST_WAITING + 1


def test_nobody_is_answered_before_what_came_whole_of_his_cut_run_is_taken_in() -> None:
    seen: list[bytes] = []
    may = threading.Event()

    async def play(executor: ThreadPoolExecutor) -> int:
        turns = Turns(executor)
        cut, again, other = (Turn(turns, Listener(n, seen, may)) for n in [b""] * 3)
        for turn, sender in ((cut, b"a"), (again, b"a"), (other, b"b")):
            turn.sender = sender
        await filled(cut, MOST_WAITING)
        await asyncio.wait_for(other.follow(), 30)  # of no other sender
        await filled(again, 1)
        may.set()
        await again.end()
        await again.follow()
        count = len(seen)
        await cut.end()
        return count

    with ThreadPoolExecutor(1) as executor:
        count = asyncio.run(play(executor))

    assert count == MOST_WAITING + 1
