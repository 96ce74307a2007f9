"""The line between two nodes, and what may happen to what goes over it."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from node.wiring import Node
from sync.errors import PeerFault, PeerRefused, PeerUnreachable, SyncError
from sync.exchange import SILENCE
from tests.simulation import talking
from tests.simulation.disk import Crash
from tests.simulation.oracle import Violation
from tests.simulation.site import Job, Site
from tests.simulation.tables import Row, draw
from tests.simulation.world import DAY_MS, MINUTE_MS, World

T = TypeVar("T")


def sync(world: World, client: Site, server: Site) -> None:
    """Let a node sync with another, if the line allows."""
    line = Line(world, client, server)
    world.attempt(client, Job(f"syncs with {server.name}", line.talk))


class Line:
    """One exchange, and what happens on its way.

    The client's bundles are made when they are pulled, the server's as well.
    """

    def __init__(self, world: World, client: Site, server: Site) -> None:
        self.world, self.client, self.server = world, client, server
        self.report: talking.Report | None = None
        self._went_wrong = False
        self._node = client.node

    def talk(self, node: Node) -> None:
        """Exchange until there is nothing more to say, or the line breaks."""
        self._node = node
        self.client.is_settled = False
        peer = talking.peer_of(node, self.server.place.certificate.node)
        try:
            report = talking.exchange(node, peer, self._carry)
        except SyncError as error:
            if not self._went_wrong:
                raise
            self.world.say(f"  broken off: {type(error).__name__}")
            return
        self.report = report
        self.world.say(
            f"  {report.requests} requests, {report.sent} sent, "
            f"{report.received} received"
        )

    def _carry(self, run: Iterator[bytes]) -> Iterator[bytes]:
        fate = draw(self.world.chance, _CALM if self.world.is_calm else FATES)
        if self.world.is_cut(self.client, self.server):
            fate = _CUT
        if fate is not FATES[0]:
            self._went_wrong = True
            self.world.fault(fate.name)
        self.world.draw_accident(self.server)
        try:
            yield from fate.do(self, self._made(run))
        except (PeerUnreachable, PeerRefused):
            self._went_wrong = True
            raise

    def _made(self, run: Iterator[bytes]) -> Iterator[bytes]:
        for data in run:
            self.world.look(self.client)
            yield data

    # -- what the fates are made of -----------------------------------------------

    def take(self, run: Iterable[bytes]) -> talking.Answering:
        """Let the server take a run in; return its side of the conversation."""
        conversation = talking.Answering(self.server.node)
        for data in run:
            self.take_one(conversation, data)
        return conversation

    def take_one(
        self, conversation: talking.Answering, data: bytes, *, is_sound: bool = True
    ) -> None:
        """Let the server take in one bundle."""

        def task() -> None:
            conversation.admit(data[:1024])
            conversation.take(data)

        guarded(self.world, self.server, task, is_sound=is_sound)

    def hear(self, conversation: talking.Answering) -> Iterator[bytes]:
        """Yield the server's answer, as it is made."""
        guarded(self.world, self.server, lambda: talking.retry(self.server.node))
        replies = conversation.reply()
        heard = self.world.replies[self.client.name, self.server.name] = []
        while (data := self._next(replies)) is not None:
            heard.append(data)
            yield data

    def _next(self, replies: Iterator[bytes]) -> bytes | None:
        return guarded(self.world, self.server, lambda: next(replies, None))

    def post(self, run: Iterable[bytes]) -> None:
        """Let a run come when nobody expects it any more."""
        length_ms = self.world.chance.choice((MINUTE_MS, 60 * MINUTE_MS, 2 * DAY_MS))
        bundles = list(run)
        self.world.post.send(
            self.world.now_ms + length_ms, lambda: self._come_late(bundles)
        )

    def _come_late(self, bundles: list[bytes]) -> None:
        world, server = self.world, self.server
        world.say(f"{server.name} gets a run of {self.client.name}, late")
        world.draw_accident(server)
        try:
            for _ in self.hear(self.take(bundles)):
                pass
        except PeerUnreachable:
            world.say("  and stops")
        finally:
            server.disk.writes_left = server.disk.pauses_left = None

    def let_others_go_on(self) -> None:
        """Let something else happen while this exchange is under way."""
        self.world.go_on()
        self.client.stop_if_not(self._node)

    def broken(self) -> PeerUnreachable:
        """Return what a client sees of a line that broke."""
        return PeerUnreachable(self.server.name, "the line broke")


def guarded(
    world: World, site: Site, task: Callable[[], T], *, is_sound: bool = True
) -> T:
    """Let a node do something because of others, and see what becomes of it.

    Raises:
        PeerUnreachable: its machine stopped over it.
        PeerRefused: it said no, and had reason to.
    """
    site.may_refuse = not is_sound
    try:
        return task()
    except Crash:
        world.fault("crash", f"{site.name} stops while it serves")
        site.start_again()
        raise PeerUnreachable(site.name, "no answer") from None
    except PeerFault as fault:
        if is_sound:
            raise Violation(f"{site.name} refused a sound bundle: {fault}") from fault
        raise PeerRefused(site.name, 400, str(fault)) from fault
    finally:
        world.look(site)
        site.may_refuse = False


