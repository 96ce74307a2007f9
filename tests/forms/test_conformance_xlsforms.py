"""The sample workbooks of pyxform: each works, or is refused for a true reason."""

import pytest

from forms.author.compile import compile_forms
from forms.errors import FormFileRefused
from forms.filling import Filling, prepare
from forms.xform import Definition
from tests.forms.outside import outside
from tests.forms.xforms import NOW

pytest.importorskip("pyxform", reason="the extra `author` is absent")

# Why we refuse what the converter takes; all others it refuses itself.
REFUSED = {
    "bug-UCL_Biomass_Plot_Form.xlsx": "UCL_regions.csv",
    "bug-calculate_without_calculation.xls": "第 34 行 calculation 列",
    "bug-duplicate_columns.xlsx": "第 1 行 label 列：这一列写了两次",
    "bug-group_name_test.xls": "第 3 行 name 列：没有写名称",
    "bug-xl_date_ambiguous.xlsx": "label::English 列：这里是 Excel 公式",
    "case_insensitivity.xls": "表达式里的 l1 在表单里找不到",
    "case_insensitivity.xlsx": "表达式里的 l1 在表单里找不到",
    "gps.csv": "第 2 行 label 列：没有写标签",
    "include.xls": "include",
    "include.xlsx": "include",
    "pull_data.xlsx": "fruits.csv",
}


def test_sample_workbooks_work_or_are_refused_for_a_true_reason() -> None:
    folder = outside("xlsforms")
    suffixes = (".xlsx", ".xls", ".csv")
    paths = [path for path in sorted(folder.iterdir()) if path.suffix in suffixes]

    found = dict(zip(paths, compile_forms(paths), strict=True))

    assert len(found) == 30
    for path, form in found.items():
        if isinstance(form, FormFileRefused):
            assert REFUSED[path.name] in "\n".join(map(str, form.problems))
        else:
            assert path.name not in REFUSED
            look_through(form)


def look_through(form: Definition) -> None:
    """Open a form, look at all that it shows, save it and open it again."""
    plan = prepare(form)
    one = Filling(plan, NOW)
    for row in one.rows():
        if row.ref and row.kind != "repeat":
            one.label(row.ref)
            one.hint(row.ref)
            one.choices(row.ref)
    assert one.failures == {}
    assert Filling.restore(plan, one.serialise(), NOW).serialise() == one.serialise()
