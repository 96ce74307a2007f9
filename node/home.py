"""The folder of a node: what lies where. Nothing in it is named after a person."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from node.errors import HomeMissing, HomeTaken


@dataclass(frozen=True, slots=True)
class Home:
    """The paths of one node."""

    path: Path

    @property
    def vault(self) -> Path:
        """Wrapped keys."""
        return self.path / "vault.json"

    @property
    def database(self) -> Path:
        """The store, with `-wal` and `-shm` beside it."""
        return self.path / "node.db"

    @property
    def tls_certificate(self) -> Path:
        """The self-made TLS certificate that neighbours pin."""
        return self.path / "tls.pem"

    @property
    def tls_key(self) -> Path:
        """Its key, encrypted."""
        return self.path / "tls.key"

    @property
    def attachments(self) -> Path:
        """Sealed files, named by the hash of their content."""
        return self.path / "attachments"

    @property
    def waiting(self) -> Path:
        """Bundles from sticks that cannot be taken in yet, as they came."""
        return self.path / "waiting"

    @property
    def carrying(self) -> Path:
        """Beside it lies the lock that lets one process at a time at a stick."""
        return self.path / "carry"

    @property
    def joining(self) -> Path:
        """The sealed keys of a node that waits to be let in."""
        return self.path / "joining"

    @property
    def joining_vault(self) -> Path:
        """What opens them."""
        return self.path / "joining.vault"

    def forget_joining(self) -> None:
        """Remove what was only needed until the answer came."""
        for path in (self.joining, self.joining_vault):
            path.unlink(missing_ok=True)

    @property
    def log(self) -> Path:
        """What happened, in JSON lines, without personal data."""
        return self.path / "lianban.log"

    def must_exist(self) -> None:
        """Raise HomeMissing unless a node lives here."""
        if not self.vault.is_file():
            raise HomeMissing(str(self.path))

    def must_be_free(self) -> None:
        """Make the folder, and raise HomeTaken if a node lives here already."""
        if self.vault.exists() or self.database.exists():
            raise HomeTaken(str(self.path))
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextmanager
    def sole_server(self) -> Iterator[bool]:
        """Hold the right to run background sync; False if another process has it.

        The lock ends with the process, however it ends.
        """
        handle = os.open(self.path / "serve.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_ours = True
            except BlockingIOError:
                is_ours = False
            yield is_ours
        finally:
            os.close(handle)
