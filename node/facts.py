"""What a step says besides its name: keys and values, as one table. Pure.

Values are short texts, as everything in a document is. A key that ends in `/` begins a
group: `material/id_card` says in which state that paper is. The same table is asked
before a step is written and by every receiver after it.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from forms.item import Item
from forms.service import Delivery
from node.branches import branch_keys
from node.lifecycle import Step
from node.proof import is_signature

TEXT_LIMIT = 200
FACTS_LIMIT = 120
TOTAL_LIMIT = 8_000
"""Letters of all that a step says, see `written_length`: with the longest reason it is
half of an event.
"""
TOO_MANY, TOO_LONG = "too-many", "too-long"
"""What `fault_of` returns where no single fact is wrong."""
TRIPS_LIMIT = 99
PAUSE_LIMIT_DAYS = 365
EXTENSION_LIMIT_WORKDAYS = 15

MATERIAL_STATES = {
    "missing": "待交",
    "collected": "已收",
    "reviewed": "已预审",
    "original_seen": "已核原件",
    "original_kept": "已收原件",
    "brought": "勘查带回",
    "returned": "原件已退",
    "lookup": "免提交，待查",
    "looked_up": "证照已查到",
    "not_found": "证照没查到，请交原件",
    "reused": "用前一件的结果",
    "unfit": "不合格",
}
"""In which state a paper can be. The keys are stored, so never rename one."""

PAUSES = {
    "hearing": "听证",
    "tender": "招标、拍卖",
    "inspection": "检验、检测",
    "survey": "现场勘验",
    "quarantine": "检疫",
    "appraisal": "鉴定",
    "expert": "专家评审",
    "publicity": "公示",
}
"""What a time limit does not count 特别程序. Source: 行政许可法 第四十五条."""

HANDLINGS = ("self", "agent", "visit")
"""本人办, 代办, 上门收件."""

Check = Callable[[str, Item], bool]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a step may say."""

    key: str
    check: Check
    is_needed: bool = False


