"""Three places that disagree, as their clerks would see it: what happened, what counts.

Real homes and services, the public command line, and a clock for each place.
"""

import datetime as dt
import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import pytest

from forms import package as packages
from forms.package import Package
from node import upkeep, wiring
from node.days import CHINA
from node.store.registry import PackageRow
from tests.shipping import all_shipped_packages, shipped_packages
from tests.whole.clocked import ClockedPlace
from tests.whole.places import (
    DIVISIONS,
    ELDER,
    GOOD,
    Place,
    Places,
    digests,
    join,
    three_places,
)

UTILITIES = "水电气联动过户"  # three departments of the district, side by side
BRANCHES = {"water": "供水过户", "power": "供电过户", "gas": "燃气过户"}
UTILITY_ANSWERS = {
    "name": "欧阳建国",
    "citizen_id": "11010519491231002X",
    "phone": "13800138000",
    "certificate_number": "浙（2026）江山市不动产权第0001234号",
    "house_division": "330881105000",
    "address": "朱林镇中山路8号",
    "former_name": "李四光",
    "kinds": "water power gas",
    "water_number": "10001",
    "power_number": "2000200020",
    "gas_number": "30003",
    "arrears": "no",
    "residents": "3",
    "pay_by": "counter",
    "handling": "self",
}
BEGUN = "2026-11-20 08:00"  # a Friday


def ms_of(when: str) -> int:
    """Return a time in China as clocks have it."""
    return int(dt.datetime.fromisoformat(when).replace(tzinfo=CHINA).timestamp() * 1000)


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    """Three places whose clocks are set by `at`; town and district are served."""
    for tier in DIVISIONS:
        at(BEGUN, ClockedPlace(tmp_path / tier))
    begun = count(ms_of(BEGUN))
    with (
        mock.patch.object(wiring, "system_ms", side_effect=begun),
        three_places(tmp_path, ClockedPlace) as made,
    ):
        yield made


def at(when: str, *which: Place) -> None:
    """Set the clocks of some places."""
    for place in which:
        assert isinstance(place, ClockedPlace)
        place.clock.write_text(str(ms_of(when)))


