"""What steps say, who may say it, and what it comes to. No node is needed for that."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from forms.item import Item, Tier
from forms.service import Fee, Member, Urgent
from forms.service import Step as Part
from node.branches import branches
from node.facts import (
    FACTS,
    MATERIAL_STATES,
    TOO_LONG,
    TOTAL_LIMIT,
    fault_of,
    written_length,
)
from node.lifecycle import (
    NOTE_LIMIT,
    Event,
    State,
    Step,
    decode_event,
    encode_event,
)
from node.policy import BATCH_LIMIT, NAME_LIMIT, SEEN_LIMIT, TIME_LIMIT_MS, Past
from node.proof import SIGNATURE_LETTERS
from node.records import RESULT_AGREE, RESULT_REFUSE, records
from node.rights import OFTEN_LIMIT, looks_back, why_not_said
from node.story import fold_events
from tests.shipping import shipped_packages

ELDER = next(
    one.item for one in shipped_packages() if one.item.name == "老年人优待证办理"
)
MEMBERS = tuple(
    Member(code, name, department)
    for code, name, department in (
        ("1", "园舍", "教育局"),
        ("2", "食堂", "市场监管局"),
        ("3", "保健", "卫健局"),
    )
)
JOINT = structs.replace(ELDER, members=MEMBERS)
CHARGED = structs.replace(
    ELDER, fees=(Fee("工本费", "每证 10 元", "某文件", amount_yuan="10"),)
)
FIRST = ELDER.materials[0].key


class Tale:
    """Events that are written one after another, or past each other."""

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}

    def add(
        self, step: Step, *seen: str, note: str = "", by: str = "a", **facts: str
    ) -> str:
        return self.say(step, seen, note, by, facts)

    def say(
        self,
        step: Step,
        seen: tuple[str, ...],
        note: str,
        by: str,
        facts: dict[str, str],
    ) -> str:
        at = len(self.events) + 1
        key = f"{by * 16}-{at}"
        clock = 1 + max((self.events[one].clock for one in seen), default=0)
        self.events[key] = Event(
            step, at, by, seen=seen, clock=clock, note=note, facts=facts
        )
        return key

    def accepted(self) -> str:
        return self.add(Step.ACCEPT, self.add(Step.SUBMIT))


WRONG = {
    Step.SUBMIT: {"handling": "friend"},
    Step.AMEND: {"entered": "yes"},
    Step.REVIEW: {"material/nothing": "reviewed"},
    Step.RETURN: {"fault/": "x"},
    Step.ACCEPT: {"trips": "-1"},
    Step.GRANT: {"until": "2026-02-30"},
    Step.REFUSE: {"paper": " "},
    Step.DELIVER: {"way": "pigeon"},
    Step.WITHDRAW: {"duplicate": "0"},
    Step.CHECK: {f"material/{FIRST}": "lost"},
    Step.PAUSE: {"kind": "holiday"},
    Step.RESUME: {"pause": "yesterday"},
    Step.EXTEND: {"workdays": "0", "approver": "王局长"},
    Step.HURRY: {"approver": ""},
    Step.TRANSFER: {"department": "局" * 201},
    Step.ADVISE: {"branch": "9", "result": "agree"},
    Step.VISIT: {"on": "2026-1-1", "branches": "1"},
    Step.INSPECT: {"visit": "x", "branch": "1", "result": "pass"},
    Step.FEE: {"fee": "工本费", "yuan": "10.01", "receipt": "0001"},
    Step.PARCEL: {"way": "up"},
    Step.RATE: {"grade": "6"},
    Step.EXPLAIN: {},
    Step.REDATE: {"event": "a" * 16 + "-1", "on": "2026"},
}


@pytest.mark.parametrize("step", WRONG)
def test_what_a_step_says_wrongly_is_named(step: Step) -> None:
    item = structs.replace(JOINT, fees=CHARGED.fees)

    assert fault_of(step, WRONG[step], item)
    assert fault_of(step, {"unknown": "1"}, item)


@pytest.mark.parametrize("step", Step)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    facts=st.dictionaries(
        st.one_of(
            st.sampled_from([fact.key for known in FACTS.values() for fact in known]),
            st.text(max_size=12),
        ),
        st.text(max_size=12),
        max_size=4,
    )
)
def test_nothing_that_a_step_says_makes_the_check_fall(
    step: Step, facts: dict[str, str]
) -> None:
    assert isinstance(fault_of(step, facts, CHARGED), str)


def test_papers_go_from_hand_to_hand_and_nothing_is_forgotten() -> None:
    tale = Tale()
    first = tale.say(Step.SUBMIT, (), "", "a", {f"material/{FIRST}": "lookup"})
    then = tale.say(
        Step.CHECK, (first,), "", "b", {f"material/{FIRST}": "brought", "place": "江边"}
    )

    known = records(ELDER, fold_events(tale.events))

    assert known.papers[FIRST].state == "brought"
    assert known.papers[FIRST].place == "江边"
    assert [one.by.id for one in known.custody] == [first, then]
    assert set(MATERIAL_STATES) >= {one.state for one in known.custody}


def test_a_special_procedure_runs_until_it_is_ended() -> None:
    tale = Tale()
    begun = tale.add(Step.PAUSE, tale.accepted(), note="专家评审", kind="expert")

    assert records(ELDER, fold_events(tale.events)).is_paused
    known = records(ELDER, fold_events(tale.events))
    assert why_not_said(Step.RESUME, {"pause": begun}, ELDER, "", known) == ""

    tale.add(Step.RESUME, begun, pause=begun)
    known = records(ELDER, fold_events(tale.events))
    assert not known.is_paused
    assert why_not_said(Step.RESUME, {"pause": begun}, ELDER, "", known) == "pause"


def test_a_fault_that_is_told_with_a_second_notice_is_marked() -> None:
    tale = Tale()
    one = tale.add(Step.SUBMIT)
    one = tale.say(
        Step.RETURN, (one,), "补", "b", {"fault/phone": "空号", "fault/name": "错字"}
    )
    one = tale.add(Step.SUBMIT, one)
    tale.say(
        Step.RETURN,
        (one,),
        "再补",
        "b",
        {"fault/phone": "还是空号", "fault/photo": "暗"},
    )

    faults = records(ELDER, fold_events(tale.events)).faults

    assert [(f.target, f.notice, f.is_late) for f in faults] == [
        ("phone", 1, False),
        ("name", 1, False),
        ("phone", 2, False),
        ("photo", 2, True),
    ]


def test_two_departments_that_write_past_each_other_are_both_heard() -> None:
    tale = Tale()
    base = tale.accepted()
    tale.add(Step.ADVISE, base, by="b", branch="1", result=RESULT_AGREE)
    tale.add(Step.ADVISE, base, by="c", branch="2", result=RESULT_AGREE)

    story = fold_events(tale.events)
    known = records(JOINT, story)

    assert (story.state, story.choices) == (State.ACCEPTED, ())
    assert [one.result for one in known.branches] == [RESULT_AGREE, RESULT_AGREE, ""]
    assert why_not_said(Step.GRANT, {}, JOINT, "", known) == "branches-open"
    assert why_not_said(Step.REFUSE, {}, JOINT, "", known) == "branches-open"


def test_a_branch_that_was_decided_in_two_ways_is_open_until_it_is_decided_anew() -> (
    None
):
    tale = Tale()
    base = tale.accepted()
    yes = tale.add(Step.ADVISE, base, by="b", branch="1", result=RESULT_AGREE)
    no = tale.add(Step.ADVISE, base, by="c", branch="1", result=RESULT_REFUSE)

    disputed = records(JOINT, fold_events(tale.events)).branches[0]
    assert (len(disputed.said), disputed.result) == (2, "")

    tale.add(Step.ADVISE, *sorted((yes, no)), branch="1", result=RESULT_REFUSE)
    known = records(JOINT, fold_events(tale.events))
    assert known.branches[0].result == RESULT_REFUSE
    assert why_not_said(Step.GRANT, {}, JOINT, "", known) == "branches-open"
    assert why_not_said(Step.REFUSE, {}, JOINT, "", known) == ""


def test_a_joint_case_is_granted_when_all_departments_agree() -> None:
    tale = Tale()
    last = tale.accepted()
    for member in MEMBERS:
        last = tale.add(Step.ADVISE, last, branch=member.code, result=RESULT_AGREE)

    known = records(JOINT, fold_events(tale.events))

    assert why_not_said(Step.GRANT, {}, JOINT, "", known) == ""


def test_a_department_speaks_only_for_its_own_branch() -> None:
    known = records(JOINT, fold_events({}))
    said = {"branch": "1", "result": RESULT_AGREE}

    for department, why in (("教育局", ""), ("", ""), ("卫健局", "department")):
        assert why_not_said(Step.ADVISE, said, JOINT, department, known) == why


def test_one_visit_has_a_result_for_each_branch() -> None:
    tale = Tale()
    visit = tale.add(Step.VISIT, tale.accepted(), on="2026-11-23", branches="1 2")
    for by, branch in (("b", "1"), ("c", "2")):
        tale.add(Step.INSPECT, visit, by=by, visit=visit, branch=branch, result="pass")

    known = records(JOINT, fold_events(tale.events))

    assert [one.inspected for one in known.branches] == ["pass", "pass", ""]
    other = {"visit": visit, "branch": "3", "result": "pass"}
    assert why_not_said(Step.INSPECT, other, JOINT, "", known) == "visit"


def test_a_visit_to_one_branch_is_none_to_another_with_a_shorter_name() -> None:
    tale = Tale()
    visit = tale.add(Step.VISIT, tale.accepted(), on="2026-11-23", branches="12 3")
    known = records(JOINT, fold_events(tale.events))
    said = {"visit": visit, "branch": "1", "result": "pass"}

    why = why_not_said(Step.INSPECT, said, JOINT, "", known)

    assert why == "visit"


def test_the_opinions_in_a_case_of_thousands_of_steps_fill_no_memory() -> None:
    tale = Tale()
    last = tale.accepted()
    for number in range(4_000):
        branch, result = MEMBERS[number % 2].code, RESULT_AGREE
        last = tale.add(Step.ADVISE, last, branch=branch, result=result)
    story = fold_events(tale.events)

    tracemalloc.start()
    known = records(JOINT, story)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [len(one.said) for one in known.branches] == [1, 1, 0]
    assert most_bytes < 20 * 1024 * 1024


@pytest.mark.parametrize(
    ("step", "facts"),
    [
        (Step.PAUSE, {"kind": "expert"}),
        (Step.VISIT, {"on": "2026-11-23", "branches": "1"}),
    ],
)
def test_nobody_stops_a_clock_or_goes_out_without_end(
    step: Step, facts: dict[str, str]
) -> None:
    tale = Tale()
    last = tale.accepted()
    for _ in range(OFTEN_LIMIT - 1):
        last = tale.add(step, last, **facts)
    before = records(JOINT, fold_events(tale.events))
    tale.add(step, last, **facts)
    known = records(JOINT, fold_events(tale.events))

    assert why_not_said(step, facts, JOINT, "", before) == ""
    assert why_not_said(step, facts, JOINT, "", known) == "too-often"


def test_a_receiver_sees_what_a_step_looks_back_at_without_the_whole_story() -> None:
    tale = Tale()
    last = tale.accepted()
    visit = tale.add(Step.VISIT, last, on="2026-11-23", branches="1 2")
    begun = tale.add(Step.PAUSE, visit, note="评审", kind="expert")
    ended = tale.add(Step.PAUSE, visit, by="b", note="听证", kind="hearing")
    both = tuple(sorted((begun, ended)))
    told = tale.add(Step.RESUME, *both, pause=ended)
    told = tale.add(Step.EXTEND, told, workdays="5", approver="王局长")
    tale.add(Step.RATE, tale.add(Step.CHECK, told), grade="5")
    texts = {key: encode_event(event) for key, event in tale.events.items()}
    past = Past.of(texts, {})

    known = records(JOINT, past.story)
    for step, facts in {
        Step.INSPECT: {"visit": visit, "branch": "2", "result": "pass"},
        Step.RESUME: {"pause": begun},
        Step.EXTEND: {"workdays": "5", "approver": "王局长"},
        Step.RATE: {"grade": "1"},
        Step.PAUSE: {"kind": "expert"},
        Step.VISIT: {"on": "2026-11-24", "branches": "1"},
    }.items():
        noted = records(JOINT, past.noted(step))
        why = why_not_said(step, facts, JOINT, "", noted)
        assert why == why_not_said(step, facts, JOINT, "", known)
    again = records(JOINT, past.noted(Step.RESUME))
    assert why_not_said(Step.RESUME, {"pause": ended}, JOINT, "", again) == "pause"


def test_nothing_is_charged_without_a_rule_nor_more_than_it_allows() -> None:
    known = records(ELDER, fold_events({}))
    said = {"fee": "工本费", "yuan": "10", "receipt": "0001"}

    assert why_not_said(Step.FEE, said, ELDER, "", known) == "no-rule"
    assert why_not_said(Step.FEE, said, CHARGED, "", known) == ""
    assert why_not_said(Step.FEE, said | {"yuan": "5"}, CHARGED, "", known) == ""
    assert why_not_said(Step.FEE, said | {"yuan": "11"}, CHARGED, "", known) == "facts"


@pytest.mark.parametrize(
    ("rule", "yuan", "fault"),
    [
        ("99999999.99", "99999999.99", ""),
        ("99999999.98", "99999999.99", "yuan"),
        ("0.1", "0.10", ""),
        ("0.10", "0.11", "yuan"),
    ],
)
def test_money_is_compared_to_the_cent(rule: str, yuan: str, fault: str) -> None:
    fee = Fee("工本费", "每证", "某文件", amount_yuan=rule)
    item = structs.replace(ELDER, fees=(fee,))

    said = {"fee": "工本费", "yuan": yuan, "receipt": "1"}

    assert fault_of(Step.FEE, said, item) == fault


@pytest.mark.parametrize("letter", ["字", "𠮷", '"', "\\", "\n", "\x01"])
def test_all_that_a_step_says_has_a_limit_as_it_is_written(letter: str) -> None:
    said = {f"fault/{n}": letter.join("一二") * 60 for n in range(100)}
    while written_length(said) > TOTAL_LIMIT:
        said.popitem()

    assert len(said) > 5 and fault_of(Step.RETURN, said, ELDER) == ""
    said |= {f"fault/more{n}": "字" * 200 for n in range(10)}
    assert fault_of(Step.RETURN, said, ELDER) == TOO_LONG


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=4))
def test_what_a_step_says_is_measured_as_its_event_writes_it(
    said: dict[str, str],
) -> None:
    nothing = len(encode_event(Event(Step.RETURN, 1, "x", facts={"": ""})))
    event = encode_event(Event(Step.RETURN, 1, "x", facts=said or {"": ""}))

    assert written_length(said or {"": ""}) - len('{"":""}') == len(event) - nothing


def test_the_longest_that_a_step_may_say_fits_into_an_event() -> None:
    facts = {f"fault/{n}": "𠮷" * 195 for n in range(38)}
    facts["fault/last"] = "字" * (TOTAL_LIMIT - written_length(facts) - 16)
    told = facts | {"seal": "A" * SIGNATURE_LETTERS}
    ids = tuple(f"{n:016x}-{TIME_LIMIT_MS}" for n in range(SEEN_LIMIT))
    event = Event(
        *(Step.TERMINATE, TIME_LIMIT_MS, '"' * NAME_LIMIT, ids, 2**63),
        note='"' * NOTE_LIMIT,
        batch="8" * BATCH_LIMIT,
        facts=told,
    )

    assert (written_length(facts), written_length(told)) == (TOTAL_LIMIT, TOTAL_LIMIT)
    assert fault_of(Step.RETURN, told, ELDER) == ""
    assert decode_event(encode_event(event)) == event


def test_a_limit_is_extended_once_and_no_longer_than_the_law_allows() -> None:
    tale = Tale()
    last = tale.accepted()
    said = {"workdays": "10", "approver": "王局长"}
    known = records(ELDER, fold_events(tale.events))

    assert why_not_said(Step.EXTEND, said, ELDER, "", known) == ""
    longer = said | {"workdays": "11"}
    assert why_not_said(Step.EXTEND, longer, ELDER, "", known) == "too-long"
    together = records(JOINT, fold_events(tale.events))
    assert why_not_said(Step.EXTEND, longer, JOINT, "", together) == ""

    tale.say(Step.EXTEND, (last,), "案情复杂", "a", said)
    known = records(ELDER, fold_events(tale.events))
    assert known.extended_workdays == 10
    assert why_not_said(Step.EXTEND, said, ELDER, "", known) == "extended"


def test_papers_alone_are_taken_in_until_the_form_is_entered() -> None:
    tale = Tale()
    first = tale.add(Step.SUBMIT, paper_only="1", handling="agent", authorised="委托书")
    known = records(ELDER, fold_events(tale.events))
    assert (known.is_paper_only, known.handling) == (True, "agent")

    tale.add(Step.AMEND, first, by="b", entered="1")
    assert not records(ELDER, fold_events(tale.events)).is_paper_only


def test_a_case_is_rated_once() -> None:
    tale = Tale()
    tale.add(Step.RATE, tale.accepted(), grade="5")

    known = records(ELDER, fold_events(tale.events))

    assert why_not_said(Step.RATE, {"grade": "1"}, ELDER, "", known) == "rated"


def test_an_item_has_branches_where_departments_work_side_by_side() -> None:
    parts = (
        Part("受理", Tier.DISTRICT, 1),
        Part("园舍", Tier.DISTRICT, 3, department="教育局"),
        Part("食堂", Tier.DISTRICT, 5, department="市场监管局", parallel=True),
    )
    together = structs.replace(ELDER, steps=parts)
    alike = structs.replace(
        ELDER, steps=tuple(structs.replace(part, department="") for part in parts)
    )

    assert [(o.key, o.workdays) for o in branches(together)] == [
        ("园舍", 3),
        ("食堂", 5),
    ]
    assert branches(alike) == ()
    assert looks_back(Step.GRANT, together)
    assert not looks_back(Step.GRANT, alike)


def _urgent(item: Item) -> Item:
    return structs.replace(item, urgent=Urgent("重点项目", Tier.DISTRICT, 1))


def test_the_first_who_opened_the_green_channel_counts() -> None:
    tale = Tale()
    base = tale.accepted()
    tale.add(Step.HURRY, base, by="c", note="急", approver="李局长")
    tale.add(Step.HURRY, base, by="b", note="急", approver="王镇长")

    known = records(_urgent(ELDER), fold_events(tale.events))

    assert known.hurry is not None
    assert known.hurry.event.facts["approver"] == "王镇长"
