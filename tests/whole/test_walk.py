"""One case goes up three tiers and its answer comes home, as a newcomer runs it."""

import json
import subprocess
import sys

from node.lifecycle import State
from tests.whole.places import ELDER, GOOD, Places, sync


def test_the_demo_walks_a_case_up_and_its_answer_home() -> None:
    command = [sys.executable, "-m", "tui", "demo", "--walk", "--json", "--cases", "12"]

    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    keys = {"step", "node", "tier", "case", "state", "sync", "bytes", "requests"}
    assert all(keys <= set(step) for step in steps)
    assert steps[0]["sync"] == {"town": False, "district": False}
    assert steps[1]["sync"] == {"town": True, "district": False}
    granted = next(
        s for s in steps if s["tier"] == "village" and s["state"] == "granted"
    )
    assert granted["sync"] == {"town": True, "district": True}
    assert steps[-1]["shown"] == dict.fromkeys(
        ("village", "town", "district"), "delivered"
    )
    assert steps[-1]["sync"] == {"town": True, "district": True}


def test_the_command_line_takes_a_case_from_village_to_decision(places: Places) -> None:
    village, town, district = places.village, places.town, places.district

    made = village.run("case", "new", ELDER, "--fields", "-", stdin=json.dumps(GOOD))
    case = made.stdout.strip()
    before = village.read("case", "show", case)
    assert village.run("sync").returncode == 0
    at_town = village.read("case", "show", case)
    assert town.run("case", "accept", case).returncode == 0
    batch = town.read("case", "forward", case)
    assert town.run("sync").returncode == 0
    assert district.run("case", "grant", case, "--reason", "符合条件").returncode == 0
    assert town.run("sync").returncode == 0
    assert village.run("sync").returncode == 0
    home = village.read("case", "show", case)

    assert before["state"] == State.SUBMITTED
    assert before["sync"] == {"town": False, "district": False}
    assert at_town["sync"] == {"town": True, "district": False}
    assert batch["count"] == 1
    assert home["state"] == State.GRANTED
    assert home["sync"] == {"town": True, "district": True}
    assert [e["step"] for e in home["events"]] == [
        "submit",
        "accept",
        "forward",
        "grant",
    ]
    assert len({e["node"] for e in home["events"]}) == 3


def test_a_returned_case_is_corrected_and_comes_back(places: Places) -> None:
    village, town = places.village, places.town
    made = village.run("case", "new", ELDER, "--fields", "-", stdin=json.dumps(GOOD))
    case = made.stdout.strip()
    sync(village)

    assert town.run("case", "return", case, "--reason", "缺联系电话").returncode == 0
    sync(village)
    returned = village.read("case", "show", case)
    better = json.dumps({"contact_phone": "13700137000"})
    again = village.run("case", "submit", case, "--fields", "-", stdin=better)
    sync(village)
    at_town = town.read("case", "show", case)

    assert returned["state"] == State.RETURNED
    assert returned["events"][-1]["note"] == "缺联系电话"
    assert again.returncode == 0
    assert at_town["state"] == State.SUBMITTED
    assert at_town["fields"]["contact_phone"] == "13700137000"
    assert at_town["events"][-1]["fields"] == ["contact_phone"]


def test_a_town_item_is_decided_at_the_town(places: Places) -> None:
    village, town = places.village, places.town
    items = {i["name"]: i["code"] for i in town.read("catalog", "list")["items"]}
    birth = {
        "wife_name": "王芳",
        "wife_id": "440524199001010029",
        "wife_phone": "13800138000",
        "husband_name": "李强",
        "husband_id": "110105198812310015",
        "marriage_date": "2018-05-20",
        "home_address": "三江口村2组",
        "child_number": "1",
        "living_children": "0",
        "stage": "planned",
    }
    birth = {k: _with_check_digit(k, v) for k, v in birth.items()}
    made = village.run(
        "case", "new", items["生育登记"], "--fields", "-", stdin=json.dumps(birth)
    )
    assert made.returncode == 0, made.stderr
    case = made.stdout.strip()
    sync(village)

    accepted = town.run("case", "accept", case)
    forwarded = town.run("case", "forward", case)
    granted = town.read("case", "grant", case)

    assert accepted.returncode == 0
    assert forwarded.returncode == 5
    assert granted["state"] == State.GRANTED


def _with_check_digit(key: str, value: str) -> str:
    from forms.citizen_id import expected_check_character

    if key.endswith("_id"):
        return value[:17] + expected_check_character(value[:17])
    return value
