"""The file of a form made into a `Definition`, with all of its faults. Does I/O.

Reads the file and the lists beside it. Runs in the child of `forms.author.compile`:
what it calls may need any time and memory on a hostile file.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from forms.author import grids, outside, patterns, survey_checks
from forms.author.convert import convert
from forms.author.sheets import book_of
from forms.author.trace import Tracer
from forms.errors import (
    DefinitionFault,
    DefinitionRefused,
    FormFileRefused,
    FormProblem,
)
from forms.filling import Filling, prepare
from forms.questions import questions
from forms.xform import Definition, read_form

XFORM = ".xml"
_POSITION = re.compile(r"\[\d+\]")
_ANY_MOMENT = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""A form is opened once to see that it can be; the day must not matter."""


def build(path: Path) -> Definition:
    """Return the form that a file describes.

    Raises:
        FormFileRefused: anything is wrong with it; all that was found is listed.
        OSError: it cannot be read, or is no plain file.
    """
    if not path.is_file():  # before it is opened: opening a pipe would wait for ever
        raise FileNotFoundError
    with path.open("rb") as file:
        data = file.read(grids.MAX_BYTES + 1)
    if path.suffix.lower() == XFORM:
        return _from_xform(data, path.parent)
    return _from_sheets(path, data)


def _from_xform(data: bytes, folder: Path) -> Definition:
    faults: list[DefinitionFault] = []
    definition = None
    try:
        definition = outside.take_in(read_form(data), folder, faults)
        faults += _faults(definition)
    except DefinitionRefused as refused:
        faults += refused.faults
    if faults or definition is None:
        raise FormFileRefused([_of_xform(fault) for fault in faults])
    return definition


def _of_xform(fault: DefinitionFault) -> FormProblem:
    where = f"{fault.place}：" if fault.place else ""
    return FormProblem("", fault.line, "", f"{where}{fault.message}")


def _from_sheets(path: Path, data: bytes) -> Definition:
    problems: list[FormProblem] = []
    book = book_of(grids.read(path.suffix, data), problems)
    if problems and not book.survey.headings:
        raise FormFileRefused(problems)
    shape = survey_checks.shape_faults_of(book)
    problems += [*shape, *survey_checks.faults_of(book)]
    if shape:
        raise FormFileRefused(problems)
    survey_checks.take_out(book)
    made = convert(book, path.stem)
    problems += made.problems
    definition = None
    if made.xform:
        tracer = Tracer(book)
        faults: list[DefinitionFault] = []
        try:
            definition = outside.add_choices(read_form(made.xform), book)
            definition = outside.take_in(definition, path.parent, faults)
            faults += _faults(definition)
        except DefinitionRefused as refused:
            faults += refused.faults
        problems += [tracer.problem(fault) for fault in faults]
    if problems or definition is None:
        raise FormFileRefused(sorted(dict.fromkeys(problems), key=_order))
    return definition


def _order(problem: FormProblem) -> tuple[str, int]:
    return problem.sheet, problem.row


def _faults(definition: Definition) -> Sequence[DefinitionFault]:
    """Return what keeps a form from being filled in, or its answers from being kept."""
    try:
        plan = prepare(definition)
        questions(plan)
        filling = Filling(plan, _ANY_MOMENT)
    except DefinitionRefused as refused:
        return refused.faults
    failed = []
    for (path, text), reason in filling.failures.items():
        place = _POSITION.sub("", path)
        here = (
            name
            for (path_of, name), expression in plan.expressions.items()
            if path_of == place and expression.text == text
        )
        failed.append(DefinitionFault(place, reason, part=next(here, "")))
    return [*patterns.faults_of(definition), *failed]
