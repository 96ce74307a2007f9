"""The command line: `lianban` alone opens the screens, everything else is a command.

Data goes to stdout, words go to stderr. Exit codes stand in `EXIT_CODES`.
"""

import sys
from pathlib import Path

import click

from node.collector import spare_collector
from node.errors import (
    AnswersWrong,
    HistoryRefused,
    InviteRefused,
    LockedOut,
    NodeError,
    NoEncryption,
    NotAllowed,
    ReceiptRefused,
    StepRefused,
    StoreBusy,
    StoreDamaged,
    WriteForbidden,
    WrongPassword,
)
from sync.errors import (
    DocumentDamaged,
    PeerFault,
    PeerRefused,
    PeerUnreachable,
    SyncError,
)
from tui.commands.chinese import ChineseFormatter, usage_sentence
from tui.commands.context import Context, tell_wrong
from tui.commands.late import LateCommands
from tui.messages import sentence
from tui.text import harmless

OK, FAILED, USAGE, PARTLY = 0, 1, 2, 3

EXIT_CODES: tuple[tuple[type[Exception], int], ...] = (
    (PeerUnreachable, 4),
    (PeerRefused, 5),
    (PeerFault, 5),
    (StepRefused, 5),
    (NotAllowed, 5),
    (ReceiptRefused, 5),
    (HistoryRefused, 5),
    (InviteRefused, 5),
    (WriteForbidden, 5),
    (WrongPassword, 5),
    (LockedOut, 5),
    (NoEncryption, 5),
    (StoreDamaged, 6),
    (DocumentDamaged, 6),
    (StoreBusy, 75),
)
"""What an error of ours exits with; every other is 1."""

HELP = """联办：村、镇、区三级政务服务的离线办件节点。

不带命令时打开操作界面。各命令加 --help 看用法。

\b
退出码：0 成功  1 失败  2 用法不对  3 部分完成  4 连不上对方
        5 被拒绝或不受信任  6 数据损坏  75 正被占用  130 中断
"""


@click.group(cls=LateCommands, invoke_without_command=True, help=HELP)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="LIANBAN_HOME",
    help="节点所在的目录（也可用环境变量 LIANBAN_HOME）。",
)
@click.option(
    "--as",
    "operator",
    envvar="LIANBAN_AS",
    default="admin",
    show_default=True,
    help="操作员。",
)
@click.option(
    "--password-file",
    type=click.Path(path_type=Path),
    envvar="LIANBAN_PASSWORD_FILE",
    help="口令所在的文件；不给时在终端上问。",
)
@click.version_option(package_name="lianban", prog_name="lianban")
@click.pass_context
def cli(
    context: click.Context,
    home: Path | None,
    operator: str,
    password_file: Path | None,
) -> None:
    """Hold what all commands need; without a command, open the screens."""
    context.obj = Context(home, operator, password_file)
    if context.invoked_subcommand is None:
        # Imported late: the commands of scripts need no screens.
        from tui.commands.screens import open_screens

        open_screens(context.obj)


def main() -> None:
    """Run the command line; no traceback ever reaches a person."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    spare_collector()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    click.Context.formatter_class = ChineseFormatter
    try:
        result = cli.main(arguments, prog_name="lianban", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("已中断；没有保存的内容不受影响。", err=True)
        return 130
    except click.ClickException as error:
        click.echo(harmless(usage_sentence(error)), err=True)
        return error.exit_code
    except AnswersWrong as wrong:
        tell_wrong(wrong)
        return FAILED
    except (NodeError, SyncError) as error:
        click.echo(sentence(error), err=True)
        # What a command adds of its own: where the text is that was not submitted.
        for words in getattr(error, "__notes__", ()):
            click.echo(harmless(words), err=True)
        return exit_code(error)
    except BrokenPipeError:
        return FAILED
    except Exception as error:  # noqa: BLE001 - the last door before a person
        click.echo(sentence(error), err=True)
        click.echo(_place_of(error), err=True)
        return FAILED
    return result if isinstance(result, int) else OK


def exit_code(error: Exception) -> int:
    """Return what an error exits with."""
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), FAILED)


def _place_of(error: Exception) -> str:
    """Return where a mistake of ours happened: no values, which may be personal."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    where = (
        f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}"
        if frame
        else "?"
    )
    return f"（供查错：{type(error).__name__} {where}）"
