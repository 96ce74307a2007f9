"""What steps say, in words: how each fact is asked, and how it is told.

One table for the screens that ask, the command line, the story of a case, its records
and what is said when a step is refused. Which facts a step has, and which it must have,
stands in `node.facts.FACTS`; here are their words.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from forms.field import Choice, Field
from forms.item import Item
from forms.service import Delivery
from forms.words import words_of
from node.cases import Case, lapses_of, records_of
from node.corrections import material_name, target_name
from node.facts import FACTS, MATERIAL_STATES, PAUSES, TEXT_LIMIT
from node.lifecycle import Event, Step
from node.records import Records
from node.wiring import Node
from tui import clock_words, labels, times

Names = dict[str, str]
"""What may be chosen: values and what they are called."""

HANDLINGS = {"self": "本人办", "agent": "代办", "visit": "上门收件"}
DELIVERIES = words_of(Delivery)
OPINIONS = {"agree": "同意", "refuse": "不同意"}
FINDINGS = {"pass": "通过", "mend": "限期整改", "fail": "不通过"}
GRADES = {
    "5": "非常满意",
    "4": "满意",
    "3": "基本满意",
    "2": "不满意",
    "1": "非常不满意",
}
YES = {"1": "是"}


@dataclass(frozen=True, slots=True)
class Scene:
    """A case as somebody finds it who is about to do something in it.

    `late` are the keys of the limits that have passed, see `node.lapses`.
    """

    case: Case
    known: Records
    today: dt.date
    late: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """How a fact is asked and told.

    `words` are fixed choices, `offers` those that the case gives; `usual` is what
    mostly is the answer, by what is known and the day. `typed` says what is written on
    a command line where a screen offers a choice. `tells` are the words of what was
    said once, where that is more than what is offered now.
    """

    label: str
    kind: str = "text"
    hint: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    offers: Callable[[Scene], Names] | None = None
    usual: Callable[[Scene], str] | None = None
    typed: str = ""
    tells: Callable[[Scene], Names] | None = None


def _branches(scene: Scene) -> Names:
    return {
        one.branch.key: f"{one.branch.department}（{one.branch.name}）"
        for one in scene.known.branches
    }


def _visits(scene: Scene) -> Names:
    """Return the visits by their days, and by how many departments each is for."""
    return {
        one.id: f"{one.event.facts['on']}，{len(one.event.facts['branches'].split())} "
        "个部门"
        for one in scene.known.visits
    }


def _pauses(scene: Scene) -> Names:
    return {
        one.begin.id: f"{labels.word(PAUSES, one.kind)} {_day(one.begin.event.at)} 起"
        for one in scene.known.pauses
    }


def _running(scene: Scene) -> Names:
    names = _pauses(scene)
    running = (one.begin.id for one in scene.known.pauses if one.end is None)
    return {key: names[key] for key in running}


def _events(scene: Scene) -> Names:
    return {
        one.id: f"{labels.word(labels.STEPS, one.event.step)} {_day(one.event.at)}"
        for one in scene.case.story.happened
    }


def _late(scene: Scene) -> Names:
    return {key: clock_words.key_words(key) for key in scene.late}


def _fees(scene: Scene) -> Names:
    return {
        fee.name: f"{fee.name}（{fee.standard}）"
        for fee in scene.case.package.item.fees
    }


def _deliveries(scene: Scene) -> Names:
    return deliveries(scene.case.package.item)


def deliveries(item: Item) -> Names:
    """Return in which ways the answer of an item may come to the applicant."""
    ways = [str(way) for way in item.delivery] or list(DELIVERIES)
    return {way: DELIVERIES[way] for way in ways}


def _day(at_ms: int) -> str:
    return times.local(at_ms).strftime("%m-%d")


def _amount(scene: Scene) -> str:
    fees = scene.case.package.item.fees
    return fees[0].amount_yuan if len(fees) == 1 else ""


def _today(scene: Scene) -> str:
    return scene.today.isoformat()


_A_DAY = "如 2026-11-23"
_TRIPS = Asked(
    "跑了几趟",
    "integer",
    "申请人为这件事一共来过几次，一次也没来填 0",
    usual=lambda scene: str(scene.known.trips or ""),
)
_WAY = Asked(
    "送达方式",
    "choice",
    words=DELIVERIES,
    offers=_deliveries,
    usual=lambda scene: scene.known.delivery,
)
_BRANCH = Asked("哪个部门", "choice", offers=_branches, typed="部门事项的编号")

GROUPS: dict[str, Asked] = {
    "material/": Asked(
        "材料状态", "choice", words=MATERIAL_STATES, typed="斜线后接材料的编号"
    ),
    "fault/": Asked("要补正的", typed="斜线后接那一项的编号；写明要补什么、怎么改"),
}
"""What begins a group of facts; asked on a page of its own, one by one."""

ASKED: dict[Step, dict[str, Asked]] = {
    Step.SUBMIT: {
        "handling": Asked("谁来办", "choice", words=HANDLINGS),
        "authorised": Asked("委托凭据", hint="谁委托、怎么委托的，如 儿子持委托书"),
        "paper_only": Asked("先收材料，表后录", "choice", words=YES),
        "delivery": Asked("结果怎么给", "choice", words=DELIVERIES),
        "send_to": Asked("寄到哪里", hint="收件人、电话、地址；选快递的必填"),
        "trips": _TRIPS,
        "follows": Asked("接着哪一件", hint="用那一件的结果作材料时，写它的单号"),
    },
    Step.AMEND: {"entered": Asked("代录", "choice", words=YES)},
    Step.ACCEPT: {"trips": _TRIPS},
    Step.GRANT: {
        "paper": Asked("文号或证号"),
        "until": Asked("有效期至", "date", "长期有效的不填", typed=_A_DAY),
    },
    Step.REFUSE: {"paper": Asked("决定书文号")},
    Step.DELIVER: {
        "way": _WAY,
        "recipient": Asked(
            "谁收到的",
            hint="签收人姓名",
            usual=lambda scene: scene.case.row.applicant,
        ),
        "trips": _TRIPS,
    },
    Step.WITHDRAW: {
        "duplicate": Asked("是重复申请", "choice", "重复的不计工作量", YES)
    },
    Step.CHECK: {"place": Asked("在哪里")},
    Step.PAUSE: {
        "kind": Asked("哪一种", "choice", words=PAUSES),
        "days": Asked("要多少天", "integer", "告知申请人的天数，自然日"),
    },
    Step.RESUME: {
        "pause": Asked(
            "结束哪一个",
            "choice",
            offers=_running,
            typed="开始那一步的编号",
            tells=_pauses,
        )
    },
    Step.EXTEND: {
        "workdays": Asked(
            "延长几个工作日", "integer", "一般最多 10 个，联合办理最多 15 个"
        ),
        "approver": Asked("批准人", hint="行政机关负责人"),
    },
    Step.HURRY: {"approver": Asked("批准人")},
    Step.TRANSFER: {"department": Asked("转给哪个部门", hint="部门全称")},
    Step.ADVISE: {
        "branch": _BRANCH,
        "result": Asked("意见", "choice", words=OPINIONS),
    },
    Step.VISIT: {
        "on": Asked("哪一天去", "date", usual=_today, typed=_A_DAY),
        "branches": Asked(
            "哪些部门去",
            "choices",
            offers=_branches,
            typed="部门事项的编号，空格隔开",
        ),
    },
    Step.INSPECT: {
        "visit": Asked(
            "哪一次勘验", "choice", offers=_visits, typed="安排那一步的编号"
        ),
        "branch": _BRANCH,
        "result": Asked("结果", "choice", words=FINDINGS),
    },
    Step.FEE: {
        "fee": Asked("收费项目", "choice", offers=_fees, typed="项目的名称"),
        "yuan": Asked("金额", "amount_yuan", "减免的写实收数", usual=_amount),
        "receipt": Asked("票据号"),
    },
    Step.PARCEL: {
        "way": Asked("寄还是收", "choice", words={"out": "寄给申请人", "in": "取回来"}),
        "carrier": Asked("快递公司"),
        "tracking": Asked("运单号", hint="还没有的以后再记一次"),
        "payer": Asked(
            "谁付钱", "choice", words={"office": "政府付", "applicant": "申请人付"}
        ),
    },
    Step.RATE: {
        "grade": Asked("申请人评的", "choice", "请申请人自己选，不要提示", GRADES),
        "about": Asked("申请人说的"),
    },
    Step.EXPLAIN: {
        "lapse": Asked("哪一个时限", "choice", offers=_late, typed="时限的名字")
    },
    Step.REDATE: {
        "event": Asked("哪一步", "choice", offers=_events, typed="那一步的编号"),
        "on": Asked("应是哪一天", "date", typed=_A_DAY),
    },
}
"""The words of each fact that stands alone. What is missing is made by the program."""

NOTE = "note"
"""The key of the reason among the questions of a step."""


def scene_of(node: Node, case: Case) -> Scene:
    """Return a case as it stands here today."""
    today = node.today()
    late = tuple(one.key for one in lapses_of(node, case, today))
    return Scene(case, records_of(case), today, late)


def questions(step: Step, scene: Scene, *, needs_note: bool) -> list[tuple[Field, str]]:
    """Return what a step asks, each with its usual answer; the reason comes last."""
    found = []
    for fact in FACTS[step]:
        asked = ASKED.get(step, {}).get(fact.key)
        if asked is None:
            continue
        offered = asked.offers(scene) if asked.offers else {}
        names = offered or asked.words
        usual = asked.usual(scene) if asked.usual else ""
        if offered and fact.is_needed and len(offered) == 1:
            usual = next(iter(offered))
        found.append(
            (question(fact.key, asked, asked.kind, names, fact.is_needed), usual)
        )
    reason = Asked("理由" if needs_note else "说明", hint="写明依据和原因")
    found.append((question(NOTE, reason, "text", {}, needs_note), ""))
    return found


def can_be_said(step: Step, scene: Scene) -> bool:
    """Say whether there is anything to choose from wherever a choice must be made: no
    opinion without branches, no end without a beginning, no fee without a rule.
    """
    needed = [fact.key for fact in FACTS[step] if fact.is_needed]
    asked = [ASKED[step][key] for key in needed]
    return all(one.offers(scene) for one in asked if one.offers)


def asked_as(step: str, key: str) -> Asked | None:
    """Return how a fact of a step is asked, or the group that it belongs to; None for
    what the step does not say, or what nobody is asked.
    """
    group, slash, _ = key.partition("/")
    if slash:
        return GROUPS.get(group + slash)
    return ASKED.get(Step(step), {}).get(key) if step in set(Step) else None


def written(asked: Asked) -> str:
    """Return how a fact is written on a command line: `意见：agree 同意；…`."""
    values = (f"{value} {word}" for value, word in asked.words.items())
    typed = "；".join(filter(None, (asked.typed, asked.hint, *values)))
    return f"{asked.label}：{typed}" if typed else asked.label


def question(
    key: str, asked: Asked, kind: str, names: Mapping[str, str], is_needed: bool
) -> Field:
    """Return a fact as a question, as a form has them."""
    return Field(
        key,
        kind,
        asked.label,
        required=is_needed,
        hint=asked.hint,
        choices=tuple(Choice(value, word) for value, word in names.items()),
        max_length=TEXT_LIMIT if kind == "text" else None,
    )


def told(scene: Scene, event: Event) -> Iterator[str]:
    """Yield what an event says, a fact at a time: `批准人：林局长`."""
    for key, value in event.facts.items():
        group, slash, name = key.partition("/")
        asked = asked_as(event.step, key)
        if asked is None:
            continue  # what nobody was asked, as a signature, is nobody's word
        if group == "material" and slash:
            state = labels.word(MATERIAL_STATES, value)
            yield f"{material_name(scene.case, name)}：{state}"
        elif group == "fault" and slash:
            yield f"{target_name(scene.case, name)}：{value}"
        else:
            yield f"{asked.label}：{_value(asked, scene, value)}"


def _value(asked: Asked, scene: Scene, value: str) -> str:
    names_of = asked.tells or asked.offers
    names = {**asked.words, **(names_of(scene) if names_of else {})}
    if asked.kind == "choices":
        return "、".join(names.get(one, one) for one in value.split())
    if asked.kind == "amount_yuan":
        return f"{value} 元"
    return names.get(value, value)
