"""A folder of TOML items made into a workbook, and back. The rim: reads and writes.

Forms beside the items stay as they are; the workbook only names them.
"""

from pathlib import Path

from forms.author.book_reader import read_book
from forms.author.book_writer import write_book
from forms.author.named import Named
from forms.author.xlsx import MAX_BYTES
from forms.catalog import item_files, read_entries
from forms.catalog.text import remark_of, write_item
from forms.catalog.toml import read_item


def export_book(directory: Path) -> bytes:
    """Return the workbook of all items of a folder.

    Raises:
        CatalogRefused: anything is wrong with any of them.
    """
    entries = read_entries(directory)
    return write_book(
        Named(path.stem, entry, remark_of(path.read_text(encoding="utf-8-sig")))
        for path, entry in zip(item_files(directory), entries, strict=True)
    )


def import_book(book: Path, directory: Path) -> list[Path]:
    """Write the items of a workbook as TOML files; return those that were written.

    A file that says the same already is left alone, with the comments inside it. No
    file is deleted; the folder is made if it is not there. Either all items are in
    order, or nothing is written.

    Raises:
        WorkbookRefused: anything is wrong with the workbook.
        OSError: it cannot be read, or a file cannot be written.
    """
    with book.open("rb") as file:
        items = read_book(file.read(MAX_BYTES + 1))
    directory.mkdir(exist_ok=True)
    return [path for item in items if (path := _write(item, directory))]


def _write(item: Named, directory: Path) -> Path | None:
    path = directory / f"{item.name}.toml"
    if path.is_file():
        text = path.read_text(encoding="utf-8-sig", errors="replace")
        if read_item(text).entry == item.entry and remark_of(text) == item.remark:
            return None
    # Renamed into place, so that a full disk never leaves half an item.
    fresh = path.with_suffix(".toml.new")
    fresh.write_text(write_item(item.entry, item.remark), encoding="utf-8")
    fresh.replace(path)
    return path
