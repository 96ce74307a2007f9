"""The bad line itself: what it carries, in which order, and when it is cut."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.whole.line import Line
from tests.whole.line_model import SEGMENT_BYTES, Lane, Losses, Quality

TEXT = bytes(range(256)) * 400
SLOW = Quality(up_bit_s=8e6, down_bit_s=8e6, round_trip_s=0.01, loss=0.2, seed=3)


@pytest.mark.parametrize("quality", [Quality(), SLOW], ids=["good", "bad"])
def test_what_goes_in_comes_out_in_order_and_is_counted(quality: Quality) -> None:
    with _far_end() as far, Line(far.address, quality) as line:
        near = _connect(line)
        near.sendall(TEXT)
        near.shutdown(socket.SHUT_WR)

        echoed = _read_all(near)

        assert echoed == TEXT
        assert far.heard == [TEXT]
        assert (line.up, line.down, line.cuts) == (len(TEXT), len(TEXT), 0)
        assert line.carried[0].under_way == 0


def test_after_a_cut_by_count_exactly_so_much_has_arrived() -> None:
    quality = Quality(cut_after_up=(5000, 0, 1))

    with _far_end() as far, Line(far.address, quality) as line:
        for _ in range(3):
            near = _connect(line)
            _send(near, TEXT)
            _read_all(near)

    assert [len(one) for one in far.heard] == [5000, len(TEXT), 1]
    assert far.heard[0] == TEXT[:5000]
    assert [one.was_cut for one in line.carried] == [True, False, True]


def test_an_answer_can_be_cut_while_the_question_has_arrived() -> None:
    with _far_end() as far:
        with Line(far.address, Quality(cut_after_down=(100,))) as line:
            near = _connect(line)
            _send(near, TEXT)

            echoed = _read_all(near)

        assert echoed == TEXT[:100]
        assert line.carried[0].was_cut


def test_a_line_that_is_cut_on_command_takes_new_connections() -> None:
    with _far_end() as far, Line(far.address) as line:
        before = _connect(line)
        before.sendall(b"one")
        line.wait_until(lambda: line.down == 3)

        line.cut()
        after = _connect(line)
        _send(after, b"two")

        assert _read_all(before) == b"one"
        assert _read_all(after) == b"two"
        assert line.cuts == 1


def test_a_line_that_is_down_takes_none_until_it_is_up() -> None:
    with _far_end() as far, Line(far.address) as line:
        line.go_down()
        refused = _connect(line)
        while_down = _read_all(refused)
        line.come_up()
        taken = _connect(line)
        _send(taken, b"two")

        assert while_down == b""
        assert _read_all(taken) == b"two"
        assert far.heard == [b"two"]


def test_a_stalled_line_holds_back_and_loses_nothing() -> None:
    with _far_end() as far, Line(far.address) as line:
        near = _connect(line)
        line.stall()
        _send(near, TEXT[:1000])
        line.wait_until(lambda: sum(one.taken_up for one in line.carried) == 1000)
        arrived_meanwhile = line.up
        line.go_on()

        assert arrived_meanwhile == 0
        assert _read_all(near) == TEXT[:1000]


def test_a_line_that_is_cut_every_now_and_then_cuts_every_connection() -> None:
    with _far_end() as far, Line(far.address, Quality(cut_every_s=0.05)) as line:
        for _ in range(3):
            assert _read_all(_connect(line)) == b""

        assert line.cuts == 3


def test_nobody_at_the_far_end_is_a_connection_that_falls() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        host, port = unused.getsockname()
        with Line(f"{host}:{port}") as line:
            assert _read_all(_connect(line)) == b""


def test_which_segments_are_lost_depends_on_the_seed_and_not_on_the_writing() -> None:
    quality = Quality(loss=0.05, seed=1)

    by_byte = _losses(quality, [1] * 146_000)
    by_segment = _losses(quality, [SEGMENT_BYTES] * 100)
    another = _losses(Quality(loss=0.05, seed=2), [SEGMENT_BYTES] * 100)

    assert by_byte == by_segment
    assert another != by_segment
    assert _losses(Quality(seed=1), [SEGMENT_BYTES] * 100) == []


def test_about_as_many_segments_are_lost_as_was_said() -> None:
    lost = _losses(Quality(loss=0.05), [SEGMENT_BYTES] * 20_000)

    assert 900 < len(lost) < 1100


def test_a_segment_takes_its_time_on_the_line_and_half_a_round_trip() -> None:
    lane = Lane(bit_s=8000, round_trip_s=0.6)

    first, second = lane.send(1000, now_s=10.0), lane.send(1000, now_s=10.0)
    later = lane.send(1000, now_s=20.0)

    assert (first, second, later) == (11.3, 12.3, 21.3)


def test_a_lost_segment_comes_after_doubling_pauses_and_takes_the_line_again() -> None:
    once, twice = (Lane(bit_s=8000, round_trip_s=0.6) for _ in range(2))

    assert once.send(1000, now_s=0.0, losses=1) == pytest.approx(1.3 + 1.8)
    assert twice.send(1000, now_s=0.0, losses=2) == pytest.approx(1.3 + 1.8 + 2.6)
    assert (once.free_at_s, twice.free_at_s) == (2.0, 3.0)


def test_a_line_without_a_rate_is_free_at_once() -> None:
    lane = Lane(bit_s=0, round_trip_s=0.5)

    assert [lane.send(10**6, now_s=1.0) for _ in range(2)] == [1.25, 1.25]


class _FarEnd:
    """Echoes what it hears, and keeps it: one text for each connection."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []

    @property
    def address(self) -> str:
        host, port = self.listening.getsockname()
        return f"{host}:{port}"

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                break
            number = len(self.heard)
            self.heard.append(b"")
            thread = threading.Thread(target=self._echo, args=(connection, number))
            thread.start()
            self._threads.append(thread)
        for thread in self._threads:
            thread.join()

    def _echo(self, connection: socket.socket, number: int) -> None:
        with connection:
            try:
                while data := connection.recv(1000):
                    self.heard[number] += data
                    connection.sendall(data)
            except OSError:
                self._hear_the_rest(connection, number)

    def _hear_the_rest(self, connection: socket.socket, number: int) -> None:
        """What has arrived is here, even if nobody is left to hear the echo."""
        try:
            while data := connection.recv(1000):
                self.heard[number] += data
        except OSError:
            pass


@contextmanager
def _far_end() -> Iterator[_FarEnd]:
    far = _FarEnd()
    thread = threading.Thread(target=far.run)
    thread.start()
    try:
        yield far
    finally:
        far.listening.shutdown(socket.SHUT_RDWR)
        far.listening.close()
        thread.join()


def _connect(line: Line) -> socket.socket:
    host, _, port = line.address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=30)


def _send(near: socket.socket, data: bytes) -> None:
    """Send all of it, or as much as the line takes before it is cut."""
    try:
        near.sendall(data)
        near.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def _read_all(near: socket.socket) -> bytes:
    """Read until the end, whatever kind of end it is, and close."""
    parts = []
    with near:
        try:
            while data := near.recv(4096):
                parts.append(data)
        except OSError:
            pass
    return b"".join(parts)


def _losses(quality: Quality, sizes: list[int]) -> list[int]:
    """Return the segments that are lost when bytes are written in such sizes."""
    losses, place, lost = Losses(quality, 0, "up"), 0, []
    for size in sizes:
        if losses.of_next(size):
            lost.append(place // SEGMENT_BYTES)
        place += size
    return lost
