"""`lianban case known`: what is known here of an applicant; and what `case new` takes
over of it, by name.

The id number comes from a file or the standard input: on the command line everybody on
the machine could read it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from forms.package import Package
from node import in_force, known
from node import reuse as offering
from node.known import Person
from node.reuse import Offer
from node.wiring import Node
from tui import known_words
from tui.commands.context import Context, json_option, line, show, tell
from tui.commands.fields import fields_option, read_fields
from tui.commands.upkeep import iso

reuse_option = click.option(
    "--reuse",
    multiple=True,
    metavar="项",
    help="取用此人以前审过的这一项（键，见 case known），可以给多次；盖过 --fields。",
)

NOBODY = "本点没有此人办过的件。"


@click.command("known", help="查看此人在本点办过的件，和一个事项可取用的资料。")
@click.argument("item")
@fields_option
@json_option
@click.pass_obj
def known_person(
    context: Context, item: str, fields_file: Path | None, as_json: bool
) -> None:
    """List what a case of an item could take over; that it was looked at is written
    down.
    """
    if fields_file is None:
        raise click.UsageError(
            "没有说是谁：用 --fields 给一个 JSON 文件（- 表示标准输入），"
            "里面要有申请人的身份证号。"
        )
    answers = read_fields(fields_file)
    with context.node() as node:
        package = node.package(in_force.find_package(node, item).digest)
        assert package is not None
        _check_number(node, package, answers)
        person = known.person(node, package, answers)
        offers = _looked_at(node, package, answers, person)
        if as_json:
            show(_object(package, answers, person, offers))
        elif person is None:
            tell(NOBODY)
        else:
            _tell_person(node, person, len(offers))
            for one in offers:
                line(one.key, *_cells(package, answers, one))


def taken_over(
    node: Node, package: Package, answers: dict[str, str], keys: Sequence[str]
) -> dict[str, str]:
    """Return answers with what a person has named of earlier cases.

    Raises:
        click.UsageError: a key is none of what can be taken over; nothing was made.
    """
    if not keys:
        return answers
    person = known.person(node, package, answers)
    offers = {one.key: one for one in _looked_at(node, package, answers, person)}
    for key in keys:
        if key not in offers:
            possible = "、".join(offers) or "没有"
            raise click.UsageError(
                f"--reuse {key}：没有这一项可取用（可取用的：{possible}）；没有新建。"
            )
    chosen = [offers[key] for key in keys]
    known.keep_names(node, chosen)
    for one in chosen:
        tell(f"取用 {one.label}：来自 {known_words.source(one)}")
    return offering.applied(answers, chosen)


def tell_twins(node: Node, package: Package, answers: dict[str, str]) -> None:
    """Say if the same person has an open case of the same item; hinders nothing."""
    person = known.person(node, package, answers)
    if person is not None and person.twins:
        tell(f"注意：{known_words.twins(node, person.twins)}。")


def _check_number(node: Node, package: Package, answers: dict[str, str]) -> None:
    """Refuse answers that do not say whom they are about.

    Raises:
        click.UsageError: how the answer is called that is missing or wrong.
    """
    asked = package.field_of("applicant_id")
    if asked is None:
        raise click.UsageError(f"{package.item.name}的表单不问申请人的身份证号。")
    if not known.id_number(node, package, answers):
        raise click.UsageError(
            f"--fields 里没有写对{asked.label}（键 {asked.key}），什么也没有查。"
        )


def _looked_at(
    node: Node, package: Package, answers: dict[str, str], person: Person | None
) -> list[Offer]:
    if person is None:
        return []
    offers = known.offers(node, package, answers, person)
    if offers:
        known.look(node, offers, package.item.code)
    return offers


def _tell_person(node: Node, person: Person, count: int) -> None:
    for words in (
        known_words.summary(person, count),
        known_words.twins(node, person.twins),
    ):
        if words:
            tell(f"{words}。")


def _cells(
    package: Package, answers: dict[str, str], one: Offer
) -> tuple[str, str, str, str]:
    """Return an offer as cells: what, its value, what stands there now, its source."""
    files = one.source.files
    value = known_words.shown(package, one.key, one.answers, files.__getitem__)
    now = " ".join(offering.present(answers, one).values())
    return one.label, value, f"现填 {now}" if now else "", known_words.source(one)


def _object(
    package: Package,
    answers: dict[str, str],
    person: Person | None,
    offers: Sequence[Offer],
) -> dict[str, Any]:
    rows = person.rows if person else ()
    twins = person.twins if person else ()
    return {
        "item_code": package.item.code,
        "cases": [
            {"id": one.id, "number": one.number, "item": one.item_name} for one in rows
        ],
        "open_twins": [
            {"id": one.id, "number": one.number, "state": one.state} for one in twins
        ],
        "offers": [
            {
                "key": one.key,
                "label": one.label,
                "answers": dict(one.answers),
                "present": offering.present(answers, one),
                "source": {
                    "number": one.source.number,
                    "item": one.source.item_name,
                    "verified_at": iso(one.source.verified_at_ms),
                },
            }
            for one in offers
        ],
    }
