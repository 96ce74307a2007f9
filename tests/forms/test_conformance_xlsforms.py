"""The sample workbooks of pyxform: each works, or is refused for a true reason.

The workbooks are outside of this repository (LIANBAN_CONFORMANCE, or the folder
`../shared/conformance` beside it); without them there is nothing to test here.
"""

import os
import warnings
from pathlib import Path

import pytest

from forms.errors import DefinitionRefused
from forms.filling import Filling, prepare
from forms.xform import Element, read_form
from tests.forms.xforms import NOW

pyxform = pytest.importorskip(
    "pyxform.xls2xform", reason="the extra `author` is absent"
)

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(
    os.environ.get("LIANBAN_CONFORMANCE") or ROOT.parent / "shared" / "conformance"
)

REFUSED = {
    "bug-xl_date_ambiguous.xlsx": "label::English",  # a column's name as an axis
    "case_insensitivity.xls": "l1",  # an entity's label that names no question
    "case_insensitivity.xlsx": "l1",
}


def test_sample_workbooks_work_or_are_refused_for_a_true_reason() -> None:
    folder = FOLDER / "xlsforms"
    if not folder.is_dir():
        pytest.skip("the outside workbooks are not here (LIANBAN_CONFORMANCE)")

    worked, refused = [], {}
    paths = [p for p in folder.iterdir() if p.suffix in (".xls", ".xlsx", ".csv")]
    for path in sorted(paths):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                xml = pyxform.convert(path, validate=False).xform
            except Exception:  # noqa: BLE001  # pyxform's own verdict, not ours
                continue
        try:
            look_through(xml)
        except DefinitionRefused as error:
            refused[path.name] = str(error)
        else:
            worked.append(path.name)

    print(f"workbooks: {len(worked)} work, {len(refused)} refused")
    assert len(worked) >= 21
    assert set(refused) <= set(REFUSED)
    assert all(REFUSED[name] in reason for name, reason in refused.items())


def look_through(xml: str) -> None:
    """Open a form, look at all that it shows, save it and open it again."""
    form = read_form(xml)
    outside = {s.id: Element("root") for s in form.secondary if s.source}
    plan = prepare(form, outside)
    one = Filling(plan, NOW)
    for row in one.rows():
        if row.ref and row.kind != "repeat":
            one.label(row.ref)
            one.hint(row.ref)
            one.choices(row.ref)
    assert one.failures == {}
    assert Filling.restore(plan, one.serialise(), NOW).serialise() == one.serialise()
