"""What is filled in and attached, checked once more before it is written."""

from collections.abc import Mapping, Sequence

from forms import check
from forms.package import Package
from node import intake
from node.errors import AnswersWrong
from node.material import Material
from node.wiring import Node


def checked(
    node: Node,
    package: Package,
    answers: Mapping[str, str],
    *,
    is_paper_only: bool = False,
) -> dict[str, str]:
    """Return what is filled in, with what follows from it.

    Raises:
        AnswersWrong: all that is wrong; of papers alone 代收, what is wrong with who
            applies and with what is filled in.
    """
    problems, counted = check.checked(package, answers, node.today())
    if is_paper_only:
        # What is not filled in yet is entered by the tier above 代录; who applies, and
        # what is filled in, must be right.
        applicant = {
            package.field_of("applicant_name"),
            package.field_of("applicant_id"),
        }
        named = {one.key for one in applicant if one}
        problems = [p for p in problems if p.key in named or answers.get(p.key)]
    if problems:
        raise AnswersWrong([(p.key, p.label, p.message) for p in problems])
    return counted


def files_in(package: Package, answers: Mapping[str, str]) -> list[str]:
    """Return the digests of all files that the answers name."""
    return [
        digest
        for key, answer in answers.items()
        if (field := package.question(key)) and field.kind == "file"
        for digest in answer.split()
    ]


def new_materials(
    node: Node,
    package: Package,
    answers: Mapping[str, str],
    files: Sequence[str],
    known: Mapping[str, Material],
) -> dict[str, Material]:
    """Return the records of the files that a step adds to those that are `known`.

    Raises:
        AnswersWrong: one is not here, or they are larger than the item allows.
    """
    item, added = package.item, dict[str, Material]()
    for digest in dict.fromkeys((*files_in(package, answers), *files)):
        if digest in known:
            continue
        record = intake.record_of(node, digest)
        if record is None or record.size > item.file_limit_bytes:
            why = "附件不在本机或太大，请重新选择文件"
            raise AnswersWrong([("materials", "材料", why)])
        added[digest] = record
    size_bytes = sum(one.size for one in (*known.values(), *added.values()))
    if added and size_bytes > item.case_limit_bytes:
        most = item.case_limit_kib / 1024
        why = f"一件的附件合计最多 {most:g} MB，请去掉几个或换小一些的"
        raise AnswersWrong([("materials", "材料", why)])
    return added
