"""One seed from its beginning to its end, and what came of it."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

from tests.simulation.happenings import happen
from tests.simulation.healing import compare, heal
from tests.simulation.talking import small_bundles
from tests.simulation.work import draw_work
from tests.simulation.world import World

STEPS = 50
THOROUGH_EVERY = 10
"""One of so many seeds is also verified and rebuilt, node by node."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a seed. `violation` is "" where everything held.

    `step` is where it was found; `trace` is a hash over what lay on which disk after
    every step, the same whenever the seed is run.
    """

    seed: int
    steps: int
    happenings: Counter[str]
    faults: Counter[str]
    trace: str
    violation: str = ""
    step: int = -1


def run_seed(
    seed: int,
    *,
    leave_out: Collection[int] = (),
    steps: int = STEPS,
    tell: Callable[[str], None] | None = None,
) -> Result:
    """Run a seed and return what came of it.

    Args:
        seed: the source of all chance.
        leave_out: steps that shall not happen.
        steps: how many there are.
        tell: gets the story, line by line.
    """
    violation = ""
    with World(seed, draw_work, happen, tell) as world, small_bundles():
        try:
            for step in range(steps):
                if step not in leave_out:
                    world.begin_step(step)
                    while coming := world.post.due(world.now_ms):
                        coming.arrive()
                    happen(world)
            world.begin_step(steps)
            heal(world)
            compare(world, thoroughly=seed % THOROUGH_EVERY == 0)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is found
            violation = f"{type(error).__name__}: {error}"
            if tell:
                tell(f"{world.step:4} VIOLATION {violation}")
    return Result(
        seed,
        steps - len(leave_out),
        world.counts,
        world.faults,
        world.oracle.trace.hexdigest()[:16],
        violation,
        world.step if violation else -1,
    )


def shrunk(seed: int, *, steps: int = STEPS) -> frozenset[int]:
    """Return steps that may be left out, and the seed still finds the same.

    First halves, then quarters, and so on down to single steps.
    """
    words = run_seed(seed, steps=steps).violation.split()[:1]
    left_out: frozenset[int] = frozenset()
    size = steps // 2
    while size and words:
        for start in range(0, steps, size):
            tried = left_out | set(range(start, min(start + size, steps)))
            found = run_seed(seed, leave_out=tried, steps=steps).violation
            if found.split()[:1] == words:
                left_out = tried
        size //= 2
    return left_out