def do(place: Place, *words: str) -> str:
    """Run a command that must go well; return what it printed."""
    done = place.run(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def take_in(place: Place, **answers: str) -> str:
    """Take a case in and return its id."""
    text = json.dumps(GOOD | answers)
    made = place.run("case", "new", ELDER, "--fields", "-", stdin=text)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def sync_all(places: Places) -> None:
    for place in (places.village, places.town, places.village):
        do(place, "sync")


def seen(place: Place, case: str) -> dict[str, Any]:
    """Return what every place must say alike of a case."""
    shown = place.read("case", "show", case)
    kept = ("state", "outcome", "mark", "settler", "had_conflict", "records")
    kept += ("clocks", "lapses")
    return {name: shown[name] for name in kept} | {
        "story": [
            (one["id"], one["step"], one["stands"], one["settled_by"])
            for one in shown["events"]
        ]
    }


def assert_all_alike(places: Places, case: str) -> dict[str, Any]:
    """Say that all three places tell the same, and that nothing is broken."""
    told = [seen(place, case) for place in places.every()]
    assert told[0] == told[1] == told[2]
    for place in places.every():
        do(place, "verify")
    return told[0]


# -- a withdrawal here, a grant there -------------------------------------------------


def test_a_withdrawal_and_a_grant_wait_for_the_district_and_both_stay_told(
    places: Places,
) -> None:
    village, town, district = places.village, places.town, places.district
    at("2026-11-23 09:00", *places.every())
    case = take_in(village)
    sync_all(places)
    do(town, "case", "accept", case)
    do(town, "case", "forward", case)
    sync_all(places)

    do(village, "case", "withdraw", case, "--reason", "申请人不办了")
    do(district, "case", "grant", case, "--reason", "符合条件")
    sync_all(places)

    disputed = assert_all_alike(places, case)
    assert (disputed["mark"], disputed["settler"]) == ("disputed", "district")
    assert district.read("case", "conflicts")["count"] == 1
    for place in (village, town):
        assert place.read("case", "conflicts")["count"] == 0
        refused = place.run(
            "case", "settle", case, "1", "--choose", "1", "--reason", "x"
        )
        assert refused.returncode == 5 and "由区里核对" in refused.stderr
    for place in places.every():
        # Nobody is told a decision that may not stand.
        told = do(place, "case", "progress", case)
        assert "对不上，等区里核对后才定" in told and "江山市（核对）" in told
        assert "最迟" not in told
        words = do(place, "case", "show", case)
        assert "两步对不上" in words and "等区里核对" in words
        assert "（能不能生效，等核对）" in words

    (matter,) = district.read("case", "conflicts", case)["cases"][0]["matters"]
    grant = next(c["choose"] for c in matter["choices"] if c["step"] == "grant")
    do(
        *(district, "case", "settle", case, "1", "--choose", str(grant)),
        *("--reason", "电话问过，申请人要办"),
    )
    sync_all(places)

    settled = assert_all_alike(places, case)
    assert (settled["state"], settled["mark"]) == ("granted", "")
    assert settled["had_conflict"]
    for place in places.every():
        words = do(place, "case", "show", case)
        assert "申请人不办了" in words and "符合条件" in words
        assert "（没有生效）" in words and "以“准予”为准" in words
        assert "最迟送达" in do(place, "case", "progress", case)


# -- two departments, two clocks ------------------------------------------------------


def joined_department(places: Places, name: str) -> Place:
    """Return one more node of the district, of a department."""
    made = ClockedPlace(places.district.path.with_name(name))
    at(BEGUN, made)
    department = BRANCHES[name].replace("过户", "公司")
    join(made, places.district, "district", department)
    do(made, "sync")
    return made


def test_departments_with_other_clocks_and_another_order_come_to_one_decision(
    places: Places,
) -> None:
    village, town, district = places.village, places.town, places.district
    with district.open() as node:
        wanted = [p for p in all_shipped_packages() if p.item.name == UTILITIES]
        upkeep.publish(node, wanted)
    water, power, gas = (joined_department(places, name) for name in BRANCHES)
    sync_all(places)
    at("2026-11-23 09:00", *places.every(), gas)
    at("2026-11-28 09:00", water)  # five days ahead
    at("2026-11-21 09:00", power)  # two days behind
    answers = json.dumps(UTILITY_ANSWERS)
    made = town.run("case", "new", UTILITIES, "--fields", "-", stdin=answers)
    assert made.returncode == 0, made.stderr
    case = made.stdout.strip()
    do(town, "case", "accept", case)
    do(town, "case", "forward", case)
    do(town, "sync")
    for place in (water, power, gas):
        do(place, "sync")

    for place, branch in ((water, "water"), (power, "power"), (gas, "gas")):
        do(
            *(place, "case", "advise", case, "--reason", "无欠费"),
            *("--fact", f"branch={BRANCHES[branch]}", "--fact", "result=agree"),
        )
    for place in (gas, water, power, gas, water):  # each hears in another order
        do(place, "sync")
    do(district, "case", "grant", case, "--reason", "各部门都同意")
    for place in (water, power, gas, town):
        do(place, "sync")

    everywhere = (district, town, water, power, gas)
    of_district = digests(district)  # before anybody looks: views are written down
    for place in everywhere[1:]:
        mine = digests(place)
        assert all(of_district[scope] == mine[scope] for scope in mine)
    told = [seen(place, case) for place in everywhere]
    assert all(one == told[0] for one in told)
    assert (told[0]["state"], told[0]["mark"]) == ("granted", "")
    assert [one["result"] for one in told[0]["records"]["branches"]] == ["agree"] * 3
    at("2026-11-30 09:00", *everywhere)
    reports = [place.read("report", "cases") for place in everywhere]
    for one in reports:
        del one["place"], one["sync_point"]
    assert all(one == reports[0] for one in reports)
    assert village.read("status")["clock_ahead_s"] == 0


# -- an acceptance that comes late, and one that was late -----------------------------


def test_an_acceptance_in_time_counts_whenever_it_arrives_and_a_late_one_does_not(
    places: Places,
) -> None:
    town, district = places.town, places.district
    do(district, "calendar", "publish")
    at("2026-11-23 09:00", *places.every())
    in_time, late = take_in(places.village), take_in(places.village, name="李四光")
    sync_all(places)

    at("2026-11-26 09:00", town)  # the third working day; the line is down
    do(town, "case", "accept", in_time)
    at("2026-12-03 09:00", *places.every())  # the eighth
    before = {case: seen(district, case) for case in (in_time, late)}
    listed = do(district, "case", "lapses")
    progress = do(district, "case", "progress", in_time)
    do(town, "case", "accept", late)
    at("2026-12-04 09:00", *places.every())
    sync_all(places)

    for case in (in_time, late):
        assert before[case]["clocks"]["deemed_accepted"]
        assert [one["key"] for one in before[case]["lapses"]] == ["accept"]
    # The district knows that it has not heard: it accuses nobody of silence.
    assert listed.count("没有听到办了（那里的消息只到 11-23）") == 2
    assert "视为已受理" in progress and "最迟办结 2027-01-05" in progress

    told = assert_all_alike(places, in_time)
    assert told["clocks"]["accepted_on"] == "2026-11-26"
    assert not told["clocks"]["deemed_accepted"]
    assert "accept" not in [one["key"] for one in told["lapses"]]
    words = do(district, "case", "show", in_time)
    assert "11-26 的答复 12-04 才传到这里" in words
    assert "才传到这里" not in do(town, "case", "show", in_time)

    told = assert_all_alike(places, late)
    assert told["clocks"]["accepted_on"] == "2026-11-23"
    assert told["clocks"]["deemed_accepted"]
    (lapse,) = told["lapses"]
    assert (lapse["key"], lapse["tier"]) == ("accept", "town")
    assert (lapse["due_on"], lapse["ended_on"]) == ("2026-11-30", "2026-12-03")
    assert "视为 11-23 受理" in do(places.village, "case", "show", late)


# -- a clock two years off ------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "words"),
    [("2028-11-23 09:00", "快 731天"), ("2024-11-23 09:00", "慢 730天")],
)
def test_a_clock_two_years_off_is_told_and_makes_nobody_late(
    places: Places, wrong: str, words: str
) -> None:
    village, town, district = places.village, places.town, places.district
    do(district, "calendar", "publish")
    at("2026-11-23 09:00", town, district)
    at(wrong, village)

    case = take_in(village)
    said = do(village, "sync")
    do(town, "sync")

    assert f"本机的时钟比朱林镇{words}" in said
    assert words in do(village, "status") and "时钟比本机" in do(town, "status")
    assert "不可信：请核对各站点的时钟" in do(town, "case", "show", case)
    assert all(one["doubtful"] for one in town.read("case", "lapses")["lapses"])

    at("2026-11-24 09:00", town, district)
    do(town, "case", "accept", case)
    do(town, "case", "forward", case)
    do(town, "sync")
    do(district, "case", "grant", case, "--reason", "符合条件")
    sync_all(places)

    told = seen(district, case)
    assert told == seen(town, case)
    assert told["state"] == "granted" and told["lapses"] == []
    # By its own clock the village may think that something is late; it is told so.
    assert all(one["doubtful"] for one in village.read("case", "lapses")["lapses"])
    days = told["clocks"]
    assert days["received_on"] == days["accepted_on"] == "2026-11-24"
    assert days["deliver_by"]["on"] == "2026-12-08"
    (doubtful,) = days["doubtful"]
    assert doubtful == told["story"][0][0]

    do(
        *(district, "case", "redate", case, "--reason", "村里的时钟不准"),
        *("--fact", f"event={doubtful}", "--fact", "on=2026-11-23"),
    )
    at("2026-11-24 09:00", village)
    said = do(village, "sync")
    do(town, "sync")
    do(village, "sync")

    assert "时钟" not in said and village.read("status")["clock_ahead_s"] == 0
    told = assert_all_alike(places, case)
    assert told["clocks"]["received_on"] == "2026-11-23"
    assert (told["clocks"]["doubtful"], told["lapses"]) == ([], [])


