"""Whatever the order and the route in which branches come: one state, everywhere."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node import drafting, upkeep
from node.cases import open_case
from node.errors import AnswersWrong, StepRefused, WriteForbidden
from node.lifecycle import Step
from node.wiring import Node
from sync.identity import PUBLIC
from tests.node.nodes import (
    ANSWERS,
    ELDER,
    VILLAGE,
    Three,
    clone,
    rejoined,
    reopen,
    step,
    submit,
    sync,
    three,
)

NAMES = ("张三丰", "李四光", "王五", "赵六", "钱七", "孙八", "周九")


class Copies:
    """A village with a case that all know, and two copies of it; the second was made
    of the first after that had written, so that histories part twice.
    """

    def __init__(self, nodes: Three) -> None:
        self.district, self.town, self.village = (
            nodes.district,
            nodes.town,
            nodes.village,
        )
        self.shared = submit(self.village).id
        for one, other in ((self.village, self.town), (self.town, self.district)) * 2:
            sync(one, other)
        sync(self.village, self.town)
        drafting.begin_draft(self.village, ELDER, ANSWERS)
        self.first = reopen(clone(self.village, nodes.path / "first"), nodes.clock)
        submit(self.first)
        self.second = reopen(clone(self.first, nodes.path / "second"), nodes.clock)
        self.writers = (self.village, self.first, self.second)
        self._count = 0

    def close(self) -> None:
        self.first.close()
        self.second.close()

    @property
    def every(self) -> tuple[Node, ...]:
        return (self.district, self.town, *self.writers)

    def write(self, who: int) -> None:
        self._count += 1
        with suppress(WriteForbidden):
            submit(self.writers[who], name=NAMES[self._count % len(NAMES)])

    def submit_copied(self, who: int) -> None:
        """Submit a draft that was begun before the data were copied."""
        writer = self.writers[who]
        with suppress(WriteForbidden):
            for draft in writer.store.drafts.all()[-1:]:
                drafting.submit_draft(writer, draft)

    def rejoin(self, who: int) -> None:
        rejoined(self.town, self.writers[who])

    def amend(self, who: int) -> None:
        """Write into the case that all have, each copy without knowing of another."""
        self._count += 1
        name = NAMES[self._count % len(NAMES)]
        with suppress(WriteForbidden, StepRefused, AnswersWrong):
            step(self.writers[who], self.shared, Step.AMEND, contact_name=name)

    def talk(self, who: int, to_district: bool) -> None:
        sync(self.writers[who], self.district if to_district else self.town)

    def up(self) -> None:
        sync(self.town, self.district)

    def accept(self) -> None:
        if open_case(self.town, self.shared).story.state == "submitted":
            step(self.town, self.shared, Step.ACCEPT)

    def settle(self) -> None:
        """Let all hear all, over every line."""
        for _ in range(3):
            for writer in self.writers:
                sync(writer, self.town)
            self.up()


def picture(node: Node) -> dict[str, Any]:
    """Return all that follows from entries, but for what tells when they came."""
    branches, journal = node.store.branches, node.store.journal
    rows = {}
    for _, document, _ in node.store.documents.heads_by_scope():
        row = node.store.cases.get(document)
        assert row is not None
        rows[row.id] = (row.number, row.applicant, row.state, row.mark)
    return {
        "digests": {
            scope: digest
            for scope, digest in upkeep.scope_digests(node).items()
            if scope in (PUBLIC, VILLAGE)
        },
        "lines": [
            (line.tag, line.base, line.base_hash, line.sequence, line.hash)
            for stream in branches.forked_streams()
            for line in branches.lines(stream)
        ],
        "verdicts": {
            (stored.stream, stored.branch, stored.entry.sequence): stored.verdict
            for page in journal.in_order_of_arrival()
            for stored in page
            if stored.stream.scope == VILLAGE
        },
        "rows": rows,
        "stories": {
            one: [(h.id, h.why_not) for h in open_case(node, one).story.happened]
            for one in rows
        },
        "aside": sorted(row.cause for row in node.store.documents.quarantine(99)),
        "waiting": node.store.documents.counts()[0],
    }


WHO = st.integers(0, 2)
ACTS: st.SearchStrategy[Callable[[Copies], None]] = st.one_of(
    st.builds(lambda who: lambda all_: all_.write(who), WHO),
    st.builds(lambda who: lambda all_: all_.amend(who), WHO),
    st.builds(lambda who: lambda all_: all_.submit_copied(who), WHO),
    st.builds(lambda who: lambda all_: all_.rejoin(who), WHO),
    st.builds(
        lambda who, up: lambda all_: all_.talk(who, to_district=up), WHO, st.booleans()
    ),
    st.just(lambda all_: all_.up()),
    st.just(lambda all_: all_.accept()),
)


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(ACTS, min_size=6, max_size=18))
def test_the_state_does_not_depend_on_order_or_route(
    acts: list[Callable[[Copies], None]],
) -> None:
    with TemporaryDirectory() as folder, three(Path(folder)) as nodes:
        copies = Copies(nodes)
        for act in acts:
            act(copies)

        copies.settle()

        pictures = [picture(node) for node in copies.every]
        found = [upkeep.verify(node).faults for node in copies.every]
        for node in copies.every:
            upkeep.rebuild(node)
        again = [picture(node) for node in copies.every]
        quiet = [sync(writer, copies.town) for writer in copies.writers]
        copies.close()

    assert all(one == pictures[0] for one in pictures)
    assert found == [()] * 5
    assert again == pictures
    assert pictures[0]["waiting"] == 0
    assert [(one.requests, one.sent, one.received) for one in quiet] == [(1, 0, 0)] * 3
