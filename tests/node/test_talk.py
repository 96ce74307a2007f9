"""What is said in an exchange, and what is not said again."""

from collections.abc import Iterator

from node import casework, talk
from node.lifecycle import Step
from sync.exchange import decode_parcel
from tests.node.nodes import Three, step, submit, sync, sync_all


def test_what_a_neighbour_has_just_said_is_not_said_back_to_it(nodes: Three) -> None:
    village, town = nodes.village, nodes.town
    case = submit(village)
    sync_all(nodes)
    step(town, case.id, Step.ACCEPT)
    casework.forward_batch(town, [case.id])
    sync(town, nodes.district)
    said: list[list[bytes]] = []

    def listening(run: Iterator[bytes]) -> Iterator[bytes]:
        bundles = list(run)
        parcels = [decode_parcel(talk.open_bundle(town, one).body) for one in bundles]
        said.append([v.read().holder for one in parcels for v in one.vectors])
        return talk.answer(town, bundles)

    talk.sync_over(village, talk.find_neighbour(village), listening)

    assert said == [[], [village.id]]