# -- a right that ended yesterday -----------------------------------------------------


def test_what_a_revoked_town_did_after_its_end_counts_nowhere_and_it_is_told(
    places: Places, tmp_path: Path
) -> None:
    village, town, district = places.village, places.town, places.district
    at("2026-11-23 09:00", *places.every())
    case = take_in(village)
    sync_all(places)
    do(town, "case", "accept", case)
    do(town, "sync")

    at("2026-11-24 09:00", *places.every())
    (node,) = [
        one["node"]
        for one in district.read("node", "list")["nodes"]
        if one["tier"] == "town"
    ]
    do(district, "node", "revoke", node, "--reason", "电脑丢失", "--yes")
    at("2026-11-25 09:00", *places.every())
    do(town, "case", "forward", case)  # it does not know yet
    do(village, "sync")  # and tells the village
    refused = town.run("sync")

    assert refused.returncode == 5 and "本站点已被停用" in refused.stderr
    assert "本站点已被停用" in do(town, "status")
    again = town.run("case", "terminate", case, "--reason", "x")
    assert again.returncode == 5 and "这一步没有办" in again.stderr
    assert village.read("case", "show", case)["state"] == "forwarded"

    stick = tmp_path / "usb"
    stick.mkdir()
    do(district, "carry", "out", str(stick), "--to", "三江口村")
    do(village, "carry", "in", str(stick))

    # What came before the end stands, what came after it does not.
    for place in (village, district):
        assert place.read("case", "show", case)["state"] == "accepted"
        do(place, "verify")
    words = do(village, "case", "show", case)
    assert "朱林镇的一步没有算数：该站点当时已被停用" in words
    assert "搁置  该站点当时已被停用" in do(village, "status")


