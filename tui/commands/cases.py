"""`lianban case`: everything that the screens can do with cases, for scripts."""

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from forms.item import Item
from node import cases as node_cases
from node import casework, drafting, in_force, intake, tidy, versions
from node.cases import Case
from node.errors import AnswersWrong, NodeError
from node.facts import FACTS
from node.lifecycle import BEFORE, NEEDS_REASON, Step
from node.store.drafts import Draft
from node.wiring import Node
from tui import fact_words, labels
from tui.commands import case_reading, lapsing, papers, renewing, settling
from tui.commands.case_objects import case_object
from tui.commands.context import Context, json_option, line, show, tell, tell_wrong
from tui.commands.fields import fields_option, read_fields
from tui.commands.history import case_history
from tui.commands.known import known_person, reuse_option, taken_over, tell_twins
from tui.commands.materials import material
from tui.commands.visiting import visits
from tui.messages import sentence

attach_option = click.option(
    "--attach",
    multiple=True,
    metavar="[字段=]文件",
    help="附上材料文件，可以给多次。",
)
facts_option = click.option(
    "--fact",
    "facts",
    multiple=True,
    metavar="名=值",
    callback=lambda context, parameter, given: read_facts(given),
    help="这一步还要写明的，可以给多次，如 kind=survey；见 lianban case facts。",
)
reason_option = click.option("--reason", default="", help="理由或意见。")


@click.group(help="办件：新建、查看、每一步办理。")
def case() -> None:
    """Group the commands about cases."""


@case.command("new", help="新建一件并提交；--draft 只存草稿。")
@click.argument("item")
@click.option(
    "--for",
    "place",
    default="",
    metavar="地方",
    help="替别处收件（全市通办）：办理地的名称或 12 位区划代码；不给就是本地。",
)
@click.option(
    "--from",
    "follows",
    default="",
    metavar="ID",
    help="联动：接着已准予的一件办，它的结果作材料；单号、查询码或办件号。",
)
@fields_option
@attach_option
@reuse_option
@facts_option
@click.option("--draft", "is_draft", is_flag=True, help="只存草稿，不提交。")
@json_option
@click.pass_obj
def new(
    context: Context,
    item: str,
    place: str,
    follows: str,
    fields_file: Path | None,
    attach: tuple[str, ...],
    reuse: tuple[str, ...],
    facts: dict[str, str],
    is_draft: bool,
    as_json: bool,
) -> int:
    """Begin a case; what is wrong with it is told, and the draft is kept."""
    answers = read_fields(fields_file)
    with context.node() as node:
        package = node.package(in_force.find_package(node, item).digest)
        assert package is not None
        answers = taken_over(node, package, answers, reuse)
        tell_twins(node, package, answers)
        files = _take_files_in(node, attach, answers, package.item)
        draft = drafting.begin_draft(node, item, answers, place, files, follows=follows)
        if is_draft:
            return _say_draft(draft, as_json)
        try:
            made = drafting.submit_draft(node, draft, facts)
        except AnswersWrong as wrong:
            tell_wrong(wrong)
            tell(f"已存为草稿 {draft.id}，改好后运行 lianban case submit。")
            return 1
        except NodeError as error:
            error.add_note(_still_a_draft(draft))
            raise
        _say_case(node, made, as_json)
    return 0


@case.command("submit", help="提交草稿；或改好后重新提交、补充已提交的件。")
@click.argument("name")
@fields_option
@attach_option
@facts_option
@json_option
@click.pass_obj
def submit(
    context: Context,
    name: str,
    fields_file: Path | None,
    attach: tuple[str, ...],
    facts: dict[str, str],
    as_json: bool,
) -> None:
    """Submit a draft or a returned case; amend a case that waits."""
    answers = read_fields(fields_file)
    with context.node() as node:
        draft = node_cases.find_draft(node, name)
        package = node.package((draft or node_cases.find_row(node, name)).package)
        assert package is not None
        files = _take_files_in(node, attach, answers, package.item)
        if draft:
            if answers or files:
                answers = {**draft.answers, **answers}
                draft = drafting.save_draft(node, draft, answers, files=files)
            try:
                made = drafting.submit_draft(node, draft, facts)
            except AnswersWrong:
                raise
            except NodeError as error:
                error.add_note(_still_a_draft(draft))
                raise
            if versions.has_newer(node, made.row.item_code, draft.package):
                tell(f"是按旧表（第 {package.version} 版）提交的，照样办理。")
        else:
            row = node_cases.find_row(node, name)
            waits = row.state in BEFORE
            made = casework.take_step(
                node,
                row.id,
                Step.AMEND if waits else Step.SUBMIT,
                answers=answers,
                files=files,
                facts=facts,
            )
        _say_case(node, made, as_json)


@case.command("forward", help="把一件或多件一起转区，附签名的批次清单。")
@click.argument("names", nargs=-1, required=True)
@json_option
@click.pass_obj
def forward(context: Context, names: tuple[str, ...], as_json: bool) -> None:
    """Forward cases together: all of them or none."""
    with context.node() as node:
        batch, made = casework.forward_batch(node, names)
        if as_json:
            show(
                {
                    "batch": batch.number,
                    "count": batch.count,
                    "cases": [case_object(node, one) for one in made],
                }
            )
        else:
            line(batch.number, f"{batch.count} 件")
            _tell_open(made)


