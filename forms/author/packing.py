"""Items and their compiled forms made into packages. The rim: reads files.

Compiling is a step before publishing: what reads a catalogue stays pure.
"""

from collections.abc import Collection
from pathlib import Path

from forms.author.compile import SUFFIXES, compile_form, compile_forms
from forms.catalog import MAX_FILE_BYTES, item_files, read_entries
from forms.catalog.reader import Entry
from forms.catalog.toml import read_item
from forms.errors import (
    CatalogProblem,
    CatalogRefused,
    FormFileRefused,
    FormProblem,
    PackageRefused,
)
from forms.flat import definition_of
from forms.package import MAX_BYTES, Package, decode, encode, format_of
from forms.xform import Definition


def read_packages(
    directory: Path, names: Collection[str] | None = None
) -> list[Package]:
    """Return items of a folder with their forms, by file name.

    Args:
        directory: of the items; whatever is returned, all of them are read.
        names: files without `.toml` of the items to return; None: all.

    Raises:
        CatalogRefused: anything is wrong with any item, or with the form of one that
            is returned; all is listed.
    """
    entries = [
        (path, entry)
        for path, entry in zip(
            item_files(directory), read_entries(directory), strict=True
        )
        if names is None or path.stem in names
    ]
    forms = compile_forms([directory / one.form for _, one in entries if one.form])
    packages: list[Package] = []
    problems: list[CatalogProblem] = []
    for path, entry in entries:
        if entry.package:
            packages.append(entry.package)
            continue
        form = next(forms)
        if isinstance(form, FormFileRefused):
            problems += [
                CatalogProblem(entry.form, p.row or 1, str(p)) for p in form.problems
            ]
            continue
        try:
            packages.append(package_of(entry, form))
        except PackageRefused as refused:
            problems.append(CatalogProblem(path.name, 1, refused.reason))
    if problems:
        raise CatalogRefused(problems)
    return packages


def package_of(entry: Entry, form: Definition) -> Package:
    """Return an item with its form in full.

    Raises:
        PackageRefused: item and form do not fit together.
    """
    package = Package(
        format=format_of(entry.item, form),
        version=entry.version,
        item=entry.item,
        form=form,
    )
    encode(package)
    return package


def read_entry(path: Path) -> Entry:
    """Return the item of one TOML file.

    Raises:
        CatalogRefused: anything is wrong with it, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        message = "读不出来，请核对路径，并存为 UTF-8 编码"
        raise CatalogRefused([CatalogProblem(path.name, 1, message)]) from error
    reading = read_item(text)
    if reading.entry is None:
        raise CatalogRefused([CatalogProblem(path.name, *f) for f in reading.faults])
    return reading.entry


def read_any(path: Path) -> Definition:
    """Return the form of a workbook, an XForm or a package.

    Raises:
        FormFileRefused: anything is wrong with it.
    """
    if path.suffix.lower() in SUFFIXES or not path.is_file():
        return compile_form(path)
    try:
        with path.open("rb") as file:
            package = decode(file.read(MAX_BYTES + 1))
    except (OSError, PackageRefused) as error:
        message = "既不是表单文件（.xlsx、.xls、.csv、.md、.xml），也不是表单包"
        raise FormFileRefused([FormProblem("", 0, "", message)]) from error
    return package.form or definition_of(package.fields)
