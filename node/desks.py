"""What a desk is called, so that people and commands mean the same one. Pure."""

from sync.identity import Certificate, Roster


def desk_name(certificate: Certificate) -> str:
    """Return the name of a place; of a further desk there with its number."""
    if certificate.terminal == 1:
        return certificate.name
    return numbered_name(certificate)


def numbered_name(certificate: Certificate) -> str:
    """Return the name of a place with the number of the desk, also of the first."""
    return f"{certificate.name}{certificate.terminal}号机"


def desks_of(roster: Roster, node: bytes) -> list[Certificate]:
    """Return under which certificates a node has stood, by epoch.

    More than one where its data were copied: each copy that joined again is a desk
    of its own, and all of them have the same id and keys.
    """
    known = [one for one in roster.everyone() if one.node == node]
    return sorted(known, key=lambda one: one.epoch)
