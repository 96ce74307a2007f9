"""The good days after: everything arrives, everybody talks, and all is the same."""

from node import status, upkeep
from node.cases import open_case
from node.progress import progress
from sync.identity import holds
from tests.simulation import talking
from tests.simulation.copies import is_stuck, rejoin_at, whole_files
from tests.simulation.line import Line
from tests.simulation.oracle import Violation
from tests.simulation.site import Site
from tests.simulation.work import rows_at
from tests.simulation.world import World

MOST_PASSES = 16
"""Up, down, up with what that has set free, the acknowledgements of all that."""


def heal(world: World) -> None:
    """Let all that is on its way arrive, and everybody talk, until nobody has anything
    to say; who may not write begins anew, and then once more.
    """
    world.is_calm = True
    world.cut_until_ms.clear()
    while coming := world.post.due(float("inf")):
        world.now_ms = max(world.now_ms, coming.due_ms)
        coming.arrive()
    _talk_it_out(world)
    # Who is below could not be believed before who is above is.
    for site in world.sites.values():
        if site.above and is_stuck(site):
            rejoin_at(world, site, site.above)
            _talk_it_out(world)
    stuck = [site.name for site in world.sites.values() if is_stuck(site)]
    if stuck:
        raise Violation(f"{', '.join(stuck)} may not write, after all")


def _talk_it_out(world: World) -> None:
    for day in range(MOST_PASSES):
        unsettled = [site for site in world.sites.values() if not site.is_settled]
        if not unsettled:
            return
        world.say(f"good day {day + 1}")
        for site in unsettled:
            site.is_settled = talking.is_quiet(_talk(world, site))
    raise Violation(f"after {MOST_PASSES} days there is still something to say")


def compare(world: World, *, thoroughly: bool) -> None:
    """Find out whether all nodes agree, and whether nothing is missing.

    Args:
        world: after it has healed.
        thoroughly: also check each store by itself, and make it again.
    """
    _no_file_missing(world)
    digests = {site: upkeep.scope_digests(site.node) for site in world.sites.values()}
    for site, mine in digests.items():
        world.oracle.has_all(site)
        if site.above:
            _agree(site, mine, site.above, digests[site.above])
            _arrived(site)
    _no_number_twice(world)
    if thoroughly:
        if not all(
            talking.is_quiet(_talk(world, s)) for s in world.sites.values() if s.above
        ):
            raise Violation("there is still something to say, and nobody knew")
        for site, before in digests.items():
            faults = upkeep.verify(site.node).faults
            if faults:
                raise Violation(f"{site.name} is not sound: {faults[0]}")
            upkeep.rebuild(site.node)
            if upkeep.scope_digests(site.node) != before:
                raise Violation(f"{site.name} is another after a rebuild")


def _talk(world: World, site: Site) -> talking.Report:
    assert site.above is not None
    line = Line(world, site, site.above)
    line.talk(site.node)
    world.look(site)
    assert line.report is not None
    return line.report


def _agree(
    site: Site, mine: dict[str, str], other: Site, theirs: dict[str, str]
) -> None:
    for scope in mine.keys() | theirs.keys():
        both = holds(site.place.certificate, scope) and holds(
            other.place.certificate, scope
        )
        if both and mine.get(scope) != theirs.get(scope):
            raise Violation(f"{site.name} and {other.name} differ in {scope}")
    for row in rows_at(site):
        if _shown(site, row.document) != _shown(other, row.document):
            raise Violation(f"{site.name} and {other.name} differ in {row.id[:6]}")


def _shown(site: Site, document: bytes) -> tuple[object, ...]:
    """Return what a person sees of a case."""
    case = open_case(site.node, document.hex())
    row = case.row
    return (
        (row.number, row.item_code, row.state, row.mark, row.applicant),
        row.submitted_at_ms,
        [(one.id, one.state, one.why_not) for one in case.story.happened],
        (row.settler, row.open_count, row.had_conflict),
        case.fields,
        case.matters,
    )


def _arrived(site: Site) -> None:
    above = status.above(site.node)
    assert above is not None
    if above.not_delivered:
        raise Violation(f"{site.name}: {above.not_delivered} cases are not delivered")


def _no_file_missing(world: World) -> None:
    """Find out whether each file that lies anywhere lies at all who share its case."""
    documents = list(world.oracle.cases)
    anywhere = {name for site in world.sites.values() for name in whole_files(site)}
    for site in world.sites.values():
        here = whole_files(site)
        for document in progress(site.node, documents):
            for digest in open_case(site.node, document.hex()).materials:
                name = f"attachments/{digest}"
                if name in anywhere - here:
                    raise Violation(f"{site.name} lacks file {digest[:6]}")


def _no_number_twice(world: World) -> None:
    numbers = [row.number for row in rows_at(world.sites["D"])]
    if len(numbers) != len(set(numbers)):
        raise Violation("two cases bear the same number")
