"""A real process at a pseudo terminal, and how long it takes to answer a key."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Self

COLUMNS, LINES = 120, 36
QUIET_S = 0.12
"""After so long without output the screen is as it should be."""
_LIMIT_S = 60.0
_ESCAPES = re.compile(
    rb"\x1b(?:\[[0-9;:?<=>]*[ -/]*[@-~]|[PX^_\]].*?(?:\x1b\\|\x07)|.)"
)


class Terminal:
    """A program at a terminal; use it as a context."""

    def __init__(self, *command: str, folder: Path) -> None:
        """Start a program.

        Args:
            command: the program and its arguments.
            folder: where it may put what it likes.
        """
        self._seen = bytearray()
        self.began_s = time.perf_counter()
        self._master, slave = pty.openpty()
        size = struct.pack("HHHH", LINES, COLUMNS, 0, 0)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env=os.environ | {"TERM": "xterm-256color", "HOME": str(folder)},
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._master)

    def wait_for(self, text: str) -> float:
        """Return the seconds from the start until a text was on the screen."""
        wanted = text.encode()
        while wanted not in _ESCAPES.sub(b"", self._seen):
            left_s = self.began_s + _LIMIT_S - time.perf_counter()
            assert left_s > 0, f"{text} never came"
            self._read(left_s)
        return time.perf_counter() - self.began_s

    def settle(self) -> None:
        """Wait until nothing more is drawn."""
        while self._read(QUIET_S):
            pass

    def press(self, keys: str) -> float:
        """Type something; return the seconds until the last of what it changed was
        drawn.
        """
        self.settle()
        self._seen.clear()
        began_s = last_s = time.perf_counter()
        os.write(self._master, keys.encode())
        is_drawn = False
        while self._read(QUIET_S if is_drawn else _LIMIT_S):
            is_drawn, last_s = True, time.perf_counter()
        assert is_drawn, f"nothing was drawn for {keys!r}"
        return last_s - began_s

    def _read(self, limit_s: float) -> bool:
        """Take what is drawn next; say whether anything was, within a time."""
        ready, _, _ = select.select([self._master], [], [], limit_s)
        if not ready:
            return False
        self._seen += os.read(self._master, 65536)
        return True
