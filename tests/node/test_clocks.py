"""The clocks of a case: receipt, acceptance, promise, pauses, steps, delivery."""

from datetime import date, timedelta

import msgspec
import pytest

from forms.item import Tier
from forms.service import Step as Stage
from forms.service import Urgent
from node.clocks import AMBER, RED, as_of, light, workdays_left
from node.days import FIRST_DAY, LAST_DAY, civil_day
from node.lifecycle import Step
from node.workdays import Calendar
from tests.node.histories import (
    DISTRICT,
    KNOWN,
    TOWN,
    VILLAGE,
    History,
    day_after,
    item_of,
    workdays_after,
)

PLAIN = msgspec.structs.replace(
    item_of("elder_card"), legal_workdays=60, promise_workdays=20, steps=(), urgent=None
)


def day(text: str) -> date:
    return date.fromisoformat(text)


def accepted(on: str, promise: int = 20) -> History:
    """Return a case that was taken in and accepted on one day."""
    made = History(msgspec.structs.replace(PLAIN, promise_workdays=promise))
    made.add(Step.SUBMIT, on, VILLAGE)
    made.add(Step.ACCEPT, on)
    return made


@pytest.mark.parametrize(
    ("on", "workdays", "due"),
    [
        ("2026-02-10", 5, "2026-02-24"),  # Monday to Friday would fall in the holiday
        ("2026-09-18", 7, "2026-09-29"),  # a Sunday that is worked, then Mid-autumn
        ("2026-09-28", 20, "2026-10-30"),  # National Day
        ("2026-11-21", 20, "2026-12-18"),  # on a Saturday
    ],
)
def test_a_promise_is_counted_in_working_days_from_acceptance(
    on: str, workdays: int, due: str
) -> None:
    found = accepted(on, workdays).clocks

    assert found.accepted_on == day(on)
    assert found.promise_due is not None
    assert found.promise_due.on == day(due) and not found.promise_due.is_provisional


def test_a_limit_beyond_the_published_calendar_is_provisional() -> None:
    found = accepted("2026-11-21", 30).clocks

    assert found.promise_due is not None and found.promise_due.is_provisional


def test_papers_taken_in_on_a_saturday_are_received_that_day() -> None:
    made = History(PLAIN)
    made.add(Step.SUBMIT, "2026-11-21", VILLAGE)

    found = made.clocks

    assert found.received_on == day("2026-11-21")
    assert found.first_workday == day("2026-11-23")
    assert found.told_by is not None and found.told_by.on == day("2026-11-27")


def test_before_acceptance_no_limit_of_a_decision_runs() -> None:
    made = History(PLAIN)
    made.add(Step.SUBMIT, "2026-09-01", VILLAGE)
    made.add(Step.REVIEW, "2026-09-02")

    before = made.clocks
    made.add(Step.ACCEPT, "2026-09-03")

    assert before.promise_due is None and before.legal_due is None
    assert before.next_day is not None and before.next_day.kind == "accept"
    assert made.clocks.accepted_on == day("2026-09-03")


def test_what_nobody_answers_in_five_days_counts_as_accepted_from_receipt() -> None:
    made = History(PLAIN)
    made.add(Step.SUBMIT, "2026-09-01", VILLAGE)

    found = made.clocks
    told_by = day("2026-09-08")

    assert found.told_by is not None and found.told_by.on == told_by
    assert as_of(found, told_by).accepted_on is None
    later = as_of(found, told_by + timedelta(days=1))
    assert later.is_deemed and later.accepted_on == day("2026-09-01")


def test_an_acceptance_after_the_five_days_moves_nothing() -> None:
    made = History(PLAIN)
    made.add(Step.SUBMIT, "2026-09-01", VILLAGE)
    made.add(Step.ACCEPT, "2026-09-09")

    found = made.clocks

    assert found.is_deemed and found.accepted_on == day("2026-09-01")
    assert found.answered_on == day("2026-09-09")


