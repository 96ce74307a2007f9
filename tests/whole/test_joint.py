"""Taking in for another place from the command line."""

import json

from tests.whole.places import ELDER, GOOD, Places, sync


def test_a_case_is_taken_in_for_another_place(places: Places) -> None:
    village, town = places.village, places.town
    answers = json.dumps(GOOD)
    new = ("case", "new", ELDER, "--fields", "-", "--for")

    made = village.run(*new, "330881105299", stdin=answers)
    unknown = village.run(*new, "月亮村", stdin=answers)
    sync(village)
    case = made.stdout.strip()
    accepted = town.run("case", "accept", case)
    sync(village)
    shown = village.read("case", "show", case)
    words = village.run("case", "show", case).stdout
    listed = town.run("case", "list").stdout

    assert unknown.returncode == 1
    assert "没有 月亮村 这个办理地" in unknown.stderr
    assert accepted.returncode == 0
    assert shown["scope"] == "330881105201+330881105299"
    assert (shown["division"], shown["taken_in_at"]) == ("330881105299", "330881105201")
    assert shown["state"] == "accepted"
    assert shown["sync"] == {"town": True, "district": False}
    assert shown["arrived_at"]["town"] and not shown["arrived_at"]["district"]
    assert "镇 已到 " in words and "区 未到" in words
    for text in (words, listed):
        assert "330881105299（收件 三江口村）" in text
    assert village.read("case", "list", "--state", "draft")["cases"] == []
