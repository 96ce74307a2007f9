"""Answers for a form, from a JSON file or the standard input: never from the command
line itself, which everybody on the machine can read.
"""

from pathlib import Path

import click
import msgspec

FIELDS_LIMIT_BYTES = 1024 * 1024

fields_option = click.option(
    "--fields",
    "fields_file",
    type=click.Path(path_type=Path),
    help='各字段的值：一个 JSON 文件，形如 {"name": "张三", ...}；- 表示标准输入。',
)


def read_fields(path: Path | None) -> dict[str, str]:
    """Return the answers of a JSON file: texts and numbers under field keys."""
    if path is None:
        return {}
    try:
        with click.open_file(str(path), "rb") as file:
            data = file.read(FIELDS_LIMIT_BYTES + 1)
        if len(data) > FIELDS_LIMIT_BYTES:
            raise click.UsageError("--fields 的文件超过 1 MiB。")
        raws = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        return {key: _scalar_text(bytes(raw)) for key, raw in raws.items()}
    except OSError as error:
        raise click.UsageError(f"--fields 的文件读不出来：{path}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise click.UsageError(
            "--fields 的文件不是 JSON 对象，或有的值不是文字和数字。"
        ) from error


def _scalar_text(raw: bytes) -> str:
    """Return a JSON text or number as text; 860.00 stays 860.00."""
    if raw.startswith(b'"'):
        return msgspec.json.decode(raw, type=str)
    msgspec.json.decode(raw, type=int | float)
    return raw.decode()
