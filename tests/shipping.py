"""The items that ship, as `catalog publish` makes them; compiled once a process."""

from functools import cache

from forms.author.packing import read_packages
from forms.catalog import shipped
from forms.package import Package
from node.sample import SAMPLED


@cache
def shipped_packages() -> tuple[Package, ...]:
    """The three with which most tests work, by file name."""
    return tuple(read_packages(shipped(), SAMPLED))


@cache
def all_shipped_packages() -> tuple[Package, ...]:
    """All of them, by file name."""
    return tuple(read_packages(shipped()))
