from collections.abc import Iterator
from pathlib import Path

import pytest

from sync import seal
from tests.sync.served import PASSPHRASE, Peer, reversed_bytes, served


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, bytes]:
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = seal.make_tls("test", PASSPHRASE.encode())
    (folder / "certificate.pem").write_bytes(certificate)
    (folder / "key.pem").write_bytes(key)
    return (
        folder / "certificate.pem",
        folder / "key.pem",
        seal.tls_fingerprint(certificate),
    )


@pytest.fixture(scope="module")
def running(identity: tuple[Path, Path, bytes]) -> Iterator[Peer]:
    with served(identity) as peer:
        yield peer


@pytest.fixture
def peer(running: Peer) -> Peer:
    """The running server, with a clean memory."""
    running.seen.clear()
    running.answer = reversed_bytes
    running.admitted.clear()
    running.stranger = None
    return running
