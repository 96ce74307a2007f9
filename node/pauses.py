"""How long to wait between two tries: soon after success, longer after failures."""

from typing import TYPE_CHECKING

from sync.errors import PeerRefused, PeerUnreachable

if TYPE_CHECKING:
    from urllib3.util import Retry

POLL_S = 15.0
FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 300.0


class Pauses:
    """The pauses of one line. A person may end any of them."""

    def __init__(self) -> None:
        """Begin without failures."""
        self._back_off: Retry | None = None

    @property
    def is_backing_off(self) -> bool:
        """Say whether the last try has failed."""
        return self._back_off is not None

    def after_success(self) -> float:
        """Return how long to wait until news is asked for, in seconds."""
        self._back_off = None
        return POLL_S

    def after(self, error: Exception) -> float:
        """Return how long to wait after a try that has failed so, in seconds.

        A peer that says when to come again is not asked before. A line that has
        worked for a while counts as one that fails for the first time.
        """
        if isinstance(error, PeerUnreachable) and error.was_heard:
            self._back_off = None
        self._back_off = (self._back_off or _back_off()).increment(error=error)
        asked_s = error.retry_after_s if isinstance(error, PeerRefused) else 0
        pause_s = max(self._back_off.get_backoff_time(), FIRST_PAUSE_S, asked_s)
        return min(pause_s, LONGEST_PAUSE_S)


def _back_off() -> "Retry":
    """Return pauses after failures: 0 at first, then doubling from 4 s on, a little
    by chance.
    """
    # Imported late: 40 ms, and screens name only how often news is asked for.
    from urllib3.util import Retry

    return Retry(total=None, backoff_factor=2, backoff_max=300, backoff_jitter=1)
