"""A case as data: what `lianban case list --json` and `show --json` print."""

from collections.abc import Sequence
from typing import Any

from forms import joint
from forms.item import Item
from node import casework, follow_on, history
from node import status as node_status
from node.cases import Case, records_of
from node.progress import Progress, progress, ways
from node.records import Records
from node.status import Arrival
from node.store.cases import CaseRow
from node.store.drafts import Draft
from node.wiring import Node
from tui import labels
from tui.commands import lapsing, settling
from tui.commands.upkeep import iso


def case_object(node: Node, one: Case) -> dict[str, Any]:
    """Return what `case show --json` prints."""
    (found,) = row_objects(node, [one.row])
    source = follow_on.source_of(node, one)
    heard_ms = history.heard_ms(node, one)
    known = records_of(one)
    return found | {
        "source": _source_object(source) if source else None,
        "state": str(one.story.state),
        "outcome": one.story.outcome,
        "scope": one.scope,
        "fields": one.fields,
        "materials": [
            {
                "number": number,
                "digest": digest,
                "name": one.materials[digest].name,
                "size": one.materials[digest].size,
                "kind": one.materials[digest].kind,
                "here": way.is_here,
                "percent": way.percent,
                "sync": {"town": way.town, "district": way.district},
            }
            for number, (digest, way) in enumerate(
                ways(node, one.row.document).items(), start=1
            )
        ],
        "events": [
            {
                "id": happened.id,
                "step": happened.event.step,
                "at": iso(happened.event.at),
                "received_at": iso(heard_ms.get(happened.id)),
                "node": happened.author,
                "node_name": labels.author_name(node.roster, happened.author),
                "by": happened.event.by,
                "note": happened.event.note,
                "fields": list(happened.event.fields),
                "batch": happened.event.batch,
                "facts": dict(happened.event.facts),
                "settles": list(happened.event.settles),
                "upholds": happened.event.upholds,
                "stands": not happened.why_not,
                "settled_by": happened.settled_by,
            }
            for happened in one.story.happened
        ],
        "records": record_objects(known),
        "members": _member_objects(one.package.item, known),
        **lapsing.clocks_object(node, one),
        "conflicts": settling.matter_objects(one),
        "possible": [str(step) for step in casework.possible_steps(node, one)],
    }


def record_objects(known: Records) -> dict[str, Any]:
    """Return what is written down in a case, for scripts."""
    return {
        "papers": {key: paper.state for key, paper in known.papers.items()},
        "paused": known.is_paused,
        "branches": [
            {
                "key": one.branch.key,
                "name": one.branch.name,
                "department": one.branch.department,
                "result": one.result,
                "disputed": len(one.results) > 1,
                "inspected": one.inspected,
            }
            for one in known.branches
        ],
        "faults": [
            {
                "target": one.target,
                "text": one.text,
                "notice": one.notice,
                "late": one.is_late,
            }
            for one in known.faults
        ],
        "handling": known.handling,
        "authorised": known.authorised,
        "delivery": known.delivery,
        "follows": known.follows,
        "paper_only": known.is_paper_only,
        "trips": known.trips,
        "urgent": known.hurry is not None,
        "extended_workdays": known.extended_workdays,
        "department": known.department,
        "fees": [dict(one.event.facts) for one in known.fees],
        "parcels": [dict(one.event.facts) for one in known.parcels],
        "rating": known.rating.event.facts["grade"] if known.rating else "",
    }


def _member_objects(item: Item, known: Records) -> list[dict[str, Any]]:
    """Return the items of a joint package, each with the papers that serve it."""
    return [
        {
            "code": one.code,
            "name": one.name,
            "department": one.department,
            "materials": {
                paper.key: known.papers[paper.key].state
                if paper.key in known.papers
                else "missing"
                for paper in joint.papers_of(item, one)
            },
        }
        for one in item.members
    ]


def source_of_draft(node: Node, draft: Draft) -> dict[str, Any] | None:
    """Return the case on whose result a draft builds; None where it is not here."""
    source = follow_on.source_here(node, draft.follows) if draft.follows else None
    return _source_object(source) if source else None


def _source_object(source: Case) -> dict[str, Any]:
    row = source.row
    return {
        "id": source.id,
        "number": row.number,
        "item": row.item_name,
        "state": row.state,
    }


def row_objects(node: Node, rows: Sequence[CaseRow]) -> list[dict[str, Any]]:
    """Return what `case list --json` prints."""
    documents = [row.document for row in rows]
    arrived = node_status.arrivals(node, documents)
    files = progress(node, documents)
    return [
        row_object(row, arrived[row.document], files.get(row.document))
        | lapsing.row_object(node, row)
        for row in rows
    ]


def row_object(
    row: CaseRow, arrived: Arrival, files: Progress | None
) -> dict[str, Any]:
    """Return a list row; the days of its clocks stand in `lapsing.row_object`."""
    return {
        "id": row.id,
        "number": row.number,
        "item": row.item_name,
        "item_code": row.item_code,
        "department": row.department,
        "applicant": row.applicant,
        "division": row.division,
        "taken_in_at": row.taken_in_at,
        "state": row.state,
        "mark": row.mark,
        "settler": row.settler,
        "had_conflict": row.had_conflict,
        "visit": row.is_visit,
        "lookup": row.has_lookup,
        "waits_for": list(row.waits_for),
        "submitted_at": iso(row.submitted_at_ms),
        "changed_at": iso(row.changed_at_ms),
        "sync": {
            "town": _arrived(arrived.town_ms),
            "district": _arrived(arrived.district_ms),
        },
        "arrived_at": {
            "town": iso(arrived.town_ms),
            "district": iso(arrived.district_ms),
        },
        "materials_arrived": {
            "total": files.total if files else 0,
            "here": files.here if files else 0,
            "town": files.town if files else None,
            "district": files.district if files else None,
        },
    }


def _arrived(at_ms: int | None) -> bool | None:
    return None if at_ms is None else at_ms > 0
