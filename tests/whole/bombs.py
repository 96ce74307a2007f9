"""What an enrolled node could throw at a server, over a real socket.

`python -m tests.whole.bombs` makes three places, throws everything at a real town
process and prints for each attack what the town said, how long it took, and how much
memory the town and its child had taken at most by then.
"""

import contextlib
import random
import socket
import ssl
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import zstandard

from node import peers
from node.wiring import Node
from sync import bundle, seal
from sync.bundle import MAX_BUNDLE_BYTES, MAX_PLAIN_BYTES
from sync.canonical import encode
from sync.client import Client
from sync.errors import SyncError
from sync.exchange import Parcel, encode_parcel
from sync.stream import Chunk, StreamId, sign_checkpoint
from tests.node.forge import (
    birth,
    bundles,
    chunk_of,
    copy_of,
    package_of,
    put_entry,
    repaired,
)
from tests.sync.changes import ELEVEN_SECONDS, NEVER_RETURNS, UNREADABLE_AFTER_SAVE
from tests.whole.places import Places, submit_some, sync_node, three_places

NAMES = ("../../x", "CON.txt", "名" * 100, "a\x00b", "con", "a\u202egpj.exe", "/etc/x")
FLIPS, MUTANTS = 500, 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attack ended: what was said how often, the time of all of it and of the
    longest answer. Memory in MiB, at most until then.
    """

    attack: str
    said: str
    took_s: float
    longest_s: float
    server_mib: int
    child_mib: int


@dataclass(slots=True)
class Attacker:
    """A village with true keys and another program."""

    node: Node
    town: Client
    address: str

    def post(self, *bundles: bytes) -> str:
        """Send a run of bundles; return what the town said, in one word."""
        try:
            count = sum(1 for _ in self.town.exchange(iter(bundles)))
        except SyncError as error:
            status = getattr(error, "status", "")
            return f"{type(error).__name__} {status}".strip()
        return f"answered ({count})"

    def wrap(
        self, body: bytes, *, packed: bytes | None = None, says: int = -1
    ) -> bytes:
        """Return a bundle with a true signature over any body."""
        peer = peers.find_neighbour(self.node)
        if packed is None:
            return bundle.wrap(
                body,
                sender=self.node.certificate,
                sign_key=self.node.secrets.sign_key,
                recipient=peer,
                roster_version=1,
            )
        me = self.node.certificate
        header = encode(bundle.Header(1, me.node, me.epoch, peer.node, 1, says))
        start = bundle.MAGIC + bytes([bundle.FORMAT])
        start += len(header).to_bytes(2, "big") + header
        signed = start + seal.seal(peer.seal_key, start, packed)
        return signed + seal.sign(self.node.secrets.sign_key, b"bundle", signed)

    def chunks(self, *chunks: Chunk) -> bytes:
        """Return a bundle with these chunks."""
        return self.wrap(encode_parcel(Parcel(b"", (), chunks, (), (), more=False)))

    def connect(self) -> ssl.SSLSocket:
        """Return a bare TLS connection."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        host, port = self.address.split(":")
        return context.wrap_socket(socket.create_connection((host, int(port)), 30))


# -- attacks: each yields what the town said ---------------------------------------


def flipped_bytes(me: Attacker) -> Iterator[str]:
    submit_some(me.node, 3, seed=1)
    (good,) = bundles(me.node, peers.find_neighbour(me.node))
    chance = random.Random(2)
    for at in sorted(chance.sample(range(len(good)), min(FLIPS, len(good)))):
        bad = bytearray(good)
        bad[at] ^= 1 << chance.randrange(8)
        yield me.post(bytes(bad))


def the_same_run_three_times(me: Attacker) -> Iterator[str]:
    submit_some(me.node, 3, seed=2)
    run = list(bundles(me.node, peers.find_neighbour(me.node)))
    for _ in range(3):
        yield me.post(*run)


def zstd_bombs(me: Attacker) -> Iterator[str]:
    body = bytes(1 << 30)
    packed = zstandard.ZstdCompressor(level=3).compress(body)
    for says in (0, 100, MAX_PLAIN_BYTES):
        yield me.post(me.wrap(b"", packed=packed, says=says))
    bomb = zstandard.ZstdCompressor(level=3, write_content_size=False).compress(body)
    yield me.post(me.wrap(b"", packed=bomb, says=MAX_PLAIN_BYTES))


def frames_that_lie(me: Attacker) -> Iterator[str]:
    for length in (0, 1, MAX_BUNDLE_BYTES, MAX_BUNDLE_BYTES + 1, 2**32 - 1):
        body = length.to_bytes(4, "big") + bytes(5000)
        head = f"POST /v1/bundles HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}"
        with contextlib.closing(me.connect()) as line:
            line.sendall(head.encode() + b"\r\n\r\n" + body)
            yield line.recv(12).decode()


def counts_of_2_to_the_40(me: Attacker) -> Iterator[str]:
    huge = b"\xdd\xff\xff\xff\xff"
    yield me.post(me.wrap(huge))
    yield me.post(me.wrap(b"\x95\xc4\x00" + huge))
    stream = StreamId(me.node.id, 1, me.node.certificate.division)
    submit_some(me.node, 1, seed=3)
    chunk = chunk_of(me.node, stream)
    for changed in ({"first": 2**40}, {"first": 2**63 - 1}, {"times_ms": (2**62,)}):
        yield me.post(me.chunks(msgspec.structs.replace(chunk, **changed)))


