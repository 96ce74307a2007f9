"""Commands whose module is imported when one of them is asked for, not before."""

from importlib import import_module

import click

COMMANDS = {
    "audit": "audit:audit",
    "calendar": "workdays:calendar",
    "carry": "carry:carry",
    "case": "cases:case",
    "catalog": "catalog:catalog",
    "demo": "place:demo",
    "forms": "forms:forms",
    "init": "place:init",
    "invite": "place:invite",
    "join": "place:join",
    "node": "place:node_group",
    "receipt": "papers:receipt",
    "rebuild": "upkeep:rebuild",
    "rejoin": "place:rejoin",
    "report": "report:report",
    "serve": "place:serve",
    "status": "upkeep:status",
    "sync": "place:sync",
    "verify": "upkeep:verify",
}
"""Where each command stands: module of `tui.commands`, and its name there."""


class LateCommands(click.Group):
    """A group of `COMMANDS`: who opens the screens waits for none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, for `--help`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None where there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        found = getattr(import_module(f"tui.commands.{module}"), name)
        assert isinstance(found, click.Command)
        return found
