"""`lianban forms`: forms checked, tried, compared and packed by those who write them.

None of these needs a home, and none changes anything but the file that `pack` writes.
"""

import sys
from dataclasses import asdict
from pathlib import Path

import click

from forms.author.compile import compile_form
from forms.author.packing import package_of, read_any, read_entry
from forms.errors import CatalogRefused, FormFileRefused, PackageRefused
from forms.filling import prepare
from forms.form_diff import RULES, Change, What, changes
from forms.kinds import KINDS
from forms.package import digest, encode
from forms.questions import questions
from tui.commands.context import json_option, line, show, tell, tell_problems

FILE = click.Path(path_type=Path)

_SAYINGS = {
    What.NEW: "新增",
    What.GONE: "去掉",
    What.RENAMED: "改名：{before} → {after}",
    What.LIKELY: "像是由 {before} 改名；要草稿里的答案跟过来，请在 was 列写 {before}",
    What.KIND: "题型：{before} → {after}",
    What.LABEL: "标签：{before} → {after}",
    What.HINT: "提示：{before} → {after}",
    What.CHOICES: "选项：去掉 {before}；新增 {after}",
    What.RULE: "{rule}：{before} → {after}",
}
"""How a change reads."""


@click.group(help="表单：检查、试填、比较、打包（XLSForm 工作簿、Markdown 或 XForm）。")
def forms() -> None:
    """Group the commands about forms."""


@forms.command("check", help="检查一张表单，列出所有要改的地方：工作表、行、列。")
@click.argument("file", type=FILE)
@json_option
def check(file: Path, as_json: bool) -> int:
    """Say all that is wrong with a form."""
    try:
        definition = compile_form(file)
    except FormFileRefused as refused:
        if as_json:
            show({"ok": False, "problems": [asdict(p) for p in refused.problems]})
        else:
            _tell_problems(file, refused)
        return 1
    asked = questions(prepare(definition))
    if as_json:
        show({"ok": True, "problems": [], "questions": len(asked)})
    else:
        line(file.name, "没有要改的地方", f"{len(asked)} 个字段")
    return 0


@forms.command("try", help="在终端里打开表单试填：什么也不保存，关掉就没有了。")
@click.argument("file", type=FILE)
def try_(file: Path) -> int:
    """Open a form at once."""
    try:
        definition = read_any(file)
    except FormFileRefused as refused:
        _tell_problems(file, refused)
        return 1
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("没有终端，打不开界面；命令见 --help。")
    from tui.trial import run_trial  # late: the screens take a second to load

    run_trial(definition, file.stem)
    return 0


@forms.command("diff", help="比较两版表单：新增、去掉、改名，题型、选项和规则的改动。")
@click.argument("first", type=FILE)
@click.argument("second", type=FILE)
@json_option
def diff(first: Path, second: Path, as_json: bool) -> int:
    """Say what differs between two forms."""
    plans = []
    for file in (first, second):
        try:
            plans.append(prepare(read_any(file)))
        except FormFileRefused as refused:
            _tell_problems(file, refused)
            return 1
    found = changes(*plans)
    if as_json:
        show({"changes": [asdict(change) for change in found]})
    else:
        for change in found:
            line(change.key, change.label, _sentence(change))
        tell(f"共 {len(found)} 处不同。" if found else "两版表单没有不同。")
    return 0


@forms.command("pack", help="把事项（TOML）和表单合成一个表单包，打印它的指纹。")
@click.argument("item", type=FILE)
@click.argument("form", type=FILE)
@click.option("-o", "--output", type=FILE, required=True, help="写到哪个文件。")
@json_option
def pack(item: Path, form: Path, output: Path, as_json: bool) -> int:
    """Write the canonical bytes of a package."""
    try:
        data = encode(package_of(read_entry(item), compile_form(form)))
    except FormFileRefused as refused:
        _tell_problems(form, refused)
        return 1
    except CatalogRefused as refused:
        tell_problems(refused)
        tell(f"有 {len(refused.problems)} 处要改，没有写入任何文件。")
        return 1
    except PackageRefused as refused:
        tell(
            f"{item.name} 与 {form.name} 合不起来：{refused.reason}。没有写入任何文件。"
        )
        return 1
    output.write_bytes(data)
    if as_json:
        show({"digest": digest(data), "size_bytes": len(data)})
    else:
        line(digest(data), str(len(data)), str(output))
    return 0


def _tell_problems(file: Path, refused: FormFileRefused) -> None:
    for problem in refused.problems:
        tell(str(problem))
    tell(f"{file.name} 有 {len(refused.problems)} 处要改，没有发布任何内容。")


def _sentence(change: Change) -> str:
    before, after = change.before, change.after
    if change.what is What.KIND:
        before, after = KINDS[before].label, KINDS[after].label
    return _SAYINGS[change.what].format(
        before=before or "（无）",
        after=after or "（无）",
        rule=RULES.get(change.rule, ""),
    )
