"""The child process in which foreign changes meet the library.

Run as `python -I -m sync.worker`. It reads framed jobs from stdin and answers on
stdout until stdin ends. Its memory and CPU are limited; a change that kills it harms
nothing but itself. It knows no keys, no store and no network.
"""

import os
import resource
import sys
from typing import BinaryIO

import msgspec

from sync.document import Document, Tree, merge_changes
from sync.errors import ChangeRefused, DocumentDamaged

MEMORY_LIMIT_BYTES = 1024 * 1024 * 1024
CPU_LIMIT_S = 10
FRAME_LIMIT_BYTES = 64 * 1024 * 1024


class Job(msgspec.Struct, array_like=True, gc=False):
    """Changes for one document.

    `snapshot` is empty for a document that is not known yet. `changes` are raw and
    in causal order. For each list of heads in `look_at` the value there is wanted.
    """

    snapshot: bytes
    changes: list[bytes]
    expected: list[bytes]
    look_at: list[list[bytes]]


class Outcome(msgspec.Struct, array_like=True, gc=False):
    """What became of a job: `refused` is empty when everything was taken.

    `snapshot` and `tree` are empty for a first change alone, see `run`.
    """

    refused: str
    snapshot: bytes = b""
    heads: list[bytes] = []
    tree: Tree = {}
    looked: list[Tree] = []


def run(job: Job) -> Outcome:
    """Apply the changes, prove the result, and return it.

    `expected` are the hashes that must be heads or ancestors afterwards; the library
    keeps changes with missing parts in silence, so each is looked up.

    A first change that comes alone, as most do, is its own snapshot: these very bytes
    have just been loaded, and `sync.change` lets nothing through that could not be
    saved and loaded again. Snapshot and tree are left empty; the asker has both.
    """
    try:
        document = merge_changes(job.snapshot, job.changes)
        if not job.snapshot and len(job.changes) == 1:
            heads = list(document.heads())
            if heads != job.expected:
                return Outcome("a change was not taken up by the library")
            return Outcome("", heads=heads, looked=_looked(document, job))
        if not document.has_all(job.expected):
            return Outcome("a change was not taken up by the library")
        snapshot = document.snapshot()
        return Outcome(
            "",
            snapshot,
            list(document.heads()),
            document.tree(),
            _looked(document, job),
        )
    except (ChangeRefused, DocumentDamaged, MemoryError) as error:
        return Outcome(str(error)[:500] or "out of memory")


def _looked(document: Document, job: Job) -> list[Tree]:
    return [document.tree(heads) for heads in job.look_at]


def main() -> None:
    """Serve jobs until stdin ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    jobs = sys.stdin.buffer
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What the library prints must not mix with the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    decoder = msgspec.msgpack.Decoder(list[Job])
    while (frame := read_frame(jobs)) is not None:
        _allow_more_cpu()
        write_frame(
            answers, msgspec.msgpack.encode([run(job) for job in decoder.decode(frame)])
        )


def read_frame(stream: BinaryIO) -> bytes | None:
    """Return the next length-prefixed frame, or None at the end or when cut."""
    head = stream.read(4)
    length = int.from_bytes(head, "big")
    if len(head) < 4 or length > FRAME_LIMIT_BYTES:
        return None
    frame = stream.read(length)
    return frame if len(frame) == length else None


def write_frame(stream: BinaryIO, frame: bytes) -> None:
    """Write `frame` with its length before it."""
    stream.write(len(frame).to_bytes(4, "big") + frame)
    stream.flush()


def _allow_more_cpu() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit_s = int(used.ru_utime + used.ru_stime) + CPU_LIMIT_S
    resource.setrlimit(resource.RLIMIT_CPU, (limit_s, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
