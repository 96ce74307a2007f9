"""The plots: budgets against figures, and how costs grow. SVG, the same for the same
rows.

Drawn by pygal, the extra `bench`; what pygal adds of its own (a date, a script, things
for a pointer to hover over) is taken out again.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pygal
from pygal.style import Style

from bench.budgets import budget_of, share_of
from bench.growth import NOTHING, ONE_EDIT
from bench.measure import Row

_WITHIN, _BEYOND = "#2a7f9e", "#c0392b"
_LINES = ("#2a7f9e", "#9fc9da", "#c0392b", "#e6b0aa")
_MOST_PERCENT = 250
_MEASURES = {"d", "x", "y", "cx", "cy", "width", "height", "transform"}
_LONG = re.compile(r"\d+\.\d{2,}")
_STYLE = Style(
    background="white",
    plot_background="white",
    font_family="sans-serif",
    title_font_size=15,
    label_font_size=11,
    major_label_font_size=11,
    legend_font_size=12,
    value_font_size=11,
    colors=_LINES,
    opacity="1",
    stroke_opacity="1",
    guide_stroke_color="#cccccc",
    major_guide_stroke_color="#888888",
)
_PLAIN: dict[str, Any] = {
    "js": [],
    "explicit_size": True,
    "legend_at_bottom": True,
    "style": _STYLE,
    "tooltip_fancy_mode": False,
}
GROWTH: tuple[tuple[str, str, str, float], ...] = (
    ("growth-bytes.svg", "bytes", "bytes on the wire, both ways", 1),
    ("growth-wall.svg", "wall_s", "time of one exchange, ms", 1000),
    ("growth-cpu.svg", "cpu_s", "CPU of both ends, ms", 1000),
)
"""File, measure, title and by how much the figures are multiplied."""


def draw(rows: list[Row], folder: Path) -> None:
    """Draw what there are rows for."""
    if any(map(budget_of, rows)):
        _write(_budgets(rows), folder / "budgets.svg")
    for file, measure, title, factor in GROWTH:
        of_measure = [row for row in rows if row.measure == measure]
        curves = {}
        for work in (NOTHING, ONE_EDIT):
            points = [row for row in of_measure if row.work == work]
            name = work.removeprefix("growth, ")
            curves[name] = [(row.cases, row.ours * factor) for row in points]
            curves[f"{name}, plain baseline"] = [
                (row.cases, (row.baseline or 0) * factor) for row in points
            ]
        if all(len(points) > 1 for points in curves.values()):
            _write(_growth(title, curves), folder / file)


def _budgets(rows: Iterable[Row]) -> Any:
    """Return bars: how much of its budget each figure takes, in percent."""
    judged = [(row, share) for row in rows if (share := share_of(row)) is not None]
    judged.reverse()  # it is drawn from below
    chart = pygal.HorizontalBar(
        **_PLAIN,
        title="How much of its budget each figure takes",
        width=900,
        height=90 + 22 * len(judged),
        show_legend=False,
        value_formatter=lambda value: f"{value:.0f} %",
        range=(0, _MOST_PERCENT),
        spacing=4,
        truncate_label=-1,
    )
    chart.x_labels = [_label(row) for row, _ in judged]
    chart.y_labels = range(0, _MOST_PERCENT + 1, 50)
    chart.y_labels_major = [100]
    chart.add(
        "",
        [
            {
                "value": min(100 * share, _MOST_PERCENT),
                "color": _WITHIN if share <= 1 else _BEYOND,
            }
            for _, share in judged
        ],
    )
    return chart


def _label(row: Row) -> str:
    """Return what a bar is about: work, cases, measure, figure and budget."""
    budget = budget_of(row)
    assert budget is not None
    value = row.ratio if budget.compared == "ratio" else row.ours
    assert value is not None
    words = "" if budget.compared == "ours" else " times the baseline"
    figure = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    limit = f"{budget.sense} {budget.limit:,g}"
    return f"{row.work}, {row.cases:,}, {row.measure}: {figure}{words} ({limit})"


def _growth(title: str, curves: dict[str, list[tuple[int, float]]]) -> Any:
    """Return lines over the number of cases held, both axes logarithmic."""
    every = [value for points in curves.values() for _, value in points]
    low, high = _below(min(every)), _below(max(every)) + 1
    chart = pygal.XY(
        **_PLAIN,
        logarithmic=True,
        title=title,
        x_title="cases held at both ends",
        width=560,
        height=400,
        value_formatter=lambda value: f"{value:,g}",
        x_value_formatter=lambda value: f"{value:,.0f}",
        range=(10**low, 10**high),
        legend_at_bottom_columns=2,
        stroke_style={"width": 2},
    )
    chart.x_labels = [cases for cases, _ in next(iter(curves.values()))]
    chart.y_labels = [10**power for power in range(low, high + 1)]
    for name, points in curves.items():
        chart.add(name, points)
    return chart


def _below(value: float) -> int:
    """Return the power of ten at or below a value."""
    power = 0
    while 10**power > value:
        power -= 1
    while 10 ** (power + 1) <= value:
        power += 1
    return power


def _write(chart: Any, path: Path) -> None:
    """Write a chart without what changes, and without what a picture does not need."""
    chart.uuid = path.stem
    tree = chart.render_tree()
    for parent in list(tree.iter()):
        for name in _MEASURES.intersection(parent.keys()):
            parent.set(
                name,
                _LONG.sub(lambda found: f"{float(found[0]):.1f}", parent.get(name)),
            )
        for child in list(parent):
            is_comment = callable(child.tag)
            if is_comment or child.tag.rpartition("}")[2] in ("script", "desc"):
                parent.remove(child)
    text = ElementTree.tostring(tree, encoding="unicode")
    path.write_text(text.replace("><g", ">\n<g") + "\n", encoding="utf-8")
