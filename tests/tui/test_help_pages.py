import re
from collections.abc import Iterator

import click
import pytest

from tui.cli import cli, run


def pages(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of all commands of a group, and of the groups in it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from pages(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("words", pages(cli), ids=" ".join)
def test_a_help_page_names_in_chinese_what_is_to_be_written(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code = run([*words, "--help"])
    usage = capsys.readouterr().out.splitlines()[0]

    assert code == 0
    assert usage.startswith(f"用法：lianban {' '.join(words)} [选项]")
    assert not re.search("[A-Z]", usage)
