"""Two clerks edit one phone number on two machines with no line between them."""

import json
from typing import Any

from tests.whole.places import ELDER, GOOD, Place, Places

MINE, OTHER = "13511111111", "13622222222"


def amend(place: Place, case: str, **answers: str) -> None:
    done = place.run("case", "submit", case, "--fields", "-", stdin=json.dumps(answers))
    assert done.returncode == 0, done.stderr


def sync_all(places: Places) -> None:
    for place in (places.village, places.town, places.village):
        assert place.run("sync").returncode == 0


def seen(place: Place, case: str) -> dict[str, Any]:
    shown = place.read("case", "show", case)
    kept = ("state", "fields", "mark", "settler", "had_conflict", "conflicts")
    return {name: shown[name] for name in kept} | {
        "story": [(one["id"], one["step"], one["stands"]) for one in shown["events"]]
    }


def test_the_conflict_is_shown_and_settled_and_everybody_says_the_same(
    places: Places,
) -> None:
    village, town, district = places.village, places.town, places.district
    made = village.run("case", "new", ELDER, "--fields", "-", stdin=json.dumps(GOOD))
    case = made.stdout.strip()
    sync_all(places)

    amend(village, case, phone=MINE, contact_name="欧阳明明")
    amend(town, case, phone=OTHER, home_address="三江口村2组1号")
    sync_all(places)

    listed = town.read("case", "conflicts")
    assert listed["count"] == town.read("status")["to_settle"] == 1
    (matter,) = listed["cases"][0]["matters"]
    assert (matter["kind"], matter["key"]) == ("conflict", "phone")
    told = {one["value"]: one["authors"][0] for one in matter["choices"]}
    assert set(told) == {MINE, OTHER}
    assert (told[MINE]["tier"], told[MINE]["name"]) == ("village", "三江口村")
    assert (told[OTHER]["tier"], told[OTHER]["by"]) == ("town", "admin")
    words = town.run("case", "conflicts").stdout
    for part in ("联系电话：两处填得不同", "135 1111 1111", "三江口村（村） admin"):
        assert part in words
    # Two different fields are no conflict: both edits stand.
    both = {"contact_name": "欧阳明明", "home_address": "三江口村2组1号"}
    for place in places.every():
        assert both.items() <= seen(place, case)["fields"].items()
        assert seen(place, case) == seen(town, case)
    assert village.read("case", "conflicts")["count"] == 0
    assert village.read("case", "conflicts", case)["count"] == 1

    choice = next(c["choose"] for c in matter["choices"] if c["value"] == MINE)
    reason = ("--reason", "电话向申请人核实")
    done = town.run("case", "settle", case, "phone", "--choose", str(choice), *reason)
    assert done.returncode == 0, done.stderr
    sync_all(places)

    for place in places.every():
        here = seen(place, case)
        assert here == seen(town, case)
        assert here["fields"]["phone"] == MINE
        assert (here["mark"], here["had_conflict"]) == ("", True)
        assert here["story"][-1][1:] == ("settle", True)
        assert place.run("verify").returncode == 0
    assert "曾有不同，已经核对" in district.run("case", "show", case).stdout


def test_every_wrong_way_to_settle_has_a_sentence_and_a_code(places: Places) -> None:
    village, town = places.village, places.town
    made = village.run("case", "new", ELDER, "--fields", "-", stdin=json.dumps(GOOD))
    case = made.stdout.strip()
    sync_all(places)
    amend(village, case, phone=MINE)
    amend(town, case, phone=OTHER)
    sync_all(places)
    settle, reason = ("case", "settle", case), ("--reason", "核实过")

    refused = {
        "another tier": (village.run(*settle, "phone", "--choose", "1", *reason), 5),
        "no reason": (town.run(*settle, "phone", "--choose", "1"), 5),
        "neither": (town.run(*settle, "phone", *reason), 2),
        "both": (
            town.run(*settle, "phone", "--choose", "1", "--value", MINE, *reason),
            2,
        ),
        "no such side": (town.run(*settle, "phone", "--choose", "3", *reason), 1),
        "no number": (town.run(*settle, "phone", "--choose", "x", *reason), 2),
        "not open": (town.run(*settle, "name", "--choose", "1", *reason), 1),
        "wrong value": (town.run(*settle, "phone", "--value", "12", *reason), 1),
        "the old way": (
            town.run(
                "case",
                "submit",
                case,
                "--fields",
                "-",
                stdin='{"phone": "13700000000"}',
            ),
            1,
        ),
    }

    for name, (done, code) in refused.items():
        assert done.returncode == code, (name, done.stderr)
        assert done.stderr.strip(), name
        assert "Traceback" not in done.stderr, name
    assert town.read("case", "conflicts")["count"] == 1

    done = town.run(*settle, "1", "--value", "137 0000 0000", *reason)
    assert done.returncode == 0, done.stderr
    assert town.read("case", "show", case)["fields"]["phone"] == "13700000000"
