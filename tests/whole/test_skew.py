"""Two versions of the program on one line: both ends are told who must upgrade."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from node import answering
from node.serving import Server
from sync import bundle
from sync.errors import PeerRefused
from sync.server import Conversation
from tests.whole.places import Place, Places, submit_some, sync, sync_node
from tui.messages import sentence


def test_a_newer_village_and_an_older_town_both_say_who_must_upgrade(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    village, town = places.village, places.town
    with village.open() as node:
        (case,) = submit_some(node, 1, seed=3)
        with monkeypatch.context() as newer:
            newer.setattr(bundle, "FORMAT", 2)
            with pytest.raises(PeerRefused) as refused:
                sync_node(node)

    here, there = village.read("status"), town.read("status")
    words = town.run("status").stdout

    assert refused.value.status == 426
    assert "请对方升级程序" in sentence(refused.value)
    (above,) = [one for one in here["neighbours"] if one["above"]]
    assert above["last_result"] == "upgrade-there"
    assert above["waiting_out"]["cases"] == 1 and above["waiting_out"]["oldest"]
    assert there["needs_upgrade"] is True
    assert "请升级本机的程序" in words
    # Nothing was lost: as soon as both speak alike, it goes.
    sync(village)
    assert town.read("case", "show", case)["state"] == "submitted"


class NewerServer(Server):
    """Answers in a format that nobody knows yet."""

    def _converse(self) -> Conversation:
        return NewerAnswering(self._node)


class NewerAnswering(answering.Answering):
    """What the newer program says."""

    def reply(self) -> Iterator[bytes]:
        at = len(bundle.MAGIC)
        for data in super().reply():
            yield data[:at] + bytes([bundle.FORMAT + 1]) + data[at + 1 :]


def test_an_older_village_is_told_to_upgrade_by_a_newer_town(places: Places) -> None:
    village = places.village
    with village.open() as node:
        (case,) = submit_some(node, 1, seed=4)
    places.town.end()

    with _served_by_a_newer_program(places.town):
        done = village.run("sync")
    here = village.read("status")
    places.town.serve("--no-sync")
    again = village.run("sync")

    assert done.returncode == 5
    assert "请升级本机的程序" in done.stderr
    assert "Traceback" not in done.stderr
    (above,) = [one for one in here["neighbours"] if one["above"]]
    assert above["last_result"] == "upgrade-here"
    assert here["needs_upgrade"] is True
    assert above["waiting_out"]["cases"] == 1, "an answer that nobody read is none"
    assert again.returncode == 0
    assert village.read("case", "show", case)["sync"]["town"] is True


@contextmanager
def _served_by_a_newer_program(place: Place) -> Iterator[None]:
    host, _, port = place.address.rpartition(":")
    with place.open() as node:
        server = NewerServer(node, host, int(port))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            yield
        finally:
            server.stop()
            thread.join(timeout=30)