def is_storable(text: str) -> bool:
    """Say whether a text can be written down: what a terminal hands over may hold
    bytes that are no letters.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(value: str, item: Item) -> bool:
    return 0 < len(value.strip()) <= TEXT_LIMIT and is_storable(value)


def _count(most: int, least: int = 0) -> Check:
    def check(value: str, item: Item) -> bool:
        return bool(_NUMBER.fullmatch(value)) and least <= int(value) <= most

    return check


def _one_of(values: Collection[str]) -> Check:
    return lambda value, item: value in values


def _day(value: str, item: Item) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _amount(value: str, item: Item) -> bool:
    return bool(_YUAN.fullmatch(value))


def _fee(value: str, item: Item) -> bool:
    return value in {fee.name for fee in item.fees}


def _branch(value: str, item: Item) -> bool:
    return value in branch_keys(item)


def _branches(value: str, item: Item) -> bool:
    return set(value.split()) <= set(branch_keys(item)) and bool(value.split())


_NUMBER = re.compile(r"0|[1-9][0-9]{0,3}", re.ASCII)
_YUAN = re.compile(r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,2})?", re.ASCII)
_EVENT = re.compile(r"[0-9a-f]{16}-[0-9]{1,16}", re.ASCII)
_YES = _one_of(("1",))
_WAYS = _one_of(frozenset(Delivery))


def _event(value: str, item: Item) -> bool:
    return bool(_EVENT.fullmatch(value))


def _seal(value: str, item: Item) -> bool:
    return is_signature(value)


_SEAL = Fact("seal", _seal)  # of the paper that goes with the step, see `node.sealing`
_MATERIALS = Fact("material/", _one_of(MATERIAL_STATES))

FACTS: dict[Step, tuple[Fact, ...]] = {
    Step.SUBMIT: (
        Fact("handling", _one_of(HANDLINGS)),
        Fact("authorised", _text),  # by whom and how the agent is authorised 委托
        Fact("paper_only", _YES),  # 代收: papers are here, the form is entered later
        Fact("delivery", _WAYS),
        Fact("send_to", _text),  # where the answer is sent
        Fact("trips", _count(TRIPS_LIMIT)),  # how often the applicant has come
        Fact("follows", _text),  # number of the case whose result it builds on
        _MATERIALS,
    ),
    Step.AMEND: (Fact("entered", _YES), _MATERIALS),  # 代录
    Step.REVIEW: (_MATERIALS,),
    Step.RETURN: (Fact("fault/", _text), _MATERIALS, _SEAL),
    Step.ACCEPT: (Fact("trips", _count(TRIPS_LIMIT)), _MATERIALS, _SEAL),
    Step.DECLINE: (_SEAL,),
    Step.FORWARD: (),
    Step.GRANT: (Fact("paper", _text), Fact("until", _day), _SEAL),  # 文号，有效期至
    Step.REFUSE: (Fact("paper", _text), _SEAL),
    Step.DELIVER: (
        Fact("way", _WAYS),
        Fact("recipient", _text),
        Fact("trips", _count(TRIPS_LIMIT)),
    ),
    Step.WITHDRAW: (Fact("duplicate", _YES),),
    Step.TERMINATE: (),
    Step.ARCHIVE: (),
    Step.CHECK: (_MATERIALS, Fact("place", _text)),
    Step.PAUSE: (
        Fact("kind", _one_of(PAUSES), is_needed=True),
        Fact("days", _count(PAUSE_LIMIT_DAYS, 1)),
    ),
    Step.RESUME: (Fact("pause", _event, is_needed=True),),
    Step.EXTEND: (
        Fact("workdays", _count(EXTENSION_LIMIT_WORKDAYS, 1), is_needed=True),
        Fact("approver", _text, is_needed=True),
    ),
    Step.HURRY: (Fact("approver", _text, is_needed=True),),
    Step.TRANSFER: (Fact("department", _text, is_needed=True),),
    Step.ADVISE: (
        Fact("branch", _branch, is_needed=True),
        Fact("result", _one_of(("agree", "refuse")), is_needed=True),
    ),
    Step.VISIT: (
        Fact("on", _day, is_needed=True),
        Fact("branches", _branches, is_needed=True),
    ),
    Step.INSPECT: (
        Fact("visit", _event, is_needed=True),
        Fact("branch", _branch, is_needed=True),
        Fact("result", _one_of(("pass", "mend", "fail")), is_needed=True),
    ),
    Step.FEE: (
        Fact("fee", _fee, is_needed=True),
        Fact("yuan", _amount, is_needed=True),
        Fact("receipt", _text, is_needed=True),
    ),
    Step.PARCEL: (
        Fact("way", _one_of(("out", "in")), is_needed=True),  # to, or from, him
        Fact("carrier", _text),
        Fact("tracking", _text),
        Fact("payer", _one_of(("office", "applicant"))),
    ),
    Step.RATE: (
        Fact("grade", _count(5, 1), is_needed=True),
        Fact("about", _text),
    ),
    Step.EXPLAIN: (Fact("lapse", _text, is_needed=True),),
    Step.REDATE: (
        Fact("event", _event, is_needed=True),
        Fact("on", _day, is_needed=True),
    ),
    Step.SETTLE: (),
}
"""What each step may say, and must."""


def fault_of(step: Step, facts: Mapping[str, str], item: Item) -> str:
    """Return which fact of a step is not right: its key, `TOO_MANY`; "" for none."""
    if len(facts) > FACTS_LIMIT:
        return TOO_MANY
    if written_length(facts) > TOTAL_LIMIT:
        return TOO_LONG
    known = FACTS[step]
    for one in known:
        if one.is_needed and not facts.get(one.key):
            return one.key
    for key, value in facts.items():
        group, slash, name = key.partition("/")
        fact = next((one for one in known if one.key == group + slash), None)
        if fact is None or not isinstance(value, str) or not fact.check(value, item):
            return key[:TEXT_LIMIT]
        if group == "material" and name not in {one.key for one in item.materials}:
            return key[:TEXT_LIMIT]
        if slash and not 0 < len(name) <= TEXT_LIMIT:
            return key[:TEXT_LIMIT]
    return _fixed_amount_fault(step, facts, item)


def written_length(facts: Mapping[str, str]) -> int:
    """Return how many letters an event needs for what its step says.

    Not counted is the signature of the paper: it comes last, and is always as long.
    """
    said = {key: text for key, text in facts.items() if key != _SEAL.key}
    return len(json.dumps(said, ensure_ascii=False, separators=(",", ":")))


def _fixed_amount_fault(step: Step, facts: Mapping[str, str], item: Item) -> str:
    """Return `yuan` where more is charged than the rule allows.

    Less may be charged: some pay less or nothing 减免.
    """
    if step is not Step.FEE:
        return ""
    rule = next(fee for fee in item.fees if fee.name == facts["fee"])
    if not rule.amount_yuan:
        return ""
    # As decimals: money is exact to the cent.
    return "yuan" if Decimal(facts["yuan"]) > Decimal(rule.amount_yuan) else ""
