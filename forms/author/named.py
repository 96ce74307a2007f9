"""An item with the name of its file. Pure: no I/O."""

from dataclasses import dataclass

from forms.catalog.reader import Entry


@dataclass(frozen=True, slots=True)
class Named:
    """An item with the name of its file, without suffix, and the remark at its top."""

    name: str
    entry: Entry
    remark: str = ""
