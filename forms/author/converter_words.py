"""What pyxform says of a form, in Chinese and with the cell. Pure: no I/O.

pyxform stops at its first fault. So each row of `SAYINGS` also tells how the cell may
be mended to find the next one; what was mended is never published.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from forms.author.sheets import CHOICES, SETTINGS, SURVEY


class Mend(Enum):
    """How to go on after a fault."""

    CLEAR = "the cell is emptied"
    FILL = "the cell is given any text"
    TEXT = "the question becomes a plain text"
    STOP = "there is no way on"


@dataclass(frozen=True, slots=True)
class Said:
    """A fault as pyxform tells it; `row` counts as pyxform does, 0: not known."""

    sheet: str
    row: int
    column: str
    message: str
    mend: Mend
    value: str = ""
    """What stands in the cell that is meant, where no row is told."""


@dataclass(frozen=True, slots=True)
class _Saying:
    pattern: re.Pattern[str]
    message: str
    """May hold {1}, {2}: the groups of the pattern."""
    mend: Mend = Mend.STOP
    sheet: str = SURVEY
    column: str = ""


def _row(pattern: str, message: str, *rest: object) -> _Saying:
    make: Callable[..., _Saying] = _Saying
    return make(re.compile(pattern, re.DOTALL), message, *rest)


_NAME_RULE = "名称要以字母或下划线开头，只用字母、数字、下划线、点和短横，不能有空格"
_PARAMETERS = "parameters"

SAYINGS = (
    _row(r"Could not find the name '(.*?)'", "没有叫 {1} 的字段", Mend.CLEAR),
    _row(r"There is no survey element named '(.*?)'", "没有叫 {1} 的字段"),
    _row(
        r"The name '(.*?)' appears more than once",
        "叫 {1} 的字段不止一个，引用时分不清是哪一个，请改名",
        Mend.CLEAR,
    ),
    _row(
        r"There are multiple survey elements named '(.*?)'",
        "叫 {1} 的字段不止一个，引用时分不清是哪一个，请改名",
    ),
    _row(
        r"Reference variables must start with",
        "引用字段要写成 ${{字段名}}，这里的写法不完整",
        Mend.CLEAR,
    ),
    _row(
        r"Reference variable lists must have a comma",
        "几个字段之间要用英文逗号隔开",
        Mend.CLEAR,
    ),
    _row(
        r"List name not in choices sheet: (.*)",
        "choices 表里没有叫 {1} 的选项列表",
        *(Mend.TEXT, SURVEY, "type"),
    ),
    _row(
        r"List name not in external choices sheet: (.*)",
        "external_choices 表里没有叫 {1} 的选项列表",
        *(Mend.TEXT, SURVEY, "type"),
    ),
    _row(
        r"the choices sheet has the mandatory columns|There should be a choices sheet",
        "用了选项，但没有 choices 表，或表里缺少 list_name、name、label 列",
        *(Mend.TEXT, SURVEY, "type"),
    ),
    _row(
        r"external_choices sheet (?:has columns|in this xlsform)",
        "用了外部选项，但没有 external_choices 表，或表里缺少 list_name、name 列",
        *(Mend.TEXT, SURVEY, "type"),
    ),
    _row(
        r"Unknown question type '(.*?)'",
        "没有 {1} 这种题型，要写 text、integer、select_one 列表名 这样的英文词",
        *(Mend.TEXT, SURVEY, "type"),
    ),
    _row(
        r"Question with no type",
        "没有写题型（type）",
        *(Mend.TEXT, SURVEY, "type"),
    ),
    _row(
        r"(Question or group|Repeat|Group) with no name",
        "没有写名称（name）",
        *(Mend.FILL, SURVEY, "name"),
    ),
    _row(
        r"Missing calculation",
        "是计算题，但没有写算式",
        *(Mend.FILL, SURVEY, "calculation"),
    ),
    _row(
        r"The survey element named '(.*?)' has no label or hint",
        "没有写标签（label），填表的人不知道问什么",
        *(Mend.FILL, SURVEY, "label"),
    ),
    _row(
        r"Unmatched 'end_(\w+)'",
        "end_{1} 前面没有对应的 begin_{1}",
        *(Mend.STOP, SURVEY, "type"),
    ),
    _row(
        r"Unmatched 'begin_(\w+)'",
        "begin_{1} 后面没有对应的 end_{1}",
        *(Mend.STOP, SURVEY, "type"),
    ),
    _row(
        r"must be unique within their nearest parent",
        "同一组里已经有叫这个名称的字段",
        *(Mend.FILL, SURVEY, "name"),
    ),
    _row(
        r"Repeat names must not be the same as the survey root",
        "循环不能与整张表单同名（data），请改名",
        *(Mend.STOP, SURVEY, "name"),
    ),
    _row(
        r"Repeat names must unique",
        "已经有叫这个名称的循环，请改名",
        *(Mend.FILL, SURVEY, "name"),
    ),
    _row(
        r"'meta' is reserved",
        "meta 留给表单自己用，请改名",
        *(Mend.STOP, SURVEY, "name"),
    ),
    _row(
        r"On the '(\w+)' sheet, the '(\w+)' value is invalid\. Names must begin",
        _NAME_RULE,
        Mend.FILL,
    ),
    _row(
        r"The '(.*?)' value is invalid\. Names must begin",
        f"{{1}}：{_NAME_RULE}",
        *(Mend.STOP, SETTINGS, "name"),
    ),
    _row(
        r"Choices must have a name",
        "这个选项没有写代码（name）",
        *(Mend.FILL, CHOICES, "name"),
    ),
    _row(
        r"Choice names must be unique",
        "同一个列表里，这个选项代码用了两次",
        *(Mend.FILL, CHOICES, "name"),
    ),
    _row(
        r"Choice names with spaces .* See \[(.*?)\] in \[(.*?)\]",
        "多选列表 {2} 的选项代码 {1} 里有空格，请去掉",
        *(Mend.STOP, CHOICES, "name"),
    ),
    _row(
        r"Column headers must not be empty and must not contain spaces",
        "列名不能为空，也不能有空格",
        *(Mend.STOP, CHOICES),
    ),
    _row(
        r"sheet: '(\w+)'\. Headers that are different names .*: '(.*?)', '(.*?)'",
        "{1} 表的 {2} 和 {3} 两列是同一个意思，请只留一列",
        *(Mend.STOP, ""),
    ),
    _row(
        r"sheet: '(\w+)'\. One or more required column headers .*: (.*?)\. Learn",
        "{1} 表缺少 {2} 列",
        *(Mend.STOP, ""),
    ),
    _row(
        r"Invalid headers provided for sheet: '(\w+)'",
        "{1} 表的第一行应是列名",
        *(Mend.STOP, ""),
    ),
    _row(
        r"You must have a sheet named 'survey'",
        "没有 survey 表，问题应写在名为 survey 的工作表里",
        *(Mend.STOP, ""),
    ),
    _row(
        r"accepted parameter keys .* are '(.*?)'\. .* key\(s\): '(.*?)'",
        "没有参数 {2}，这种题可以用 {1}",
        *(Mend.CLEAR, SURVEY, _PARAMETERS),
    ),
    _row(
        r"Parameters must be in the form|parameters must be",
        "参数要写成 名=值，几个之间用空格隔开",
        *(Mend.CLEAR, SURVEY, _PARAMETERS),
    ),
    _row(
        r"parameter '(.*?)' must not be '0'",
        "参数 {1} 不能是 0",
        *(Mend.CLEAR, SURVEY, _PARAMETERS),
    ),
    _row(
        r"parameter '(.*?)' must be a number|'(.*?)' parameter must have a numeric",
        "参数 {1} 应是数字",
        *(Mend.CLEAR, SURVEY, _PARAMETERS),
    ),
    _row(
        r"parameter '(.*?)' (?:must|choice|is)|the parameters? '",
        "参数 {1} 与起止、步长不相配，请核对 start、end、step",
        *(Mend.CLEAR, SURVEY, _PARAMETERS),
    ),
    _row(
        r"Parameter (\S+) must have an integer value",
        "参数 {1} 应是整数",
        *(Mend.CLEAR, SURVEY, _PARAMETERS),
    ),
    _row(
        r"(\S+) must be set to true or false: '(.*?)'",
        "参数 {1} 应是 true 或 false，现在是 {2}",
        *(Mend.CLEAR, SURVEY, _PARAMETERS),
    ),
    _row(
        r"Parameters must include randomize=true to use a seed",
        "用 seed 时要同时写 randomize=true",
        *(Mend.CLEAR, SURVEY, _PARAMETERS),
    ),
    _row(
        r"seed value must be a number",
        "seed 应是数字，或引用一个字段",
        *(Mend.CLEAR, SURVEY, _PARAMETERS),
    ),
    _row(
        r"File name for '(.*?)' should end with one of the supported .*: (.*)",
        "{1} 的文件名要以 {2} 之一结尾",
        *(Mend.TEXT, SURVEY, "type"),
    ),
    _row(
        r"Repeat loop without list name|List name not in columns sheet",
        "begin_loop 要写一个列表名，这里没有；请改用 begin_repeat",
        *(Mend.STOP, SURVEY, "type"),
    ),
    _row(
        r"This section has not been included",
        "include 要另一个文件，这里不能用；请把那些问题抄进来",
        *(Mend.STOP, SURVEY, "type"),
    ),
    _row(
        r"Audits must always be named",
        "audit 这一行不要写名称",
        *(Mend.CLEAR, SURVEY, "name"),
    ),
    _row(
        r"To use big-image, you must also specify an image .* named (\S+)\.",
        "{1} 有 big-image 就要同时有 image",
    ),
    _row(
        r"question \$\{(.*?)\} is not user-visible .* question \$\{(.*?)\}",
        "{1} 是算出来的，不能用它触发 {2} 的计算",
        *(Mend.STOP, SURVEY, "trigger"),
    ),
    _row(
        r"Instance names must be unique .* name '(.*?)'",
        "列表名 {1} 用了不止一次（选项列表、外部文件和 pulldata 的名称不能相同）",
        *(Mend.STOP, ""),
    ),
    _row(
        r"table.list",
        "appearance 为 table-list 的一组里，选项列表要相同，也不能带 choice_filter",
        *(Mend.STOP, SURVEY, "appearance"),
    ),
    _row(
        r"or_other",
        "or_other 不能与 choice_filter 或翻译一起用，请改成列表里的“其他”",
        *(Mend.TEXT, SURVEY, "type"),
    ),
    _row(
        r"save_to|entit(y|ies)",
        "entities（实体）的写法不对，这里也用不到，请去掉",
        *(Mend.STOP, "entities"),
    ),
)
"""What pyxform may say, most special first, and what it means to the author."""

_AT_ROW = re.compile(r"\[row : (\d+)\]")
_AT_CELL = re.compile(r"On the '(\w+)' sheet, the '([^']+)' value")
_NAMED = re.compile(r"element named '([^']*)'")
MAX_SHOWN = 300


def explain(said: str) -> list[Said]:
    """Return the faults that a message of pyxform tells; it may hold several."""
    parts = re.split(r"\n(?=\[row : )", said)
    return [_explain(part) for part in parts[:100]]


def _explain(said: str) -> Said:
    row, cell, named = _AT_ROW.search(said), _AT_CELL.search(said), _NAMED.search(said)
    number = int(row[1]) if row else 0
    for saying in SAYINGS:
        if found := saying.pattern.search(said):
            groups = [part or "" for part in (found[0], *found.groups())]
            message = saying.message.format(*groups)
            sheet = cell[1] if cell else saying.sheet
            column = saying.column or (cell[2] if cell else "")
            value = named[1] if named else groups[-1]
            return Said(sheet, number, column, message, saying.mend, value)
    # In its own words: a true reason that nobody has translated yet.
    sheet, column = (cell[1], cell[2]) if cell else (SURVEY if number else "", "")
    message = f"换算程序不接受：{' '.join(said.split())[:MAX_SHOWN]}"
    return Said(sheet, number, column, message, Mend.STOP)