def test_the_five_days_begin_at_the_village_whenever_the_town_hears_of_it() -> None:
    made = History(PLAIN)
    made.add(Step.SUBMIT, "2026-09-01", VILLAGE)
    made.add(Step.AMEND, "2026-09-07", VILLAGE)

    assert made.clocks.told_by is not None
    assert made.clocks.told_by.on == day("2026-09-08")


def test_a_notice_of_correction_in_time_begins_the_five_days_anew() -> None:
    made = History(PLAIN)
    made.add(Step.SUBMIT, "2026-09-01", VILLAGE)
    made.add(Step.RETURN, "2026-09-08")
    waiting = made.clocks
    made.add(Step.SUBMIT, "2026-09-15", VILLAGE)

    found = made.clocks

    assert waiting.next_day is None and waiting.limits is None
    assert found.received_on == day("2026-09-01")
    assert found.told_by is not None and found.told_by.on == day("2026-09-21")
    assert not found.is_deemed and found.late_returns == ()


def test_a_notice_of_correction_after_the_five_days_stops_nothing() -> None:
    made = History(PLAIN)
    made.add(Step.SUBMIT, "2026-09-01", VILLAGE)
    late = made.add(Step.RETURN, "2026-09-09")

    found = made.clocks

    assert found.late_returns == (late,)
    assert found.is_deemed and found.paused_since is None
    assert found.promise_due is not None
    assert found.promise_due.on == day(workdays_after("2026-09-01", 20))


def test_a_special_procedure_is_not_counted() -> None:
    made = accepted("2026-08-03")
    pause = made.add(Step.PAUSE, "2026-08-10", facts={"kind": "appraisal"})
    while_paused = made.clocks
    made.add(Step.RESUME, "2026-08-17", facts={"pause": pause})

    found = made.clocks

    assert while_paused.paused_since == day("2026-08-10")
    assert while_paused.next_day is None
    for due, workdays in ((found.promise_due, 20), (found.legal_due, 60)):
        assert due is not None
        assert due.on == day(workdays_after("2026-08-03", workdays + 5))


@pytest.mark.parametrize(
    ("begin", "end", "due"),
    [
        # Five days from Monday the 3rd: 4, 5, 6, 7 and 10 August 2026.
        ("05", "12", "17"),  # 4, 5 | 6 to 12 are not counted | 13, 14, 17
        ("05", "05", "10"),  # over on the same day: it took none away
        ("08", "10", "11"),  # begun on a Saturday: 4, 5, 6, 7 | the 10th | 11
        ("05", "08", "12"),  # ended on a Saturday: 4, 5 | 6, 7 | 10, 11, 12
        ("10", "12", "12"),  # begun on the last day: the limit ends with it
        ("10", "15", "17"),  # so on a Saturday: on the next day that is worked
        ("11", "12", "10"),  # begun when the limit had passed
    ],
)
def test_the_day_on_which_a_procedure_begins_is_counted_the_one_it_ends_on_not(
    begin: str, end: str, due: str
) -> None:
    made = accepted("2026-08-03", 5)
    pause = made.add(Step.PAUSE, f"2026-08-{begin}", facts={"kind": "inspection"})
    made.add(Step.RESUME, f"2026-08-{end}", facts={"pause": pause})

    found = made.clocks.promise_due

    assert found is not None and found.on == day(f"2026-08-{due}")


def test_an_extension_adds_its_days_to_those_that_are_used_up() -> None:
    made = accepted("2026-08-03", 5)
    pause = made.add(Step.PAUSE, "2026-08-10", facts={"kind": "inspection"})
    made.add(Step.RESUME, "2026-08-15", facts={"pause": pause})
    facts = {"workdays": "10", "approver": "王局长"}
    made.add(Step.EXTEND, "2026-08-15", DISTRICT, None, facts)

    found = made.clocks.promise_due

    # Five days were used by Monday the 10th: 17 to 21 and 24 to 28 are the other ten.
    assert found is not None and found.on == day("2026-08-28")


