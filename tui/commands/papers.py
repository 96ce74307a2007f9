"""`lianban case paper`, `case progress` and `lianban receipt verify`."""

import sys
from pathlib import Path
from typing import Any

import click

from node import cases, export, inquiry, receipts
from node.errors import NotFound, ReceiptRefused
from node.inquiry import Answer
from node.material import safe_name
from node.papers.layout import A4
from node.papers.official import PaperKind, progress_code
from node.papers.pdf import as_pdf
from node.proof import TEXT_LIMIT
from node.receipts import Made
from node.verifying import Verdict, verify
from node.wiring import Node
from tui.commands.context import Context, json_option, show, tell
from tui.commands.upkeep import iso
from tui.paper_text import as_text, missing_words
from tui.paper_words import KINDS, answer_lines, verdict_lines

_KINDS_HELP = "\n".join(f"  {kind:<12}{KINDS[kind]}" for kind in PaperKind)

PAPER_HELP = f"""一件的文书：打印成文字，或存成 PDF。

不写 KIND 时，按现在的状态给出通常要交给申请人的那一种。移交清单写批次号。

\b
KIND：
{_KINDS_HELP}
"""


@click.command("paper", help=PAPER_HELP)
@click.argument("name", metavar="ID")
@click.argument(
    "kind",
    metavar="[KIND]",
    required=False,
    type=click.Choice([str(kind) for kind in PaperKind]),
)
@click.option("--text", "as_words", is_flag=True, help="打印成文字（不写也是这样）。")
@click.option(
    "--pdf",
    type=click.Path(path_type=Path),
    help="存成 PDF：文件名，或放它的文件夹。",
)
@json_option
@click.pass_obj
def paper(
    context: Context,
    name: str,
    kind: str | None,
    as_words: bool,
    pdf: Path | None,
    as_json: bool,
) -> None:
    """Print a paper of a case, or save it as PDF."""
    if as_words and pdf:
        raise click.UsageError("--text 和 --pdf 只能写一个。")
    saved: dict[str, object] = {}
    with context.node() as node:
        made = _made(node, name, PaperKind(kind) if kind else None)
        if pdf:
            path = export.place_in(str(pdf), file_name(made, "pdf"))
            printed = as_pdf(made.paper, A4, node.now())
            receipts.save(node, made, path, printed.data)
            saved = {"file": str(path), "missing": list(printed.missing)}
            tell(f"已存到 {path}{missing_words(printed.missing)}。")
    if as_json:
        facts = {"kind": made.kind, "number": made.number, "code": made.code}
        show(facts | {"text": as_text(made.paper)} | saved)
    elif not pdf:
        click.echo(as_text(made.paper), nl=False)


@click.command(
    "progress", help="群众来问进度：查询码、单号、姓名（拼音首字母）或证件后四位。"
)
@click.argument("query", metavar="CODE")
@json_option
@click.pass_obj
def progress(context: Context, query: str, as_json: bool) -> None:
    """Say how far a case is, who has it, and how old that knowledge is."""
    with context.node() as node:
        found = [inquiry.answer(node, row) for row in inquiry.rows_for(node, query)]
        now_ms = node.now_ms()
    if as_json:
        show({"cases": [_answer_object(one) for one in found]})
        return
    for one in found:
        for words in answer_lines(one, now_ms):
            click.echo(words)


@click.group(help="纸上的核验码：断网也能验。")
def receipt() -> None:
    """Group the commands about codes on papers."""


@receipt.command("verify", help="验一个核验码，或一份存成文字的文书；- 从标准输入读。")
@click.argument("source", metavar="CODE|FILE|-")
@json_option
@click.pass_obj
def verify_receipt(context: Context, source: str, as_json: bool) -> None:
    """Say what a paper proves; one that proves nothing is refused."""
    text = _read(source)
    with context.node() as node:
        verdict = verify(node, text)
    if as_json:
        show(_verdict_object(verdict))
        return
    for words in verdict_lines(verdict):
        click.echo(words)


def file_name(made: Made, ending: str) -> str:
    """Return what a paper's file is called; nobody is named in it."""
    return safe_name(f"{made.paper.title} {made.number}.{ending}", 1)


def _made(node: Node, name: str, kind: PaperKind | None) -> Made:
    if kind is PaperKind.BATCH:
        return receipts.batch_paper(node, name)
    case = cases.open_case(node, name)
    return receipts.paper_of(node, case, kind or receipts.kinds_of(case)[0])


def _read(source: str) -> str:
    if source == "-":
        data = sys.stdin.buffer.read(TEXT_LIMIT)
    else:
        path = Path(source)
        try:
            if not path.is_file():
                return source
            with path.open("rb") as file:
                data = file.read(TEXT_LIMIT)
        except (OSError, ValueError) as error:
            # A code is far too long to be the name of a file.
            if "/" in source and source.upper().startswith("LB1"):
                return source
            raise NotFound("file", path.name[:40]) from error
    if data.startswith(b"%PDF-"):
        raise ReceiptRefused("pdf")
    return data.decode("utf-8", "replace")


def _verdict_object(verdict: Verdict) -> dict[str, Any]:
    claim, signer = verdict.claim, verdict.signer
    return {
        "valid": True,
        "kind": claim.kind,
        "number": claim.number,
        "item": verdict.item,
        "on": claim.on.isoformat(),
        "outcome": claim.outcome,
        "signer": {
            "node": signer.node.hex(),
            "epoch": signer.epoch,
            "name": signer.name,
            "tier": signer.tier,
            "department": signer.department,
            "revoked": verdict.is_revoked,
        },
        "text_proven": verdict.is_text_proven,
        "standing": str(verdict.standing),
        "state": verdict.case.state if verdict.case else "",
    }


def _answer_object(answer: Answer) -> dict[str, Any]:
    row = answer.case.row
    clock, due = answer.next_day or ("", None)
    return {
        "id": row.id,
        "number": row.number,
        "progress_code": progress_code(row.number),
        "item": row.item_name,
        "applicant": row.applicant,
        "state": str(answer.case.story.state),
        "holder": str(answer.holder),
        "places": list(answer.places),
        "known_at": iso(answer.known_ms),
        "is_here": answer.is_ours,
        "on_its_way": answer.is_on_its_way,
        "next": clock or None,
        "next_on": due.on.isoformat() if due else None,
        "next_is_provisional": due.is_provisional if due else False,
        "deemed": answer.is_deemed,
        "paused": answer.paused is not None,
        "paused_to": answer.paused_to.isoformat() if answer.paused_to else None,
        "settler": str(answer.settler) if answer.settler else "",
    }
