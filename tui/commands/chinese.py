"""What click says by itself, in Chinese: the frame of help pages, and usage errors."""

import re
from collections.abc import Iterable
from typing import Any

import click

HEADINGS = {"Options": "选项", "Commands": "命令", "Usage: ": "用法："}

METAVARS = {
    "OPTIONS": "选项",
    "COMMAND": "命令",
    "ARGS": "参数",
    "TEXT": "文字",
    "PATH": "文件",
    "FILE": "文件",
    "DIRECTORY": "目录",
    "DIR": "目录",
    "SIZE": "大小",
    "INTEGER": "数",
    "INTEGER RANGE": "数",
    "ITEM": "事项",
    "CODE": "代码",
    "KEY": "字段",
    "CASE": "办件",
    "ID": "办件",
    "KIND": "文书",
    "FORM": "表单",
    "FIRST": "旧表单",
    "SECOND": "新表单",
}
"""What stands for a value; what a person types himself is never touched."""
_METAVAR = re.compile(r"\b(?:INTEGER RANGE|[A-Z]{2,})\b")

PHRASES = {
    "Show this message and exit.": "显示本帮助。",
    "Show the version and exit.": "显示版本。",
    "[required]": "（必填）",
    "[default: ": "（默认 ",
}


class ChineseFormatter(click.HelpFormatter):
    """A help page whose frame is Chinese; the texts of commands are so already."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the first line."""
        name = "站点" if " node" in prog else "办件"
        args = _called(args).replace("NAMES", name).replace("NAME", name)
        super().write_usage(prog, args, prefix or HEADINGS["Usage: "])

    def write_heading(self, heading: str) -> None:
        """Write the heading of a section."""
        super().write_heading(HEADINGS.get(heading, heading))

    def write_dl(self, rows: Iterable[tuple[str, str]], *args: Any, **kw: Any) -> None:
        """Write a list of options or commands."""
        named = [(_called(name), text) for name, text in rows]
        super().write_dl([(name, _phrase(text)) for name, text in named], *args, **kw)


def usage_sentence(error: click.ClickException) -> str:
    """Return what was written wrongly, and where to read how it is written."""
    command = (
        error.ctx.command_path
        if isinstance(error, click.UsageError) and error.ctx
        else "lianban"
    )
    match error:
        case click.NoSuchOption():
            near = "、".join(error.possibilities or ())
            hint = f"是不是 {near}？" if near else ""
            what = f"没有选项 {error.option_name}。{hint}"
        case click.MissingParameter():
            what = f"缺少 {_name_of(error.param)}。"
        case click.BadParameter():
            name = _name_of(error.param)
            choices = getattr(error.param, "type", None)
            listed = (
                "，可以是：" + "、".join(str(c) for c in choices.choices)
                if isinstance(choices, click.Choice)
                else ""
            )
            what = f"{name} 的值不对{listed}。"
        case click.UsageError() if error.message.startswith("No such command"):
            what = f"没有这个命令：{error.message.split(chr(39))[1][:40]}。"
        case click.UsageError() if error.message.isascii():
            what = "命令写得不对。"
        case _:
            what = error.message
    if not what.endswith(("。", "？", "！")):
        what += "。"
    return f"{what}用法见 {command} --help。没有改动任何东西。"


def _phrase(text: str) -> str:
    for english, chinese in PHRASES.items():
        text = text.replace(english, chinese)
    return text.replace("]", "）") if "（默认 " in text else text


def _called(text: str) -> str:
    """Return a text of click's with what stands for values in Chinese."""
    return _METAVAR.sub(lambda one: METAVARS.get(one[0], one[0]), text)


def _name_of(parameter: click.Parameter | None) -> str:
    """Return how help pages name the parameter: `--division`, `事项`."""
    if parameter is None:
        return "参数"
    options = [name for name in parameter.opts if name.startswith("-")]
    if options:
        return options[0]
    return _called(parameter.human_readable_name)