def test_who_decides_on_the_saturday_a_procedure_ends_is_not_late() -> None:
    made = accepted("2026-08-03", 5)
    made.add(Step.PAUSE, "2026-08-10", facts={"kind": "hearing"})
    while_it_ran = made.lapses("2026-08-14")
    made.add(Step.GRANT, "2026-08-15")

    assert while_it_ran == made.lapses("2026-08-16") == ()


def test_two_procedures_at_once_stop_the_clock_once() -> None:
    made = accepted("2026-08-03")
    one = made.add(Step.PAUSE, "2026-08-10", facts={"kind": "appraisal"})
    two = made.add(Step.PAUSE, "2026-08-12", facts={"kind": "hearing"})
    made.add(Step.RESUME, "2026-08-17", facts={"pause": one})
    made.add(Step.RESUME, "2026-08-18", facts={"pause": two})

    due = made.clocks.promise_due

    assert due is not None and due.on == day(workdays_after("2026-08-03", 26))


def test_a_correction_after_acceptance_stops_the_clock() -> None:
    made = accepted("2026-08-03")
    made.add(Step.FORWARD, "2026-08-05")
    made.add(Step.RETURN, "2026-08-10", DISTRICT)
    made.add(Step.SUBMIT, "2026-08-12", VILLAGE)

    found = made.clocks

    assert found.accepted_on == day("2026-08-03")
    assert found.promise_due is not None
    assert found.promise_due.on == day(workdays_after("2026-08-03", 22))


def test_a_procedure_begun_when_the_limit_had_passed_excuses_nobody() -> None:
    made = accepted("2026-08-03", 5)
    made.add(Step.PAUSE, "2026-08-20", facts={"kind": "hearing"})

    found = made.clocks

    assert light(found, day("2026-08-21")) == RED


def test_one_extension_makes_both_limits_longer() -> None:
    made = accepted("2026-08-03")
    facts = {"workdays": "10", "approver": "王局长"}
    made.add(Step.EXTEND, "2026-08-10", DISTRICT, None, facts)

    found = made.clocks

    assert found.promise_due is not None and found.legal_due is not None
    assert found.promise_due.on == day(workdays_after("2026-08-03", 30))
    assert found.legal_due.on == day(workdays_after("2026-08-03", 70))


def test_the_green_channel_shortens_what_was_promised_from_that_day_on() -> None:
    urgent = Urgent("临近开学", Tier.DISTRICT, 3)
    made = History(msgspec.structs.replace(PLAIN, urgent=urgent))
    made.add(Step.SUBMIT, "2026-08-03", VILLAGE)
    made.add(Step.ACCEPT, "2026-08-03")
    made.add(Step.HURRY, "2026-08-10", facts={"approver": "李主任"})

    found = made.clocks

    assert found.promise_due is not None and found.legal_due is not None
    assert found.promise_due.on == day("2026-08-13")
    assert found.legal_due.on == day(workdays_after("2026-08-03", 60))


@pytest.mark.parametrize(
    ("workdays", "amber"),
    [
        (20, 16),  # four fifths are used
        (7, 6),  # 5.6: the last day but one
        (3, 2),
        (1, 0),  # the day before: nobody has longer
    ],
)
def test_a_case_is_amber_when_a_fifth_is_left_and_red_when_it_is_late(
    workdays: int, amber: int
) -> None:
    found = accepted("2026-08-03", workdays).clocks
    due, warn_on = day(workdays_after("2026-08-03", workdays)), found.warn_on

    assert found.red_on == due + timedelta(days=1)
    if amber:
        assert warn_on == day(workdays_after("2026-08-03", amber))
    assert warn_on is not None
    assert light(found, due) == AMBER
    assert light(found, warn_on - timedelta(days=1)) == ""
    assert light(found, due + timedelta(days=1)) == RED


def test_a_decision_undelivered_is_amber_on_the_eighth_day_and_red_after_ten() -> None:
    made = accepted("2026-08-03")
    made.add(Step.GRANT, "2026-08-10", DISTRICT)
    found = made.clocks

    eighth = day(workdays_after("2026-08-10", 8))
    tenth, eleventh = (day(workdays_after("2026-08-10", n)) for n in (10, 11))

    assert found.deliver_by is not None and found.deliver_by.on == tenth
    assert [
        light(found, one)
        for one in (eighth - timedelta(days=1), eighth, tenth, eleventh)
    ] == ["", AMBER, AMBER, RED]
    made.add(Step.DELIVER, "2026-08-11", VILLAGE)
    assert light(made.clocks, eleventh) == ""


