"""The list to go out with 上门单: who is on it, what for, and who answers for it."""

from pathlib import Path

from node import audit, casework, drafting, home_visits
from node.cases import open_case
from node.lifecycle import Step
from node.papers.layout import A4
from node.papers.paper import Heading, Listing, Pairs, Paper
from node.papers.pdf import as_pdf
from node.wiring import Node
from tests.node.nodes import ANSWERS, ELDER, Three, step, submit, sync_all


def visit(node: Node, name: str, address: str, **facts: str) -> str:
    answers = ANSWERS | {"name": name, "handling": "visit", "visit_address": address}
    draft = drafting.begin_draft(node, ELDER, answers)
    return drafting.submit_draft(node, draft, facts).id


def doors(paper: Paper) -> dict[str, dict[str, str]]:
    """Return what stands below each name."""
    found: dict[str, dict[str, str]] = {}
    name = ""
    for block in paper.blocks:
        match block:
            case Heading():
                name = block.text.partition(" ")[2]
            case Pairs():
                found[name] = dict(block.rows)
            case Listing():
                found[name]["papers"] = " ".join(block.entries)
    return found


def test_the_list_says_for_each_door_what_to_collect_or_to_bring(
    nodes: Three,
) -> None:
    village, town = nodes.village, nodes.town
    visit(village, "王五", "上塘村 2 号")
    returned = visit(village, "赵六", "上塘村 1 号")
    granted = visit(village, "钱七", "上塘村 4 号")
    withdrawn = visit(village, "不办了", "上塘村 5 号")
    everything = {
        f"material/{one.key}": "collected"
        for one in open_case(village, granted).package.item.materials
    }
    visit(village, "孙八", "上塘村 3 号", **everything)
    submit(village, name="本人来的")
    drafting.begin_draft(village, ELDER, {"name": "周九", "handling": "visit"})
    step(village, withdrawn, Step.WITHDRAW, "不办了")
    sync_all(nodes)
    fault = {"fault/material:id_card": "背面看不清"}
    casework.take_step(town, returned, Step.RETURN, note="补", facts=fault)
    step(town, granted, Step.ACCEPT)
    casework.forward_batch(town, [granted])
    sync_all(nodes)
    step(nodes.district, granted, Step.GRANT, "符合条件")
    sync_all(nodes)

    made = home_visits.visit_list(village)

    found = doors(made.paper)
    assert made.count == 5
    assert list(found) == ["周九", "赵六", "王五", "孙八", "钱七"]  # by address
    assert found["王五"]["地址"] == "上塘村 2 号"
    assert found["王五"]["电话"] == ANSWERS["phone"]
    assert found["王五"]["去做什么"] == "收材料" and "身份证" in found["王五"]["papers"]
    assert "背面看不清" in found["赵六"]["papers"]
    assert "material:" not in found["赵六"]["papers"]
    assert found["钱七"]["去做什么"] == "送结果" and "决定书" in found["钱七"]["papers"]
    assert found["孙八"]["去做什么"] == "没有要收要送的，现在不用去"
    assert "草稿" in found["周九"]["去做什么"] and "先打电话" in found["周九"]["地址"]


def test_that_the_list_leaves_the_home_is_written_down_without_a_name(
    nodes: Three, tmp_path: Path
) -> None:
    village = nodes.village
    visit(village, "王五", "上塘村 2 号")
    made = home_visits.visit_list(village)
    printed = as_pdf(made.paper, A4, village.now())

    home_visits.save(village, made, tmp_path / "list.pdf", printed.data)

    (kept,) = [o for o in village.store.registry.audits(100) if o.act == audit.PAPER]
    assert (tmp_path / "list.pdf").read_bytes().startswith(b"%PDF")
    assert (kept.subject, kept.note) == (home_visits.KIND, "1")


def test_whoever_sees_the_list_is_written_down_as_having_seen_each_case(
    nodes: Three,
) -> None:
    town = nodes.town
    for name in ("王五", "赵六"):
        visit(nodes.village, name, "上塘村 2 号")
    submit(nodes.village, name="本人来的")
    sync_all(nodes)

    home_visits.visit_list(town)
    home_visits.visit_list(town)

    acts = [row.act for row in town.store.registry.audits(9) if row.by == town.operator]
    assert acts.count(audit.VIEW) == 2
