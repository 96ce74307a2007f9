"""`lianban` without a command: the screens."""

import sys

import click

from node.logs import log_to
from node.service import Relief
from tui.app import LianbanApp
from tui.commands.context import Context


def open_screens(context: Context) -> None:
    """Open the screens; the background sync runs here while no service does it."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("没有终端，打不开界面；命令见 --help。")
    with context.node() as node:
        log_to(node.home.log)
        relief = Relief(node)
        try:
            LianbanApp(node, relief.take_over).run()
        finally:
            relief.stop()
