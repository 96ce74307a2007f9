"""After an upgrade: what was set aside, what waits and what was only kept is judged
again, once, by the rules of the newer program.

Every node that runs it comes to the same verdicts, since they follow from the entries
alone. What was taken stays: a newer program may take more than an older one, never
less.
"""

from node import judge, row_again
from node.absorb import settle_waiting
from node.other_entries import keep_arrived
from node.wiring import Node

VERSION_SETTING = "judge_version"


def judge_after_upgrade(node: Node) -> bool:
    """Judge again if the store was last opened by an older program; say whether.

    One transaction: an upgrade that is cut off is made at the next opening.
    """
    if _version_of(node) >= judge.JUDGE_VERSION:
        return False
    with node.store.transaction():
        # Another process may have been faster.
        if _version_of(node) >= judge.JUDGE_VERSION:
            return False
        try:
            _judge_all(node)
        except BaseException:
            node.forget()
            raise
        node.store.registry.set_setting(
            VERSION_SETTING, str(judge.JUDGE_VERSION).encode()
        )
    return True


def _judge_all(node: Node) -> None:
    store = node.store
    # First what is no change: a form or a step of the roster may be among it.
    for row in store.journal.unused_others():
        stored = store.journal.entry(row)
        assert stored is not None
        store.documents.drop_quarantine([row])
        keep_arrived(node, stored)
    judge.judge_whole(node, store.documents.unsettled())
    settle_waiting(node)
    for document in store.ledger.lacking():
        row_again.make(node, document)


def _version_of(node: Node) -> int:
    return int(node.store.registry.setting(VERSION_SETTING) or b"0")
