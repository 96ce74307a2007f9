"""An application in which everything is wrong shows all of it at once."""

import json
from pathlib import Path

import pytest

from tests.forms.all_wrong import SAID, WRONG, catalogue
from tests.whole.places import Places, sync

pytest.importorskip("pyxform")


def test_all_faults_of_an_application_are_told_at_once_and_it_is_kept(
    places: Places, tmp_path: Path
) -> None:
    folder = catalogue(tmp_path / "catalogue")
    assert places.district.run("catalog", "publish", str(folder)).returncode == 0
    sync(places.town)
    sync(places.village)

    done = places.village.run(
        "case", "new", "1", "--fields", "-", stdin=json.dumps(WRONG)
    )

    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line.startswith("  ")]
    assert len(lines) == len(SAID)
    for line, (label, what) in zip(lines, SAID, strict=True):
        assert label in line and what in line
    (draft,) = places.village.read("case", "list", "--state", "draft")["cases"]
    kept = places.village.read("case", "show", draft["id"])["fields"]
    assert kept == WRONG
