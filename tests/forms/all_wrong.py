"""A form, and an application in which every question is wrong in its own way."""

from pathlib import Path

from tests.forms.author_files import markdown, row
from tests.forms.test_catalog import HEAD

SETTINGS = {
    "form_title": "样样都错",
    "form_id": "1",
    "namespaces": 'lianban="urn:lianban:form"',
}
KIND = "bind::lianban:kind"
SURVEY = [
    row("text", "name", "姓名", required="yes"),
    row("text", "citizen_id", "身份证号", **{KIND: "citizen_id"}),
    row("date", "since", "居住起始日期"),
    row("integer", "size", "家庭人口", constraint=". >= 1 and . <= 20"),
    row("select_one housing", "housing", "住房"),
    row("text", "reason", "申请理由"),
    row(
        *("decimal", "paid", "已交（元）"),
        constraint=". <= 100",
        constraint_message="最多交 100 元",
    ),
    row("begin_repeat", "member", "成员"),
    row("text", "who", "成员姓名", required="yes"),
    row("decimal", "wages", "每月收入", **{KIND: "amount_yuan"}),
    row("end_repeat"),
    row("image", "paper", "户口簿照片", required="yes"),
]
CHOICES = [
    {"list_name": "housing", "name": "own", "label": "自有"},
    {"list_name": "housing", "name": "rented", "label": "租住"},
]
WRONG = {
    "citizen_id": "110105194912310021",
    "since": "2026-02-30",
    "size": "99",
    "housing": "castle",
    "reason": "难" * 2_001,
    "paid": "100.5",
    "member/001-aaaa/wages": "-5",
    "extra": "x",
}
"""A name, a member's name and a photograph are missing as well."""
SAID = [
    ("姓名", "请填写这一项"),
    ("身份证号", "校验位不对"),
    ("居住起始日期", "2 月没有 30 日"),
    ("家庭人口", "不符合要求"),
    ("住房", "请从列出的 2 项中选一项"),
    ("申请理由", "太长了"),
    ("已交（元）", "最多交 100 元"),
    ("成员姓名（第 1 组）", "请填写这一项"),
    ("每月收入（第 1 组）", "请填金额"),
    ("户口簿照片", "请附上文件"),
    ("extra", "表单里没有这一项"),
]


def catalogue(folder: Path) -> Path:
    """Write the item with its form into a new folder."""
    folder.mkdir()
    text = markdown(SURVEY, CHOICES, SETTINGS)
    (folder / "wrong.md").write_text(text, encoding="utf-8")
    item = f'form = "wrong.md"\n{HEAD}'
    (folder / "wrong.toml").write_text(item, encoding="utf-8")
    return folder