def _step_command(step: Step) -> click.Command:
    """Return the command for a step that takes cases, and perhaps a reason."""

    @click.argument("names", nargs=-1, required=True)
    @reason_option
    @facts_option
    @json_option
    @click.pass_obj
    def run(
        context: Context,
        names: tuple[str, ...],
        reason: str,
        facts: dict[str, str],
        as_json: bool,
    ) -> int:
        if step is Step.RETURN and len(names) > 1:
            raise click.UsageError("退回补正要一件一件写：每件要补的不一样。")
        with context.node() as node:
            return _take_steps(
                node,
                names,
                lambda name: casework.take_step(
                    node, name, step, note=reason, facts=facts
                ),
                as_json,
            )

    return click.command(str(step), help=_step_help(step))(run)


def _step_help(step: Step) -> str:
    """Return what a step is, and what must be given with it."""
    words = labels.STEPS[step]
    needed = [f"--fact {one.key}=…" for one in FACTS[step] if one.is_needed]
    if step in NEEDS_REASON:
        needed.insert(0, "--reason")
    return f"{words}（要写 {' '.join(needed)}）。" if needed else f"{words}。"


for _step in Step:
    if _step not in (Step.SUBMIT, Step.FORWARD, Step.AMEND, Step.SETTLE):
        case.add_command(_step_command(_step))


@case.command("facts", help="每一步还能写明什么：名字，和能写的值。")
@json_option
def facts_of_steps(as_json: bool) -> None:
    """Print the table of what each step may say."""
    if as_json:
        show(
            {
                step: [{"key": o.key, "needed": o.is_needed} for o in known]
                for step, known in FACTS.items()
            }
        )
        return
    for step, known in FACTS.items():
        for one in known:
            asked = fact_words.asked_as(step, one.key)
            if asked is not None:
                needed = "必填" if one.is_needed else ""
                line(str(step), one.key, fact_words.written(asked), needed)


def read_facts(given: Sequence[str]) -> dict[str, str]:
    """Return what was given as `名=值`.

    Raises:
        click.BadParameter: one has no name, or is given twice.
    """
    facts: dict[str, str] = {}
    for one in given:
        key, equals, value = one.partition("=")
        if not equals or not key or key in facts:
            raise click.BadParameter(f"{one[:40]}：要写成 名=值，一个名字只写一次")
        facts[key] = value
    return facts


case.add_command(case_reading.list_cases)
case.add_command(case_reading.show_case)
case.add_command(settling.conflicts)
case.add_command(settling.settle_one)
case.add_command(renewing.renew)
case.add_command(lapsing.lapses)


case.add_command(material)
case.add_command(papers.paper)
case.add_command(papers.progress)
case.add_command(known_person)
case.add_command(visits)
case.add_command(case_history)


def _take_steps(
    node: Node, names: tuple[str, ...], take: Callable[[str], Case], as_json: bool
) -> int:
    """Take one step in each case; what fails harms none of the others."""
    done: list[Case] = []
    failures: list[NodeError] = []
    for name in names:
        try:
            done.append(take(name))
        except NodeError as error:
            failures.append(error)
            if len(names) > 1:
                tell(sentence(error))
    if failures and not done:
        raise failures[0]
    if as_json:
        objects = [case_object(node, one) for one in done]
        show(objects[0] if len(names) == 1 else {"cases": objects})
    else:
        for one in done:
            line(one.id, labels.STATES[one.story.state])
        _tell_open(done)
    return 3 if failures else 0


def _still_a_draft(draft: Draft) -> str:
    """Return what stands behind why it was not submitted."""
    return (
        f"填的内容没有丢，都在草稿 {draft.id} 里；"
        f"能提交以后运行 lianban case submit {draft.id[:12]}。"
    )


def _tell_open(done: Sequence[Case]) -> None:
    """Say of which cases something is still open, and who settles it."""
    for one in done:
        if one.row.open_count:
            tell(
                f"注意：{one.row.number} 还有 {one.row.open_count} 处待核对，"
                f"{labels.settles_here(one.row.mark, one.row.settler, is_here=False)}"
                f"。详情见 lianban case conflicts {one.id[:12]}。"
            )


def _say_draft(draft: Draft, as_json: bool) -> int:
    if as_json:
        show({"id": draft.id, "number": draft.number, "state": "draft"})
    else:
        click.echo(draft.id)
    return 0


def _say_case(node: Node, made: Case, as_json: bool) -> None:
    if as_json:
        show(case_object(node, made))
    else:
        click.echo(made.id)


def _take_files_in(
    node: Node, attach: tuple[str, ...], answers: dict[str, str], item: Item
) -> list[str]:
    """Take files into the home, and name them in the field that is said; return their
    digests. Where one is refused, none stays.
    """
    digests: list[str] = []
    try:
        for text in attach:
            field, sign, name = text.partition("=")
            digest, _ = intake.take_in(node, Path(name if sign else text), item)
            digests.append(digest)
            if sign:
                answers[field] = " ".join(filter(None, (answers.get(field), digest)))
    except NodeError:
        tidy.drop_unnamed(node, digests)
        raise
    return digests
