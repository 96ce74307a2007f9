"""The screens as a person meets them: a real `lianban` at a pseudo terminal.

A village, offline, with all of its cases at home. Each time is from the key until the
last of what it changed has been drawn, so everything between is in it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench import homes
from bench.exchange import fresh
from bench.homes import OPERATOR, PASSWORD
from bench.measure import Row, resident_bytes
from bench.terminal import Terminal
from bench.workloads import Bench
from node.store.cases import Filter
from tui.labels import short_number

STARTS = 5
KEYS = 20
DOWN, UP, PAGE_DOWN, PAGE_UP, ESCAPE = "\x1b[B", "\x1b[A", "\x1b[6~", "\x1b[5~", "\x1b"
_SEARCHES = ("z", "l", "w", "c", "y")
"""What names begin with, as pinyin initials: each finds thousands of 100,000."""


def screens(bench: Bench, cases: int) -> Iterator[Row]:
    """Measure a start, keys, pages and searches."""
    with fresh(bench.starts.held(cases), bench.folder) as copy:
        first_s = []
        for _ in range(min(STARTS, bench.repeats)):
            with _lianban(copy / "village", bench.folder) as (terminal, number):
                first_s.append(terminal.wait_for(number))
        with _lianban(copy / "village", bench.folder) as (terminal, number):
            terminal.wait_for(number)
            keys = [terminal.press(key) for key in (DOWN, UP, DOWN) * (KEYS // 3)]
            pages = [terminal.press(PAGE_DOWN) for _ in range(KEYS)]
            pages += [terminal.press(PAGE_UP) for _ in range(KEYS)]
            searches = []
            for letter in _SEARCHES:
                terminal.press("/")
                searches += [terminal.press(letter), terminal.press("x")]
                terminal.press(ESCAPE)
    for measure, times_s in (
        ("a key, ms", keys),
        ("a page, ms", pages),
        ("a search, ms", searches),
    ):
        times_ms = sorted(1000 * one for one in times_s)
        bench.say(f"{measure}: {' '.join(f'{one:.0f}' for one in times_ms)}")
        yield Row("screens", cases, measure, None, median(times_ms))
        worst = times_ms[int(0.95 * len(times_ms))]
        yield Row("screens", cases, f"{measure}, 95 of 100", None, worst)
    bench.say(f"first list: {' '.join(f'{one:.2f}' for one in first_s)} s")
    yield Row("screens", cases, "first list, s", None, median(first_s))


def memory(bench: Bench, cases: int) -> Iterator[Row]:
    """Measure what a village holds in memory that has been worked at for a while."""
    with (
        fresh(bench.starts.held(cases), bench.folder) as copy,
        _lianban(copy / "village", bench.folder) as (terminal, number),
    ):
        terminal.wait_for(number)
        at_first = resident_bytes(terminal.process.pid)
        for _ in range(KEYS):
            terminal.press(PAGE_DOWN)
        for _ in range(KEYS // 2):
            terminal.press("\r")  # a case, and back to the list
            terminal.press(ESCAPE)
            terminal.press(DOWN)
        terminal.press("s")  # the neighbours
        terminal.press(ESCAPE)
        for letter in _SEARCHES:
            terminal.press("/")
            terminal.press(letter)
            terminal.press(ESCAPE)
        in_the_end = resident_bytes(terminal.process.pid)
    yield Row("memory", cases, "RSS at the first list, MB", None, at_first / 1e6)
    yield Row("memory", cases, "RSS, MB", None, in_the_end / 1e6)


@contextmanager
def _lianban(home: Path, folder: Path) -> Iterator[tuple[Terminal, str]]:
    """Open the screens of a home; give the terminal and what its first row shows."""
    with homes.opened(home) as node:
        (row,) = node.store.cases.page(Filter(), None, 1)
    password_file = folder / "password"
    password_file.write_text(PASSWORD)
    command = [sys.executable, "-m", "tui", "--home", str(home), "--as", OPERATOR]
    command += ["--password-file", str(password_file)]
    with Terminal(*command, folder=folder) as terminal:
        yield terminal, short_number(row.number)
