"""What every command needs: the home, who is asking, and how to answer."""

import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import platformdirs

from forms.errors import CatalogRefused
from node.errors import AnswersWrong
from node.wiring import Node, open_node
from tui.text import harmless

json_option = click.option(
    "--json", "as_json", is_flag=True, help="输出一个 JSON 对象（键为英文）。"
)


@dataclass(frozen=True, slots=True)
class Context:
    """The options that stand before a command."""

    home: Path | None
    operator: str
    password_file: Path | None

    @property
    def path(self) -> Path:
        """The node's folder."""
        return self.home or Path(platformdirs.user_data_dir("lianban"))

    def password(self, *, is_new: bool = False) -> str:
        """Return the password from its file, or ask at the terminal.

        Raises:
            click.UsageError: there is neither a file nor a terminal.
        """
        if self.password_file is not None:
            try:
                text = self.password_file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise click.UsageError(
                    f"口令文件读不出来：{self.password_file}"
                ) from error
            password = text.splitlines()[0] if text else ""
        elif sys.stdin.isatty():
            password = getpass.getpass(f"{self.operator} 的口令：")
            if is_new and getpass.getpass("再输一遍：") != password:
                raise click.UsageError("两次输入的口令不一样，什么也没有建立。")
        else:
            raise click.UsageError("没有终端可以问口令，请用 --password-file。")
        if is_new and not password:
            raise click.UsageError("口令不能是空的。")
        return password

    @contextmanager
    def node(self) -> Iterator[Node]:
        """Open the node, and close it with its child process."""
        node = open_node(self.path, self.operator, self.password())
        try:
            yield node
        finally:
            node.close()
            node.sandbox.close()


def show(data: dict[str, Any]) -> None:
    """Print one JSON object."""
    text = json.dumps(data, ensure_ascii=False, default=str)
    click.echo(text.encode("utf-8", "replace").decode())


def tell(words: str) -> None:
    """Say something to a person."""
    click.echo(harmless(words), err=True)


def line(*cells: str) -> None:
    """Print one line of data; text from cases is made harmless."""
    click.echo("  ".join(harmless(cell) for cell in cells))


def confirm(question: str) -> bool:
    """Ask a person for a yes; anything else, also an end of input, is a no.

    Raises:
        click.Abort: he pressed Ctrl-C.
    """
    click.echo(f"{question}（是按 y，否按 n）：", nl=False, err=True)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        click.echo(err=True)
    return answer.strip().lower() in ("y", "yes", "是")


def tell_problems(refused: CatalogRefused) -> None:
    """Say everything that is wrong with a folder of items, by file and line."""
    for problem in refused.problems:
        tell(f"{problem.file}:{problem.line}  {problem.message}")


def tell_wrong(wrong: AnswersWrong) -> None:
    """Say everything that is wrong with a form, a line for each field."""
    tell(f"没有提交：有 {len(wrong.problems)} 处要改。")
    for key, label, message in wrong.problems:
        tell(f"  {label}（{key}）：{message}")
