"""No personal data lies in the clear in any file of a home, stopped or killed."""

import json
from pathlib import Path

from tests.whole.places import ELDER, GOOD, Places, sync

PLANTED = ("龘靐齉", "330881194001011238", "13955512345")


def test_a_planted_name_is_in_no_file_of_any_home(places: Places) -> None:
    from forms.citizen_id import expected_check_character

    name, number, phone = PLANTED
    number = number[:17] + expected_check_character(number[:17])
    answers = GOOD | {"name": name, "citizen_id": number, "phone": phone, "sex": "male"}
    village, town, district = places.village, places.town, places.district
    draft = village.run(
        "case", "new", ELDER, "--fields", "-", "--draft", stdin=json.dumps(answers)
    )
    assert draft.returncode == 0, draft.stderr
    made = village.run("case", "new", ELDER, "--fields", "-", stdin=json.dumps(answers))
    assert made.returncode == 0, made.stderr
    case = made.stdout.strip()
    sync(village)
    town.run("case", "accept", case)
    town.run("case", "forward", case)
    sync(town)
    district.run("case", "show", case)
    village.run("case", "list", "--find", name)
    town.run("case", "return", case, "--reason", name)

    living = [
        _files_with(place.path, (name, number, phone)) for place in places.every()
    ]
    town.end(kill=True)
    district.end(kill=True)
    with village.open():
        dead = [
            _files_with(place.path, (name, number, phone)) for place in places.every()
        ]

    assert living == [[], [], []]
    assert dead == [[], [], []]
    assert village.read("case", "show", case)["applicant"] == name


def _files_with(folder: Path, words: tuple[str, ...]) -> list[str]:
    """Return the files whose name or bytes hold one of the words, in any encoding."""
    needles = {
        word.encode(encoding)
        for word in words
        for encoding in ("utf-8", "utf-16-le", "utf-16-be", "gb18030")
    }
    return [
        str(path)
        for path in folder.rglob("*")
        if path.is_file()
        and (
            any(needle in path.read_bytes() for needle in needles)
            or any(word in path.name for word in words)
        )
    ]