def test_days_left_and_days_late_are_working_days() -> None:
    found = accepted("2026-08-03", 5).clocks  # due Monday, August 10th

    left = [
        workdays_left(found, day(f"2026-08-{on}"), KNOWN)
        for on in ("03", "07", "08", "10", "11", "13")
    ]

    assert left == [5, 1, 1, 0, -1, -3]


def test_a_desk_answers_for_its_own_days_only() -> None:
    steps = (
        Stage("初审", Tier.TOWN, 5),
        Stage("审批", Tier.DISTRICT, 5),
    )
    made = History(msgspec.structs.replace(PLAIN, steps=steps))
    made.add(Step.SUBMIT, "2026-08-03", VILLAGE)
    made.add(Step.ACCEPT, "2026-08-03")
    before = made.clocks
    made.add(Step.FORWARD, "2026-08-14")

    town, district = made.clocks.step_dues

    assert before.next_day is not None and before.next_day.kind == "step/初审"
    assert town.due.on == day("2026-08-10") and town.done_on == day("2026-08-14")
    assert district.due.on == day("2026-08-21") and district.done_on is None
    assert made.clocks.next_day is not None
    assert made.clocks.next_day.kind == "step/审批"


def test_in_a_package_each_department_has_a_clock_of_its_own() -> None:
    made = History(item_of("kindergarten_opening"))  # accepted 1 day, branches 8 each
    made.add(Step.SUBMIT, "2026-08-03", TOWN)
    made.add(Step.ACCEPT, "2026-08-03", DISTRICT)
    facts = {"branch": "330123006000", "result": "agree"}
    made.add(Step.ADVISE, "2026-08-17", DISTRICT, None, facts)
    ninth = day(workdays_after("2026-08-03", 9))

    (lapse,) = [one for one in made.lapses("2026-08-15") if "卫生" in one.key]

    measured = {one.name: one for one in made.clocks.step_dues if one.is_measured}
    assert set(measured) == {"教育审查", "卫生保健评价", "食堂审查", "发证"}
    assert measured["食堂审查"].due.on == lapse.due_on == ninth == day("2026-08-14")
    assert measured["食堂审查"].done_on is None
    assert lapse.ended_on == day("2026-08-17")
    assert lapse.holder.department == "卫生健康局"


# -- clocks that are wrong ------------------------------------------------------------


def test_a_clock_set_back_is_never_before_what_its_author_had_seen() -> None:
    made = History(PLAIN)
    made.add(Step.SUBMIT, "2026-08-03", VILLAGE)
    back = made.add(Step.ACCEPT, "2024-08-03")
    first = min(made.events)

    found = made.clocks

    assert found.accepted_on == day("2026-08-03")
    # Which of the two clocks is wrong nobody can tell: both are asked about.
    assert found.doubtful == (first, back)


def test_a_clock_two_years_ahead_is_doubtful_and_can_be_put_right() -> None:
    made = History(PLAIN)
    ahead = made.add(Step.SUBMIT, "2028-08-03", VILLAGE)
    accept = made.add(Step.ACCEPT, "2026-08-04")
    doubtful = made.clocks.doubtful
    made.add(Step.REDATE, "2026-08-05", facts={"event": ahead, "on": "2026-08-03"})

    found = made.clocks

    assert doubtful == (ahead, accept)
    assert found.received_on == day("2026-08-03")
    assert found.accepted_on == day("2026-08-04")
    assert found.doubtful == ()


@pytest.mark.parametrize("at_ms", [0, 2**52 - 1])
def test_an_absurd_clock_is_brought_within_bounds(at_ms: int) -> None:
    made = History(PLAIN)
    key = made.add(Step.SUBMIT, "2026-08-03", VILLAGE)
    made.events[key] = msgspec.structs.replace(made.events[key], at=at_ms)

    found = made.clocks

    assert found.received_on == civil_day(at_ms) and found.doubtful == (key,)


