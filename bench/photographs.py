"""`python -m bench.photographs`: photographs over a slow line that is often cut.

30 MB of photographs at a village, 64 kbit/s to its town, and the line is cut whenever
20 seconds' worth of bytes have gone over it. A real `lianban sync` is begun again after
each cut, as a person would. What is told of it goes to stdout and to
bench/photographs.json:

- the cases are at the town long before the photographs;
- the photographs arrive whole: both ends save the same files;
- what a cut costs: all that went up, against what goes up when nothing is cut.

`--faster` makes the line so many times faster; bytes and cuts stay the same. The cuts
come by count of bytes, so how fast the machine is has no say in it.
"""

import argparse
import hashlib
import io
import json
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random

from PIL import Image

from node import peers
from sync.pieces import PIECE_BYTES
from tests.whole.line import Line
from tests.whole.line_model import Quality
from tests.whole.places import ELDER, GOOD, Place, Places, three_places

LINE_BIT_S = 64_000
CUT_AFTER_S = 20
PHOTOGRAPHS_A_CASE = 3
SIZE = (2000, 1500)
MOST_CUTS = 2000
RESULTS = Path(__file__).parent / "photographs.json"


@dataclass(frozen=True, slots=True)
class Result:
    """What was seen. Bytes are TCP's, upward, with TLS and HTTP."""

    cases: int
    photographs: int
    photograph_bytes: int
    line_bit_s: int
    faster: float
    bytes_between_cuts: int
    cuts: int
    bytes_up: int
    bytes_up_without_cuts: int
    bytes_up_until_all_cases_were_there: int
    cuts_until_all_cases_were_there: int
    bytes_twice_a_cut: float
    piece_bytes: int
    is_whole: bool
    took_s: float
    would_take_s: float


def main() -> int:
    """Run it, and say how it went; 1 if what was promised does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=30)
    parser.add_argument("--faster", type=float, default=10)
    wanted = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="lianban-photographs-") as folder,
        three_places(Path(folder)) as places,
    ):
        result = run(places, Path(folder), wanted.megabytes * 1e6, wanted.faster)
    text = json.dumps(asdict(result), indent=1) + "\n"
    RESULTS.write_text(text)
    print(text, end="")
    is_early = result.bytes_up_until_all_cases_were_there < result.bytes_up / 10
    is_cheap = result.bytes_twice_a_cut <= PIECE_BYTES
    return 0 if result.is_whole and is_early and is_cheap else 1


def run(places: Places, folder: Path, wanted_bytes: float, faster: float) -> Result:
    """Fill the village and bring everything to the town over the line."""
    cases = _fill(places.village, folder, wanted_bytes)
    sizes = [size for one in cases for size in _sizes(places.village, one)]
    _say(f"{len(cases)} cases, {len(sizes)} photographs, {sum(sizes) / 1e6:.1f} MB")
    without_cuts = _without_cuts(places, folder / "copy")
    between = LINE_BIT_S * CUT_AFTER_S // 8
    rate = LINE_BIT_S * faster
    quality = Quality(rate, rate, 0.1 / faster, cut_after_up=(between,) * MOST_CUTS)
    all_cases: tuple[int, int] | None = None
    began_s = time.monotonic()
    with Line(places.town.address, quality) as line:
        _lay(places.village, line)
        while True:
            done = places.village.run("sync")
            if all_cases is None and _count(places.town) == len(cases):
                all_cases = line.up, line.cuts
            _say(f"{line.up / 1e6:.1f} MB up, {line.cuts} cuts: {done.returncode}")
            if done.returncode == 0:
                break
            assert done.returncode == 4 and line.cuts < MOST_CUTS, done.stderr
        took_s = time.monotonic() - began_s
        assert all_cases is not None
        return Result(
            cases=len(cases),
            photographs=len(sizes),
            photograph_bytes=sum(sizes),
            line_bit_s=LINE_BIT_S,
            faster=faster,
            bytes_between_cuts=between,
            cuts=line.cuts,
            bytes_up=line.up,
            bytes_up_without_cuts=without_cuts,
            bytes_up_until_all_cases_were_there=all_cases[0],
            cuts_until_all_cases_were_there=all_cases[1],
            bytes_twice_a_cut=round((line.up - without_cuts) / max(1, line.cuts), 1),
            piece_bytes=PIECE_BYTES,
            is_whole=_saved(places.village, cases, folder / "sent")
            == _saved(places.town, cases, folder / "received"),
            took_s=round(took_s, 1),
            would_take_s=round(line.up * 8 / LINE_BIT_S),
        )


def _fill(place: Place, folder: Path, wanted_bytes: float) -> list[str]:
    """Submit cases with photographs by the command line, until there is enough."""
    fields = folder / "fields.json"
    fields.write_text(json.dumps(GOOD))
    draw, total = Random(7), 0
    cases: list[str] = []
    while total < wanted_bytes:
        attach = []
        for number in range(PHOTOGRAPHS_A_CASE):
            file = folder / f"{len(cases)}-{number}.jpg"
            file.write_bytes(_photograph(draw))
            attach += ["--attach", str(file)]
        made = place.read("case", "new", ELDER, "--fields", str(fields), *attach)
        cases.append(made["id"])
        total += sum(_sizes(place, made["id"]))
    return cases


def _photograph(draw: Random) -> bytes:
    """Return a picture of about a megabyte, no two alike, as a telephone saves it."""
    coarse = Image.frombytes("RGB", (500, 375), draw.randbytes(500 * 375 * 3))
    out = io.BytesIO()
    coarse.resize(SIZE).save(out, "JPEG", quality=82, optimize=True)
    return out.getvalue()


def _sizes(place: Place, case: str) -> list[int]:
    return [one["size"] for one in place.read("case", "show", case)["materials"]]


def _count(place: Place) -> int:
    return len(place.read("case", "list")["cases"])


def _lay(place: Place, line: Line) -> None:
    """Let a node call the one above it over this line."""
    with place.open() as node, node.store.transaction():
        above = peers.find_neighbour(node)
        peer = node.store.registry.peer(above.node)
        node.store.registry.set_peer(replace(peer, url=line.address))


def _without_cuts(places: Places, folder: Path) -> int:
    """Return what goes up if nothing is cut, measured with copies of both ends."""
    places.town.end()
    for place in (places.village, places.town):
        shutil.copytree(place.path, folder / place.path.name)
    places.town.serve("--no-sync")
    village, town = Place(folder / "village"), Place(folder / "town")
    town.serve("--no-sync")
    try:
        with Line(town.address) as line:
            _lay(village, line)
            done = village.run("sync")
            assert done.returncode == 0, done.stderr
            return line.up
    finally:
        town.end()


def _saved(place: Place, cases: list[str], folder: Path) -> list[list[str]]:
    """Save the files of all cases, as a clerk does; return their hashes by case."""
    found = []
    for case in cases:
        where = folder / case
        where.mkdir(parents=True)
        place.read("case", "material", "save", case, "all", str(where))
        files = [file.read_bytes() for file in where.iterdir()]
        found.append(sorted(hashlib.sha256(one).hexdigest() for one in files))
    return found


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
