"""Which sheets and columns the workbook of items has, as a table. Pure: no I/O.

A column is a key of a part of an item; its heading is what the clerk reads. A part
that gets a new key gets a heading here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct

from forms.catalog.reader import PARTS
from forms.field import Choice, Field
from forms.item import Item
from forms.material import Exemption, Material
from forms.service import Code, Fee, Member, Step, Urgent

FILE = "文件名"
"""Heading of the column that says to which item a row belongs: "elder_card"."""

NOTES = "说明"
"""Name of the sheet that explains the others; it is not read."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: where its value belongs in a row's table, and of which type it is."""

    path: tuple[str, ...]
    """One key, or two for a section within the row's: ("urgent", "when")."""
    heading: str
    type: Any


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: a row is a part of an item."""

    name: str
    section: str
    """Where its rows go in the tables of an item: "item", "material"..."""
    columns: tuple[Column, ...]
    parent: str = ""
    """Heading of the column with the key of the part that a row belongs to."""
    within: tuple[str, str] = ("", "")
    """For rows with a parent: the section of that part, and its list of these rows."""


HEADINGS: Mapping[type[Struct], Mapping[str, str]] = {
    Item: {
        "code": "事项代码",
        "code_scheme": "代码规则",
        "name": "事项名称",
        "department": "部门",
        "applicant": "申请人",
        "collect": "收件层级",
        "accept": "受理层级",
        "decide": "决定层级",
        "legal_workdays": "法定时限（工作日）",
        "promise_workdays": "承诺时限（工作日）",
        "fee": "收费说明",
        "legal_basis": "办理依据",
        "guide": "办事指南",
        "difficulty": "难度分",
        "file_limit_kib": "单个附件上限（KiB）",
        "case_limit_kib": "一件附件总量上限（KiB）",
        "image_side_px": "照片最长边（像素）",
        "keywords": "搜索词",
        "category": "事项类型",
        "other_applicants": "其他申请人",
        "also_accept": "也可受理的层级",
        "also_decide": "委托决定的层级",
        "same_day": "即办件",
        "urgent": "加急",
        "modes": "办理方式",
        "online_depth": "网办深度",
        "trips": "承诺跑动次数",
        "delivery": "送达方式",
        "result": "办理结果",
        "conditions": "受理条件",
        "procedure": "办理流程",
        "effective_on": "启用日期",
    },
    Urgent: {"when": "适用情形", "approve": "批准层级", "workdays": "时限（工作日）"},
    Code: {"kind": "编码种类", "value": "编码", "scheme": "编码规则"},
    Step: {
        "name": "环节",
        "tier": "层级",
        "workdays": "时限（工作日）",
        "department": "部门",
        "parallel": "与上一环节并联",
        "counted": "计入承诺时限",
    },
    Fee: {
        "name": "收费项目",
        "standard": "标准",
        "basis": "收费依据",
        "amount_yuan": "金额（元）",
        "reduction": "减免",
    },
    Material: {
        "key": "材料键",
        "name": "材料名称",
        "required": "必交",
        "copies": "份数说明",
        "review": "审核要点",
        "proves": "证明的字段",
        "original": "原件",
        "copy_count": "复印件份数",
        "issuer": "出具单位",
        "condition": "何时要交",
        "relevant": "条件表达式",
    },
    Exemption: {"kind": "免交凭什么", "name": "名称", "item": "结果来自事项代码"},
    Member: {
        "code": "成员代码",
        "name": "成员名称",
        "department": "部门",
        "materials": "用到的材料键",
    },
    Field: {
        "key": "字段键",
        "kind": "类型",
        "label": "标签",
        "required": "必填",
        "hint": "提示",
        "minimum": "最小",
        "maximum": "最大",
        "max_length": "最多字数",
        "subject": "属于谁",
        "role": "用途",
    },
    Choice: {"value": "选项值", "label": "选项名"},
}


def _columns(shape: type[Struct], above: tuple[str, ...] = ()) -> Iterator[Column]:
    for key in msgspec.structs.fields(shape):
        heading = HEADINGS[shape].get(key.name)
        if heading is None:  # a list of parts has a sheet of its own
            continue
        if key.type == Urgent | None:
            for column in _columns(Urgent, (key.name,)):
                yield Column(column.path, f"{heading}：{column.heading}", column.type)
        else:
            yield Column((*above, key.name), heading, key.type)


_HEAD = (
    Column(("version",), "版本", str),
    Column(("form",), "表单文件", str),
    Column(("remark",), "备注", str),
)
_NAMES = {
    "code": "编码",
    "step": "环节",
    "fee": "收费",
    "material": "材料",
    "member": "成员事项",
}

ITEMS = Sheet("事项", "item", (*_HEAD, *_columns(Item)))
"""The sheet with one row for each item; its first columns belong to the file."""

HEAD_KEYS = tuple(column.path[0] for column in _HEAD)

SHEETS: tuple[Sheet, ...] = (
    ITEMS,
    *(Sheet(_NAMES[s], s, tuple(_columns(shape))) for s, (_, shape) in PARTS.items()),
    Sheet(
        "免提交",
        "exemption",
        tuple(_columns(Exemption)),
        parent=HEADINGS[Material]["key"],
        within=("material", "exempt_by"),
    ),
    Sheet("字段", "field", tuple(_columns(Field))),
    Sheet(
        "选项",
        "choice",
        tuple(_columns(Choice)),
        parent=HEADINGS[Field]["key"],
        within=("field", "choices"),
    ),
)
"""All sheets, parents before their parts."""


def headings(sheet: Sheet) -> list[str]:
    """Return the headings of a sheet, as they stand in its first row."""
    parent = [sheet.parent] if sheet.parent else []
    return [FILE, *parent, *(column.heading for column in sheet.columns)]
