"""A village's folder is copied and both copies work on: named, kept, and healed."""

import shutil

import pytest

from node.errors import Forked
from tests.whole.places import Place, Places, digests, submit_some, sync

SCOPE = "330881105201"


def test_both_copies_of_a_home_are_named_kept_and_may_go_on(places: Places) -> None:
    village, town, district = places.village, places.town, places.district
    with village.open() as node:
        cases = submit_some(node, 3, seed=1)
    sync(village)
    copy = Place(village.path.with_name("copy"))
    shutil.copytree(village.path, copy.path)
    for seed, place in enumerate((village, copy)):
        with place.open() as node:
            cases += submit_some(node, 2 + seed, seed=10 + seed)

    for place in (village, copy, village, copy, town):
        assert place.run("sync").returncode == 0

    (forked,) = district.read("status")["forked"]
    assert forked["name"] == "三江口村" and not forked["healed"]
    assert sorted(side["cases"] for side in forked["branches"]) == [2, 3]
    assert set(cases) <= _held(district)
    for place in (village, copy):
        with place.open() as node, pytest.raises(Forked):
            submit_some(node, 1, seed=20)

    for epoch, place in enumerate((village, copy), 2):
        code = town.run(
            "invite", "--tier", "village", "--division", SCOPE,
            "--name", "三江口村", "--address", town.address,
        )  # fmt: skip
        done = place.run("rejoin", code.stdout.split()[0])
        assert done.returncode == 0, done.stderr
        assert f"第 {epoch} 期" in done.stderr
    numbers = set()
    for place in (village, copy):
        with place.open() as node:
            cases += submit_some(node, 1, seed=30)
            numbers.add(node.store.cases.find(cases[-1])[0].number)
    for place in (village, copy, town, village, copy):
        sync(place)

    everybody = (village, copy, town, district)
    assert len({digests(place)[SCOPE] for place in everybody}) == 1
    assert len(numbers) == 2
    for place in everybody:
        assert set(cases) <= _held(place)
        assert place.read("verify")["clean"]
    (forked,) = district.read("status")["forked"]
    assert forked["healed"] and forked["epoch_now"] == 3


def _held(place: Place) -> set[str]:
    listed = [one["id"] for one in place.read("case", "list")["cases"]]
    assert len(listed) == len(set(listed))
    return set(listed)