@pytest.mark.parametrize("said", ["0001-01-01", "9999-12-31"])
def test_an_absurd_day_that_a_person_has_said_is_brought_within_bounds(
    said: str,
) -> None:
    made = History(PLAIN)
    key = made.add(Step.SUBMIT, "2026-08-03", VILLAGE)
    made.add(Step.REDATE, "2026-08-04", facts={"event": key, "on": said})

    received_on = made.clocks.received_on

    assert received_on in (FIRST_DAY, LAST_DAY)


RIGHT = {VILLAGE: "2026-11-23", TOWN: "2026-11-24", DISTRICT: "2026-11-25"}


def granted(clocks_say: dict[str, str]) -> History:
    """Return a case that village, town and district did by these clocks."""
    made, on = History(PLAIN), RIGHT | clocks_say
    made.add(Step.SUBMIT, on[VILLAGE], VILLAGE)
    made.add(Step.ACCEPT, on[TOWN], TOWN)
    made.add(Step.FORWARD, on[TOWN], TOWN)
    made.add(Step.GRANT, on[DISTRICT], DISTRICT)
    made.add(Step.DELIVER, "2026-11-26", VILLAGE if VILLAGE not in clocks_say else TOWN)
    return made


@pytest.mark.parametrize("off", ["2028-11-24", "2024-11-24"])
@pytest.mark.parametrize("whose", [VILLAGE, TOWN, DISTRICT])
def test_of_three_clocks_the_one_that_two_contradict_moves_no_day(
    whose: str, off: str
) -> None:
    made = granted({whose: off})

    found = made.clocks

    first, last = day("2026-11-23"), day("2026-11-26")
    assert found.received_on and first <= found.received_on <= last
    assert found.accepted_on and first <= found.accepted_on <= last
    assert found.decided_on and first <= found.decided_on <= last
    assert {key.partition("-")[0] for key in found.doubtful} == {whose}
    assert made.lapses("2026-12-01") == ()


@pytest.mark.parametrize(
    ("whose", "is_there"),
    [
        (TOWN, True),  # its own delay, by its own word
        (DISTRICT, False),  # another has looked at it
    ],
)
def test_nobody_takes_his_own_lapse_away_by_putting_a_day_right(
    whose: str, *, is_there: bool
) -> None:
    made = History(PLAIN)
    handed_in = made.add(Step.SUBMIT, "2026-08-03", VILLAGE)
    made.add(Step.ACCEPT, "2026-08-20")
    before = made.lapses("2026-08-21")
    facts = {"event": handed_in, "on": "2026-08-19"}
    made.add(Step.REDATE, "2026-08-21", by=whose, facts=facts)

    after = made.lapses("2026-08-22")

    assert [one.key for one in before] == ["accept"]
    assert [(one.key, one.is_doubtful) for one in after] == [
        ("accept", True)
    ] * is_there
    assert made.clocks.received_on == day("2026-08-19")


def test_a_long_silence_is_asked_about_and_excuses_nobody() -> None:
    made = granted({DISTRICT: "2028-02-01"})
    late = granted({DISTRICT: "2028-02-01"})
    del late.events[max(late.events, key=lambda one: late.events[one].clock)]
    grant = next(k for k, e in late.events.items() if e.step == Step.GRANT)

    lapses_now = late.lapses("2028-02-02")
    late.add(Step.REDATE, "2028-02-03", facts={"event": grant, "on": "2028-02-01"})
    confirmed = late.lapses("2028-02-04")

    assert [one.key for one in lapses_now] == ["promise", "legal"]
    assert all(one.is_doubtful for one in lapses_now)
    assert [one.key for one in confirmed] == ["promise", "legal"]
    assert not any(one.is_doubtful for one in confirmed)
    # Whoever delivered by an honest clock shows that the other's was off.
    assert made.lapses("2026-12-01") == ()


