"""Which items are in force here, and the packages that say what they are."""

from forms.package import Package
from node.errors import NotFound, StoreDamaged
from node.store.registry import PackageRow
from node.wiring import Node


def packages(node: Node) -> list[PackageRow]:
    """Return the present package of each item, by code."""
    return node.store.registry.current_packages(node.today().isoformat())


def find_package(node: Node, name: str) -> PackageRow:
    """Return the present package of an item, by code or by name.

    Raises:
        NotFound: no published item is called so.
    """
    rows = packages(node)
    for row in rows:
        if name in (row.code, row.name):
            return row
    fitting = [row for row in rows if name and name in row.name]
    if len(fitting) != 1:
        raise NotFound("item", name[:40])
    return fitting[0]


def package_of(node: Node, digest: str) -> Package:
    """Return the package of a case or draft that lies here.

    Raises:
        StoreDamaged: it was never stored, or lost.
        PackageDamaged: it is not what was published.
    """
    package = node.package(digest)
    if package is None:
        raise StoreDamaged(f"package {digest[:12]} is not here")
    return package
