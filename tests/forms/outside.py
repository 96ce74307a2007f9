"""The cases of other projects, where they are: they are no part of this one.

They lie in the folder LIANBAN_CONFORMANCE, or in `../shared/conformance` beside the
repository; their README says what each field means.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

_BESIDE = Path(__file__).parents[3] / "shared" / "conformance"
_FOLDER = Path(os.environ.get("LIANBAN_CONFORMANCE") or _BESIDE)


def outside(name: str) -> Path:
    """Return a file or folder of theirs; without it the test is skipped."""
    path = _FOLDER / name
    if not path.exists():
        pytest.skip("the cases of other projects are not here (LIANBAN_CONFORMANCE)")
    return path


def outside_cases(name: str) -> list[dict[str, Any]]:
    """Return the cases of one of their files on which the projects agree."""
    cases = json.loads(outside(name).read_text(encoding="utf-8"))["cases"]
    return [case for case in cases if not case.get("disputed")]