def test_a_calendar_that_knows_nothing_gives_days_all_the_same() -> None:
    made = History(PLAIN, Calendar())
    made.add(Step.SUBMIT, "2026-08-03", VILLAGE)
    made.add(Step.ACCEPT, "2026-08-03")

    due = made.clocks.promise_due

    assert due is not None and due.is_provisional


# -- what has passed ------------------------------------------------------------------


def test_a_limit_that_passes_makes_one_lapse_that_names_its_holder() -> None:
    made = accepted("2026-08-03", 5)
    made.add(Step.FORWARD, "2026-08-04")
    made.add(Step.ADVISE, "2026-08-05", DISTRICT, None, {"branch": "x", "result": ""})
    due = workdays_after("2026-08-03", 5)

    assert made.lapses(due) == ()
    (lapse,) = made.lapses(day_after(due))
    assert (lapse.key, lapse.due_on, lapse.ended_on) == ("promise", day(due), None)
    assert lapse.holder.tier is Tier.DISTRICT
    assert lapse.holder.author == DISTRICT
    assert lapse.holder.department == made.item.department


def test_a_lapse_can_be_answered_for_and_stays() -> None:
    made = accepted("2026-08-03", 5)
    made.add(Step.EXPLAIN, "2026-08-12", facts={"lapse": "promise"})
    made.add(Step.GRANT, "2026-08-13")

    (lapse,) = made.lapses("2026-08-14")

    assert lapse.ended_on == day("2026-08-13")
    assert [one.event.note for one in lapse.answered] == ["n"]
    assert lapse.holder.author == TOWN


def test_what_was_done_in_time_is_no_lapse_however_late_it_is_looked_at() -> None:
    made = accepted("2026-08-03", 5)
    made.add(Step.GRANT, "2026-08-10")
    made.add(Step.DELIVER, "2026-08-24", VILLAGE)

    assert made.lapses("2030-01-01") == ()


def test_nobody_lapses_while_a_procedure_runs() -> None:
    made = accepted("2026-08-03", 5)
    made.add(Step.PAUSE, "2026-08-10", facts={"kind": "hearing"})

    assert made.lapses("2026-12-01") == ()


def test_silence_makes_two_lapses_in_the_end() -> None:
    made = History(msgspec.structs.replace(PLAIN, promise_workdays=10))
    made.add(Step.SUBMIT, "2026-08-03", VILLAGE)

    keys = [one.key for one in made.lapses("2026-09-01")]

    assert keys == ["accept", "promise"]


@pytest.mark.parametrize(
    ("own", "holder"),
    [
        ("", "审批二科"),
        (PLAIN.department, "审批二科"),  # named, and the same as the item's
        ("公安局", "公安局"),  # another's part of it, whoever has the case
    ],
)
def test_a_step_is_late_at_the_department_to_which_the_case_was_handed(
    own: str, holder: str
) -> None:
    steps = (Stage("审核", Tier.DISTRICT, 5, own),)
    made = History(msgspec.structs.replace(PLAIN, steps=steps))
    made.add(Step.SUBMIT, "2026-08-03", VILLAGE)
    made.add(Step.ACCEPT, "2026-08-03")
    made.add(Step.FORWARD, "2026-08-04")
    made.add(Step.TRANSFER, "2026-08-05", DISTRICT, None, {"department": "审批二科"})

    (lapse,) = made.lapses("2026-08-14")

    assert lapse.key == "step/审核"
    assert lapse.holder.department == holder


def test_who_delivers_late_is_whoever_was_to_deliver() -> None:
    made = History(PLAIN)
    facts = {"delivery": "agent"}
    made.add(Step.SUBMIT, "2026-08-03", VILLAGE, None, facts)
    made.add(Step.ACCEPT, "2026-08-03")
    made.add(Step.GRANT, "2026-08-04")

    (lapse,) = made.lapses("2026-09-01")

    assert lapse.key == "deliver"
    assert (lapse.holder.tier, lapse.holder.author) == (Tier.VILLAGE, VILLAGE)
