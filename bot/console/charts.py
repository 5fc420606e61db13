"""Charts as SVG: no script, no inline style (the CSP forbids both), colours by the classes of console.css.

A chart is a picture beside a table with the same numbers; screen readers are told its title and read the table.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

WIDTH: Final = 860
HEIGHT: Final = 220
LEFT: Final = 46
BOTTOM: Final = 24
TOP: Final = 10
INNER_WIDTH: Final = WIDTH - LEFT
INNER_HEIGHT: Final = HEIGHT - TOP - BOTTOM
LABELS_MAX: Final = 10
POINTS_MAX: Final = 62
"""More points than this would run into each other; the line alone is drawn then."""
BAR_HEIGHT: Final = 26
BAR_LABEL_WIDTH: Final = 150
BAR_NUMBER_WIDTH: Final = 60


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers of one kind. ``colour`` is a class of console.css: ``c1`` …; ``values`` follow the labels."""

    name: str
    colour: str
    values: Sequence[int]


def columns(labels: Sequence[str], series: Sequence[Series], title: str) -> Markup:
    """Return a column for each label, with the series stacked in it; each part tells its number when pointed at."""
    totals = [sum(one.values[place] for one in series) for place in range(len(labels))]
    top = _round_up(max(totals, default=0))
    step = INNER_WIDTH / max(1, len(labels))
    parts = [_axis(top), _labels(labels, step)]
    for place, label in enumerate(labels):
        left, below = LEFT + place * step + step * 0.12, float(TOP + INNER_HEIGHT)
        for one in series:
            tall = INNER_HEIGHT * one.values[place] / top
            below -= tall
            if tall:
                parts.append(
                    f'<rect class="part {one.colour}" x="{left:.1f}" y="{below:.1f}" width="{step * 0.76:.1f}" '
                    f'height="{tall:.1f}">{_tip(label, one, place)}</rect>'
                )
    return _figure(_svg("".join(parts), title), series)


def lines(labels: Sequence[str], series: Sequence[Series], title: str) -> Markup:
    """Return a line for each series; each point tells its number when it is pointed at."""
    top = _round_up(max((value for one in series for value in one.values), default=0))
    step = INNER_WIDTH / max(1, len(labels))
    parts = [_axis(top), _labels(labels, step)]
    for one in series:
        points = [
            (LEFT + (place + 0.5) * step, TOP + INNER_HEIGHT * (1 - value / top))
            for place, value in enumerate(one.values)
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline class="line {one.colour}" points="{path}"/>')
        for place, (x, y) in enumerate(points if len(points) <= POINTS_MAX else ()):
            tip = _tip(labels[place], one, place)
            parts.append(f'<circle class="point {one.colour}" cx="{x:.1f}" cy="{y:.1f}" r="3">{tip}</circle>')
    return _figure(_svg("".join(parts), title), series)


def bars(labels: Sequence[str], series: Sequence[Series], title: str) -> Markup:
    """Return a lying bar for each label, with the series stacked in it and the sum behind it; nothing for none."""
    if not labels:
        return Markup()
    totals = [sum(one.values[place] for one in series) for place in range(len(labels))]
    longest, room = max(totals, default=0) or 1, WIDTH - BAR_LABEL_WIDTH - BAR_NUMBER_WIDTH
    parts: list[str] = []
    for place, label in enumerate(labels):
        top, left = place * BAR_HEIGHT, float(BAR_LABEL_WIDTH)
        parts.append(_bar_text(BAR_LABEL_WIDTH - 8, top, label, "end"))
        for one in series:
            wide = room * one.values[place] / longest
            if wide:
                parts.append(
                    f'<rect class="part {one.colour}" x="{left:.1f}" y="{top + 5}" width="{wide:.1f}" '
                    f'height="{BAR_HEIGHT - 10}">{_tip(label, one, place)}</rect>'
                )
            left += wide
        parts.append(_bar_text(left + 6, top, str(totals[place]), "start"))
    return _figure(_svg("".join(parts), title, height=max(1, len(labels)) * BAR_HEIGHT), series)


def _tip(label: str, series: Series, place: int) -> str:
    return f"<title>{escape(label)} {escape(series.name)}：{series.values[place]}</title>"


def _bar_text(x: float, top: int, text: str, anchor: str) -> str:
    return f'<text class="bar-label" x="{x:.1f}" y="{top + 18}" text-anchor="{anchor}">{escape(text)}</text>'


def _axis(top: int) -> str:
    parts = []
    for share in (0.0, 0.5, 1.0):
        y = TOP + INNER_HEIGHT * (1 - share)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text class="tick-label" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{top * share:g}</text>'
        )
    return "".join(parts)


def _labels(labels: Sequence[str], step: float) -> str:
    every = math.ceil(len(labels) / LABELS_MAX) or 1
    return "".join(
        f'<text class="tick-label" x="{LEFT + (place + 0.5) * step:.1f}" y="{HEIGHT - 7}" '
        f'text-anchor="middle">{escape(label)}</text>'
        for place, label in enumerate(labels)
        if place % every == 0
    )


def _svg(content: str, title: str, *, height: int = HEIGHT) -> str:
    # On a phone the drawing is wider than the screen; who has no mouse scrolls it by keyboard.
    name = escape(title)
    return (
        f'<div class="chart-frame" tabindex="0" role="group" aria-label="{name}">'
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{name}">{content}</svg></div>'
    )


def _figure(drawing: str, series: Sequence[Series]) -> Markup:
    legend = ""
    if len(series) > 1:
        items = "".join(f'<li><i class="swatch {one.colour}"></i>{escape(one.name)}</li>' for one in series)
        legend = f'<ul class="legend">{items}</ul>'
    # Every piece of text was escaped above; numbers and the names of classes need no escaping.
    return Markup(f"{legend}{drawing}")  # noqa: S704


def _round_up(value: int) -> int:
    """Return the next even number of the form 1, 2, 4, 5, 6, 8 or 10 times a power of ten, so that half is whole."""
    if value <= 2:
        return 2
    power = int("1" + "0" * (len(str(value)) - 1))
    return next(step * power for step in (1, 2, 4, 5, 6, 8, 10) if step * power >= value and step * power % 2 == 0)