def bombs_of_automerge(me: Attacker) -> Iterator[str]:
    (case,) = submit_some(me.node, 1, seed=4)
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = squeeze.compress(bytes(64 << 20)) + squeeze.flush()
    length = bytes([len(body) & 0x7F | 0x80, len(body) >> 7 & 0x7F | 0x80])
    deflated = b"\x85\x6f\x4a\x83" + bytes(4) + b"\x02" + length
    deflated += bytes([len(body) >> 14]) + body
    document = bytes.fromhex(case)
    for bomb in (UNREADABLE_AFTER_SAVE, ELEVEN_SECONDS, NEVER_RETURNS, deflated):
        put_entry(me.node, document, bomb)
        yield sync_and_say(me)


def mutated_changes(me: Attacker) -> Iterator[str]:
    cases = submit_some(me.node, 10, seed=5)
    yield sync_and_say(me)
    chance = random.Random(6)
    for number in range(MUTANTS):
        copy = copy_of(me.node, cases[number % len(cases)])
        raw = bytearray(copy.write(me.node, "amend", {"remark": f"第 {number} 个"}))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(9, len(raw))
            raw[at] = chance.choice([chance.randrange(256), raw[at] ^ 1, 0, 255])
        put_entry(me.node, copy.id, repaired(bytes(raw)))
    yield sync_and_say(me)


def chains_that_do_not_fit(me: Attacker) -> Iterator[str]:
    submit_some(me.node, 9, seed=7)
    stream = StreamId(me.node.id, 1, me.node.certificate.division)
    last = me.node.store.journal.head(stream)[0]
    parts = [chunk_of(me.node, stream, last - n, last - n) for n in range(8)]
    yield me.post(me.chunks(*parts))  # the last first: out of order, with gaps
    forged = sign_checkpoint(me.node.secrets.sign_key, stream, last, bytes(32))
    whole = chunk_of(me.node, stream, last - 8)
    yield me.post(me.chunks(msgspec.structs.replace(whole, checkpoint=forged)))
    yield me.post(me.chunks(msgspec.structs.replace(whole, first=whole.first + 1)))
    yield sync_and_say(me)


def names_that_would_lead_astray(me: Attacker) -> Iterator[str]:
    digest = package_of(me.node, "332011001000")
    for name in NAMES:
        text = msgspec.json.encode({"name": name, "size": 10}).decode()
        materials = {seal.sha256(name.encode()).hex(): text, f"../{'0' * 61}": text}
        document, _, raw = birth(
            me.node, digest, change=lambda w, m=materials: w.update(materials=m)
        )
        put_entry(me.node, document, raw)
        yield sync_and_say(me)


def a_flood(me: Attacker) -> Iterator[str]:
    with contextlib.ExitStack() as stack:
        for number in range(60):
            line = stack.enter_context(contextlib.closing(me.connect()))
            line.sendall((b"", b"POST", b"POST /v1/bundles HTTP/1.1\r\n")[number % 3])
        endless = stack.enter_context(contextlib.closing(me.connect()))
        endless.sendall(b"POST /v1/bundles HTTP/1.1\r\nHost: x\r\n")
        endless.sendall(b"Transfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in range(2000):
                endless.sendall(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        for _ in range(1000):
            said = me.post(random.Random(8).randbytes(2000))
        yield said
        yield sync_and_say(me)


ATTACKS: tuple[Callable[[Attacker], Iterator[str]], ...] = (
    flipped_bytes,
    the_same_run_three_times,
    zstd_bombs,
    frames_that_lie,
    counts_of_2_to_the_40,
    bombs_of_automerge,
    mutated_changes,
    chains_that_do_not_fit,
    names_that_would_lead_astray,
    a_flood,
)


def sync_and_say(me: Attacker) -> str:
    """Let the attacker's honest half sync."""
    report = sync_node(me.node)
    return f"synced, {len(report.refused)} refused"


def throw_all(
    places: Places, attacks: Iterable[Callable[..., Iterator[str]]] = ATTACKS
) -> Iterator[Outcome]:
    """Throw attacks at the town; yield how each ended."""
    service = places.town.service
    assert service is not None
    with places.village.open() as node:
        peer = peers.find_neighbour(node)
        address = node.store.registry.peer(peer.node).url
        with contextlib.closing(peers.client_for(node, peer)) as client:
            me = Attacker(node, client, address)
            for attack in attacks:
                began_s = time.monotonic()
                said, longest_s, last_s = [], 0.0, began_s
                for word in attack(me):
                    said.append(word)
                    last_s, before_s = time.monotonic(), last_s
                    longest_s = max(longest_s, last_s - before_s)
                took_s = time.monotonic() - began_s
                words = ", ".join(
                    f"{word} x{said.count(word)}" for word in dict.fromkeys(said)
                )
                yield Outcome(
                    attack.__name__, words, took_s, longest_s, *_peaks_mib(service.pid)
                )


def _peaks_mib(pid: int) -> tuple[int, int]:
    """Return the highest memory of a process, and of its children, in MiB."""
    children = [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return _peak_mib(pid), max(map(_peak_mib, children), default=0)


def _peak_mib(pid: int) -> int:
    with contextlib.suppress(FileNotFoundError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) // 1024
    return 0


def main() -> None:
    """Print a table."""
    with tempfile.TemporaryDirectory() as folder, three_places(Path(folder)) as places:
        for one in throw_all(places):
            print(
                f"{one.attack:30} {one.took_s:6.2f} s, longest {one.longest_s:5.2f} s  "
                f"town {one.server_mib:4} MiB  child {one.child_mib:4} MiB  {one.said}"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
