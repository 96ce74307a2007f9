"""Backups that are put back, copied homes of which both work on, and beginning anew.

What a node wrote after its data were copied may be known elsewhere, be on its way, or
be gone with the disk. Whoever works on in an older copy writes a second history; that
is found out, both are kept, and with a new epoch the node may write again.
"""

from node import enrol, journal, rejoin
from node.errors import InviteRefused
from node.wiring import Node
from sync.errors import PeerUnreachable
from tests.simulation import talking
from tests.simulation.line import guarded
from tests.simulation.site import Backup, Job, Site
from tests.simulation.world import World

MOST_BACKUPS = 3
CARELESS = 0.5
"""How often people work in an older copy without having synced first."""

LOST_GRANTS = 0.2
"""How often the answer to a request to begin anew is lost."""


def back_up(world: World) -> None:
    """Copy a disk."""
    site = world.someone()
    site.back_up()
    del site.backups[:-MOST_BACKUPS]
    world.say(f"{site.name} makes a backup")


def restore(world: World) -> None:
    """Put a disk back to a copy of it."""
    saved = [site for site in world.sites.values() if site.backups]
    if not saved:
        return
    site = world.chance.choice(saved)
    fitting = [one for one in site.backups if _is_possible(world, site, one)]
    if fitting:
        world.fault("backup restored", f"{site.name} is put back to a backup")
        _put_back(world, site, world.chance.choice(fitting))


def copy(world: World) -> None:
    """Copy a whole home; somebody will work with the copy, too."""
    site = world.someone("T", "V")
    world.fault("home copied", f"{site.name} is copied to another machine")
    site.other = site.copied()


def change_over(world: World) -> None:
    """Let the other copy of a node go on, and this one rest."""
    twice = [site for site in world.sites.values() if site.other]
    if not twice:
        return
    site = world.chance.choice(twice)
    assert site.other is not None
    world.fault("other copy", f"the other copy of {site.name} goes on")
    here = site.copied()
    _put_back(world, site, site.other)
    site.other = here if world.chance.random() < 0.7 else None


def may_write(world: World, site: Site) -> bool:
    """Say whether people work at a site: in an older copy they should sync first.

    At the district they do: of what it publishes there must not be two histories.
    """
    if not world.oracle.lacks_own(site):
        return True
    return site.tier != "D" and world.chance.random() < CARELESS


def somebody_rejoins(world: World) -> None:
    """Let a node that may not write begin anew, if there is a line."""
    for site in world.sites.values():
        above = site.above
        if above and is_stuck(site) and not world.is_cut(site, above):
            rejoin_at(world, site, above)
            return


def rejoin_at(world: World, site: Site, above: Site) -> None:
    """Let a node begin its next epoch, with a code from the node above."""
    codes: list[str] = []

    def invite(node: Node) -> None:
        place = site.place.certificate
        codes.append(
            enrol.invite(
                node,
                tier=place.tier,
                division=place.division,
                department="",
                name=place.name,
                address="simulation:1",
            )
        )

    if not site.code:
        world.attempt(above, Job(f"invites {site.name} again", invite))
        site.code = codes[0] if codes else ""
    if not site.code:
        return
    door = _Door(world, above)
    world.attempt(site, Job("rejoins", lambda node: door.enter(node, site)))


def is_stuck(site: Site) -> bool:
    """Say whether a node may not write somewhere."""
    return any(
        journal.is_forbidden(site.node, scope)
        for (scope,) in site.disk.raw.execute(
            "SELECT DISTINCT scope FROM streams WHERE node = ? AND epoch = ?",
            (site.node.id, site.node.certificate.epoch),
        ).fetchall()
    )


class _Door:
    """In the place of `sync.client.Client`: the inviter's code, without a socket."""

    def __init__(self, world: World, above: Site) -> None:
        self._world, self._above = world, above

    def __call__(self, _address: str, _pinned: bytes | None) -> "_Door":
        return self

    def enter(self, node: Node, site: Site) -> None:
        """Let a node rejoin by its code, which is good until it is used or too old."""
        try:
            with talking.line_to(self):
                rejoin.rejoin(node, site.code)
        except PeerUnreachable:
            self._world.fault("grant lost", "  the answer is lost")
            return
        except InviteRefused as refused:
            self._world.say(f"  refused: {refused.why}")
        site.code = ""

    def join(self, request: bytes) -> bytes:
        """Let the inviter answer; what it says may be lost."""
        world, above = self._world, self._above
        answer = guarded(
            world, above, lambda: enrol.grant(above.node, request), is_sound=False
        )
        if not world.is_calm and world.chance.random() < LOST_GRANTS:
            raise PeerUnreachable(above.name, "the line broke")
        return answer

    def close(self) -> None:
        """Close nothing."""


def _put_back(world: World, site: Site, backup: Backup) -> None:
    site.put_back(backup)
    site.was_put_back = True
    world.oracle.was_put_back(site)
    world.look(site)


def _is_possible(world: World, site: Site, backup: Backup) -> bool:
    """Say whether a backup can be put back: of the district's own entries, and of the
    files of cases, all must lie elsewhere.
    """
    others = [one for one in world.sites.values() if one is not site]
    lost = whole_files(site) - backup.files.keys()
    if not all(any(name in whole_files(one) for one in others) for name in lost):
        return False
    if site.tier != "D":
        return True
    held = {one for each in others for one in world.oracle.views[each.name].entries}
    return all(
        one in held
        for one in world.oracle.views["D"].entries
        if world.oracle.truth[one].stream[0] == site.node.id
        and one not in backup.entries
    )


def whole_files(site: Site) -> set[str]:
    """Return the files of cases that lie whole at a site."""
    folder = site.home.attachments
    paths = folder.iterdir() if folder.is_dir() else ()
    return {f"{folder.name}/{path.name}" for path in paths if path.is_file()}
