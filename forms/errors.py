"""What can go wrong with forms. Pure: no I/O.

A wrong answer in a form is no error: `forms.check` returns it as a `Problem`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

AUTHOR_MISSING = "这台电脑没有装表单编制组件，请安装 lianban[author] 后再试"
"""Where what the extra `author` brings is not there; a village never needs it."""

SHOWN_FAULTS = 20
"""How many faults a sentence lists; the attribute holds them all."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a package, and where.

    `where` leads there from the top: `("field", 2, "minimum")` is the lower limit
    of the third field; numbers count from 0; `()` is the package as a whole.
    """

    where: tuple[str | int, ...]
    message: str

    @property
    def place(self) -> str:
        """The way there in one word, with numbers from 1: `field[3].minimum`."""
        steps = [f"[{s + 1}]" if isinstance(s, int) else f".{s}" for s in self.where]
        return "".join(steps).removeprefix(".")


@dataclass(frozen=True, slots=True)
class CatalogProblem:
    """One thing that is wrong with a file of the catalogue; `line` counts from 1."""

    file: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class WorkbookProblem:
    """One thing that is wrong with a workbook, and in which cell.

    `row` counts from 1 and `column` is a letter, as Excel shows them; 0 and "" where
    the sheet, or the whole file, is meant.
    """

    sheet: str
    row: int
    column: str
    message: str

    @property
    def place(self) -> str:
        """The way there, as one reads it in Excel: `材料!C7`."""
        cell = f"{self.column}{self.row}" if self.column else f"第 {self.row} 行"
        return f"{self.sheet}!{cell}" if self.row else self.sheet or "文件"


@dataclass(frozen=True, slots=True)
class FormProblem:
    """One thing that is wrong with the file of a form, and in which cell.

    `row` counts from 1 in the sheet, its headings included, as Excel shows it; in an
    XForm, which has no sheets, it is the line. 0 and "" where no cell is meant.
    """

    sheet: str
    row: int
    column: str
    """The heading, as it is written there."""
    message: str

    def __str__(self) -> str:
        place = f"{self.sheet} 表" if self.sheet else ""
        place += f"第 {self.row} 行" if self.row else ""
        place += f" {self.column} 列" if self.column else ""
        return f"{place.strip()}：{self.message}" if place else self.message


class FormError(Exception):
    """Base of all errors of this package."""


class PackageRefused(FormError):
    """These bytes, or this package, are no valid form package.

    The caller sets them aside and asks whoever published them.
    """

    def __init__(self, reason: str, faults: Sequence[Fault] = ()) -> None:
        self.reason, self.faults = reason, tuple(faults)
        super().__init__(
            f"表单包不能用：{reason}；没有装入任何内容，请发布方改正后重新发布"
        )


class PackageTooNew(PackageRefused):
    """The package has a later format than this program knows; upgrade, try again."""

    def __init__(self, found: int, known: int) -> None:
        self.found, self.known = found, known
        reason = f"格式是第 {found} 版，本程序只认到第 {known} 版，请升级程序后再装"
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class DefinitionFault:
    """One thing that is wrong with a form, and where.

    `place` is a path ("/data/house/name") or an element ("bind /data/age");
    `line` counts from 1 in the XForm, 0 where there is no text to point to. `part` is
    which of a node's expressions is meant ("relevant"), or "".
    """

    place: str
    message: str
    line: int = 0
    part: str = ""

    def __str__(self) -> str:
        at = f"第 {self.line} 行 " if self.line else ""
        return f"{at}{self.place}：{self.message}" if self.place else self.message


class DefinitionRefused(FormError):
    """This form cannot work; `faults` says where and why. Its author mends it."""

    def __init__(
        self, place: str, reason: str, faults: Sequence[DefinitionFault] = ()
    ) -> None:
        self.faults = tuple(faults) or (DefinitionFault(place, reason),)
        lines = [str(fault) for fault in self.faults[:SHOWN_FAULTS]]
        if len(self.faults) > SHOWN_FAULTS:
            lines.append(f"……另有 {len(self.faults) - SHOWN_FAULTS} 处")
        super().__init__(
            f"这张表单有 {len(self.faults)} 处要改，没有装入任何内容：\n"
            + "\n".join(lines)
        )


class FormFileRefused(FormError):
    """The file of a form has faults; `problems` lists all that were found, by cell."""

    def __init__(self, problems: Sequence[FormProblem]) -> None:
        self.problems = list(problems)
        lines = [str(problem) for problem in problems[:SHOWN_FAULTS]]
        if len(problems) > SHOWN_FAULTS:
            lines.append(f"……另有 {len(problems) - SHOWN_FAULTS} 处")
        super().__init__(
            f"表单文件有 {len(problems)} 处要改，没有发布任何内容：\n"
            + "\n".join(lines)
        )


class NoSuchNode(FormError):
    """The form, as it is filled in now, has no such place; ask with another path."""

    def __init__(self, ref: str, reason: str = "表单里现在没有这一处") -> None:
        self.ref, self.reason = ref, reason
        super().__init__(f"{ref[:200]}：{reason}；什么也没有改")


class FillingRefused(FormError):
    """This saved filling cannot be read with this form; the saved bytes stay."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"保存的填写内容读不出来：{reason}；原内容没有动")


class CatalogRefused(FormError):
    """A folder of items has faults; `problems` lists all of them, by file and line."""

    def __init__(self, problems: Sequence[CatalogProblem]) -> None:
        self.problems = list(problems)
        lines = [f"{p.file}:{p.line}: {p.message}" for p in problems[:SHOWN_FAULTS]]
        if len(problems) > SHOWN_FAULTS:
            lines.append(f"……另有 {len(problems) - SHOWN_FAULTS} 处")
        super().__init__(
            f"事项目录有 {len(problems)} 处要改，没有发布任何事项：\n"
            + "\n".join(lines)
        )


class WorkbookRefused(FormError):
    """A workbook of items has faults; `problems` lists all of them, by cell."""

    def __init__(self, problems: Sequence[WorkbookProblem]) -> None:
        self.problems = list(problems)
        lines = [f"{p.place}: {p.message}" for p in problems[:SHOWN_FAULTS]]
        if len(problems) > SHOWN_FAULTS:
            lines.append(f"……另有 {len(problems) - SHOWN_FAULTS} 处")
        super().__init__(
            f"事项工作簿有 {len(problems)} 处要改，没有写入任何文件：\n"
            + "\n".join(lines)
        )


class FormUnread(FormError):
    """The text is no XLSForm in Markdown tables; the reader's words are the cause."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"表单读不懂（{reason[:200]}）；没有合并任何内容，请先检查表单"
        )
