"""`lianban case renew`, and what `case show` says of versions of forms."""

from typing import Any

import click

from forms.moving import Kept
from node import cases as node_cases
from node import kept_answers, versions
from node.errors import NotFound
from node.versions import Renewal
from tui import version_words
from tui.commands.context import Context, json_option, line, show, tell
from tui.commands.upkeep import iso


@click.command("renew", help="草稿换用现行的表；没有位置的答案留在本机，不会丢。")
@click.argument("name")
@json_option
@click.pass_obj
def renew(context: Context, name: str, as_json: bool) -> None:
    """Take a draft over into the present version of its item's form."""
    with context.node() as node:
        draft = node_cases.find_draft(node, name)
        if draft is None:
            raise NotFound("draft", name[:40])
        found = versions.renewal(node, draft)
        if found is None:
            raise NotFound("newer version", draft.id)
        renewed = versions.renew(node, draft)
        kept = kept_answers.of(node, draft.document)
        now_ms = node.now_ms()
    if as_json:
        shown = {"id": renewed.id, "number": renewed.number, "state": "draft"}
        show(shown | {"renewed": renewal_object(found), "kept": kept_objects(kept)})
        return
    print_renewal(found, now_ms)
    print_kept(kept)
    tell("已换成现行的表，草稿还没有提交；改好后运行 lianban case submit。")


def renewal_object(found: Renewal) -> dict[str, Any]:
    """Return what `--json` says of the version that a draft may be taken over into."""
    return {
        "package": found.digest,
        "old_version": found.old.version,
        "old_published_at": iso(found.old_at_ms),
        "version": found.new.version,
        "published_at": iso(found.new_at_ms),
        "unchanged": found.moved.unchanged,
        "changes": [
            {
                "what": [str(one) for one in turn.what],
                "key": turn.key,
                "label": turn.label,
                "was_label": turn.was_label,
                "value": turn.shown,
                "fate": str(turn.fate),
                "note": str(turn.note),
                "must_answer": turn.must_answer,
            }
            for turn in found.moved.turns
        ],
    }


def kept_objects(kept: tuple[Kept, ...]) -> list[dict[str, Any]]:
    """Return what `--json` says of the answers that are kept beside a form."""
    return [
        {
            "key": one.key,
            "label": one.label,
            "value": one.value,
            "why": one.why,
            "version": one.version,
        }
        for one in kept
    ]


def print_renewal(found: Renewal, now_ms: int) -> None:
    """Print both versions and each change in a line."""
    old, new = version_words.versions(found, now_ms)
    line("表单", f"{old} → {new}")
    for turn in found.moved.turns:
        line(version_words.change_words(turn), version_words.turn_words(turn))
    line("合计", version_words.summary(found))


def print_kept(kept: tuple[Kept, ...]) -> None:
    """Print the answers that are kept beside a form."""
    for words in version_words.kept_lines(kept):
        line("留存", words)