# -- a version that nobody has --------------------------------------------------------


def test_a_case_of_a_version_that_nobody_has_waits_and_is_taken_up_when_it_comes(
    places: Places,
) -> None:
    village, town, district = places.village, places.town, places.district
    package = next(p for p in shipped_packages() if p.item.name == ELDER)
    newer = renewed(package)
    with village.open() as node, node.store.transaction():
        body = packages.encode(newer)
        node.store.registry.put_package(
            PackageRow(
                upkeep.seal.sha256(body).hex(),
                newer.item.code,
                newer.item.name,
                newer.version,
                body,
            ),
            2**31,
        )
    at("2026-11-23 09:00", *places.every())

    case = take_in(village)
    sync_all(places)

    assert village.read("case", "show", case)["state"] == "submitted"
    for place in (town, district):
        status = place.read("status")
        (waits,) = status["pending"]
        assert (waits["waits_for"], waits["case"]) == ("package", case)
        assert (status["waiting"], status["quarantined"]) == (1, 0)
        assert "等候  等事项表单" in do(place, "status")
        do(place, "verify")
        missing = place.run("case", "show", case)
        assert missing.returncode == 1
        assert "已经到了本机，还看不了：等事项表单" in missing.stderr

    with district.open() as node:
        upkeep.publish(node, [newer])
    do(town, "sync")

    for place in (town, district):
        assert place.read("case", "show", case)["state"] == "submitted"
        assert place.read("status")["waiting"] == 0
        do(place, "verify")
    told = [seen(place, case) for place in places.every()]
    assert told[0] == told[1] == told[2]


def renewed(package: Package) -> Package:
    """Return a later version of a package."""
    return msgspec.structs.replace(package, version="2026112301")
