"""Files that nobody needs any more, and files that are not what they should be."""

import re
from collections.abc import Iterable, Iterator

from node import kept_answers
from node.attachments import files_of
from node.wiring import Node

UNNAMED_FOR_MS = 7 * 24 * 3600 * 1000
"""A file that no case and no draft names stays for a week: somebody may just be at work
with it.
"""

_DIGEST = re.compile(rb"[0-9a-f]{64}")


def unsound(node: Node) -> Iterator[bytes]:
    """Yield the digest of each file that should lie here and cannot be read in full."""
    files = files_of(node)
    for kept in node.store.attachments.all():
        if not files.is_sound(kept.digest, kept.size_bytes):
            yield kept.digest


def forget_lost(node: Node) -> None:
    """Let the files that are gone or too short count as missing, so that they are
    asked for again; nothing is read.
    """
    files = files_of(node)
    for kept in node.store.attachments.all():
        if not files.is_whole(kept.digest, kept.size_bytes):
            node.store.attachments.drop(kept.digest)


def drop_unnamed(node: Node, digests: Iterable[str]) -> int:
    """Remove those of some files that no case and no draft names; return how many."""
    store, files = node.store.attachments, files_of(node)
    wanted = set(digests)
    if not wanted:
        return 0
    with files.alone():
        with node.store.transaction():
            unnamed = {bytes.fromhex(one) for one in wanted - _unsubmitted(node)}
            unnamed -= set(store.sizes(list(unnamed)))
            for digest in unnamed:
                store.drop(digest)
        for digest in unnamed:
            files.drop(digest)
    return len(unnamed)


def sweep(node: Node) -> int:
    """Remove what is left of work that was cut off, and what nobody has named for a
    week; return how many files.
    """
    store, files = node.store.attachments, files_of(node)
    old = store.unnamed(node.now_ms() - UNNAMED_FOR_MS)
    count = drop_unnamed(node, [digest.hex() for digest in old])
    with files.alone():
        missing = store.all_missing()
        count += files.sweep(missing)
        kept = {one.digest for one in store.all()}
        # What is missing and lies here whole is taken up when it is asked for.
        for digest in set(files.whole()) - kept - missing:
            files.drop(digest)
            count += 1
    return count


def _unsubmitted(node: Node) -> set[str]:
    """Return all digests that drafts, corrections and kept answers name, wherever they
    stand.
    """
    texts = [
        value.encode()
        for draft in node.store.drafts.all()
        for value in (*draft.answers.values(), *draft.files)
    ]
    texts += node.store.registry.settings_under("correction/")
    texts += [text.encode() for text in kept_answers.all_texts(node)]
    return {found.decode() for text in texts for found in _DIGEST.findall(text)}
