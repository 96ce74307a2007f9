"""What a bad line does to bytes. Pure: no I/O, no clock.

- *Rate*: each way has so many bits a second, shared by all connections; what is sent
  waits until the line is free and then takes its time.
- *Distance*: what has been sent arrives half a round trip later. Nothing arrives
  before the round trip in which a connection is opened.
- *Loss*: each segment of 1,460 bytes is lost with a chance, and once more with the
  same chance each time it is sent again. TCP notices after a pause (a round trip and
  200 ms, doubled each time), sends it again, which takes the line's time again, and
  holds back whatever comes behind it. Since only a window is under way, the sender
  then stands still: that is how loss slows a line down. Slow start is not modelled.

Which segments are lost depends on the seed, the number of the connection, the way and
the place in the stream of bytes: never on time, nor on how the bytes were written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

SEGMENT_BYTES = 1460
RETRY_PAUSE_S = 0.2

Way = Literal["up", "down"]
"""`up`: from whoever connected to the far end; `down`: the answer."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What a line is like; as it stands, a perfect one.

    Attributes:
        up_bit_s: bits a second upward; 0: no limit.
        down_bit_s: bits a second downward; 0: no limit.
        round_trip_s: how long a byte takes there and another one back.
        loss: the chance of each segment to be lost, below 1.
        cut_after_up: the n-th connection is cut when it has carried that many bytes
            up; those beyond the end of the list are not cut. 0: not this one.
        cut_after_down: the same, for bytes down.
        cut_every_s: all connections are cut so often; 0: never.
        seed: draws the losses.
    """

    up_bit_s: float = 0
    down_bit_s: float = 0
    round_trip_s: float = 0
    loss: float = 0
    cut_after_up: Sequence[int] = ()
    cut_after_down: Sequence[int] = ()
    cut_every_s: float = 0
    seed: int = 0


@dataclass(slots=True)
class Lane:
    """One way of a line, and when it is free again. No clock of its own."""

    bit_s: float
    round_trip_s: float
    free_at_s: float = 0.0

    def send(self, size_bytes: int, now_s: float, losses: int = 0) -> float:
        """Return when a segment arrives that is handed over now.

        Args:
            size_bytes: its size.
            now_s: the time on any clock that only grows.
            losses: how often it is lost before it comes through.
        """
        takes_s = size_bytes * 8 / self.bit_s if self.bit_s else 0.0
        sent_s = max(self.free_at_s, now_s) + takes_s
        self.free_at_s = sent_s + losses * takes_s
        pause_s = self.round_trip_s + RETRY_PAUSE_S
        for _ in range(losses):
            sent_s += pause_s + takes_s
            pause_s *= 2
        return sent_s + self.round_trip_s / 2


@dataclass(slots=True)
class Losses:
    """Which segments of one way of one connection are lost, and how often each."""

    quality: Quality
    connection: int
    way: Way
    _drawn: int = -1
    _place: int = 0

    def of_next(self, size_bytes: int) -> int:
        """Return how often the next bytes are lost; they lie within one segment."""
        segment, self._place = self._place // SEGMENT_BYTES, self._place + size_bytes
        if segment == self._drawn or not self.quality.loss:
            return 0  # the segment has had its draw with its first byte
        self._drawn = segment
        seed = f"{self.quality.seed} {self.connection} {self.way} {segment}"
        draw = Random(seed).random
        count = 0
        while draw() < self.quality.loss:
            count += 1
        return count

    def room(self) -> int:
        """Return how many bytes are left in the segment that is being filled."""
        return SEGMENT_BYTES - self._place % SEGMENT_BYTES