# -- what may happen to a run and its answer ----------------------------------------


def _arrives(line: Line, run: Iterator[bytes]) -> Iterator[bytes]:
    yield from line.hear(line.take(run))


def _nobody_there(line: Line, run: Iterator[bytes]) -> Iterator[bytes]:
    yield from ()
    raise line.broken()


def _run_cut(line: Line, run: Iterator[bytes]) -> Iterator[bytes]:
    """Let only the first bundles arrive, perhaps none, while more were sent."""
    bundles = list(run)
    line.take(bundles[: line.world.chance.randrange(len(bundles))])
    yield from ()
    raise line.broken()


def _answer_cut(line: Line, run: Iterator[bytes]) -> Iterator[bytes]:
    """Let only the first bundles of the answer arrive, perhaps none."""
    left = line.world.chance.choice((0, 0, 1, 2))
    for data in line.hear(line.take(run)):
        if not left:
            raise line.broken()
        left -= 1
        yield data
    raise line.broken()


def _run_late(line: Line, run: Iterator[bytes]) -> Iterator[bytes]:
    line.post(run)
    yield from ()
    raise line.broken()


def _run_twice(line: Line, run: Iterator[bytes]) -> Iterator[bytes]:
    bundles = list(run)
    for _ in line.hear(line.take(bundles)):
        pass
    yield from line.hear(line.take(bundles))


def _run_again_later(line: Line, run: Iterator[bytes]) -> Iterator[bytes]:
    bundles = list(run)
    line.post(bundles)
    yield from line.hear(line.take(bundles))


def _run_out_of_order(line: Line, run: Iterator[bytes]) -> Iterator[bytes]:
    bundles = list(run)
    line.world.chance.shuffle(bundles)
    yield from line.hear(line.take(bundles))


def _bundle_missing(line: Line, run: Iterator[bytes]) -> Iterator[bytes]:
    bundles = list(run)
    if len(bundles) > 1:
        bundles.pop(line.world.chance.randrange(len(bundles)))
    yield from line.hear(line.take(bundles))


def _older_answer(line: Line, run: Iterator[bytes]) -> Iterator[bytes]:
    older = line.world.replies.get((line.client.name, line.server.name))
    newer = list(line.hear(line.take(run)))
    yield from older or newer


def _bundle_damaged(line: Line, run: Iterator[bytes]) -> Iterator[bytes]:
    bundles = list(run)
    at = line.world.chance.randrange(len(bundles))
    conversation = line.take(bundles[:at])
    line.take_one(conversation, damaged(line.world, bundles[at]), is_sound=False)
    yield from ()
    raise Violation(f"{line.server.name} took a damaged bundle for a sound one")


def _answer_damaged(line: Line, run: Iterator[bytes]) -> Iterator[bytes]:
    for data in line.hear(line.take(run)):
        if data == SILENCE:  # a word of the transport, not bytes to be damaged
            yield data
            return
        # What is damaged may look as if it were of a newer program.
        line.client.may_refuse = True
        yield damaged(line.world, data)
        raise Violation(f"{line.client.name} took a damaged bundle for a sound one")


def _slow(line: Line, run: Iterator[bytes]) -> Iterator[bytes]:
    """Let others go on while the run, and its answer, are under way."""
    server = line.server.node
    conversation = talking.Answering(server)
    for data in run:
        line.let_others_go_on()
        if line.server.node is not server:
            raise line.broken()
        line.take_one(conversation, data)
    for data in line.hear(conversation):
        line.let_others_go_on()
        yield data
        if line.server.node is not server:
            raise line.broken()


def damaged(world: World, data: bytes) -> bytes:
    """Return bytes of which one bit is not what it was, or the last are missing."""
    at = world.chance.randrange(len(data))
    if world.chance.random() < 0.3:
        return data[:at]
    bit = 1 << world.chance.randrange(8)
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


Fate = Callable[[Line, Iterator[bytes]], Iterator[bytes]]

FATES: tuple[Row[Fate], ...] = (
    Row("arrives", 68, _arrives),
    Row("nobody there", 3, _nobody_there),
    Row("run cut", 5, _run_cut),
    Row("answer cut", 5, _answer_cut),
    Row("run late", 4, _run_late),
    Row("run twice", 3, _run_twice),
    Row("run again later", 4, _run_again_later),
    Row("run out of order", 3, _run_out_of_order),
    Row("bundle missing", 3, _bundle_missing),
    Row("older answer", 2, _older_answer),
    Row("bundle damaged", 2, _bundle_damaged),
    Row("answer damaged", 2, _answer_damaged),
    Row("slow line", 5, _slow),
)
_CALM = FATES[:1]
_CUT = FATES[1]
