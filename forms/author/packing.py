"""Items and their compiled forms made into packages. The rim: reads files.

Compiling is a step before publishing: what reads a catalogue stays pure.
"""

from pathlib import Path

from forms.author.compile import SUFFIXES, compile_form, compile_forms
from forms.catalog import item_files, read_entries
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
from forms.package import FORMAT, Package, decode, encode
from forms.xform import Definition

MAX_ITEM_BYTES = 256 * 1024
MAX_PACKAGE_BYTES = 2 * 1024 * 1024


def read_packages(directory: Path) -> list[Package]:
    """Return the items of a folder with their forms, by file name.

    An item that names a form file has the form of that file, whatever fields stand
    in the item as well.

    Raises:
        CatalogRefused: anything is wrong with any item or any form; all is listed.
    """
    entries = read_entries(directory)
    files = item_files(directory)
    named = [directory / entry.form for entry in entries if entry.form]
    forms = iter(compile_forms(named))
    packages: list[Package] = []
    problems: list[CatalogProblem] = []
    for path, entry in zip(files, entries, strict=True):
        if not entry.form:
            packages.append(_whole(entry.package))
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
    package = Package(format=FORMAT, version=entry.version, item=entry.item, form=form)
    encode(package)
    return package


def read_entry(path: Path) -> Entry:
    """Return the item of one TOML file.

    Raises:
        CatalogRefused: anything is wrong with it, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_ITEM_BYTES).decode("utf-8-sig")
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
            package = decode(file.read(MAX_PACKAGE_BYTES))
    except (OSError, PackageRefused) as error:
        message = "既不是表单文件（.xlsx、.xls、.csv、.md、.xml），也不是表单包"
        raise FormFileRefused([FormProblem("", 0, "", message)]) from error
    return package.form or definition_of(package.fields)


def _whole(package: Package | None) -> Package:
    assert package is not None  # an entry has fields, a form, or both
    return package
