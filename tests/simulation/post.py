"""The post: what is on its way, by the time at which it comes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush


@dataclass(frozen=True, slots=True, order=True)
class Coming:
    """Something that comes at a time; `number` is there so that no two are equal."""

    due_ms: int
    number: int
    arrive: Callable[[], None] = field(compare=False)


class Post:
    """All that is on its way."""

    def __init__(self) -> None:
        self._coming: list[Coming] = []
        self._count = 0

    def send(self, due_ms: int, arrive: Callable[[], None]) -> None:
        """Let something come at a time."""
        self._count += 1
        heappush(self._coming, Coming(due_ms, self._count, arrive))

    def due(self, until_ms: float) -> Coming | None:
        """Return what comes next up to a time, if anything does."""
        if self._coming and self._coming[0].due_ms <= until_ms:
            return heappop(self._coming)
        return None
