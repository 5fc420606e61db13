"""Charts as SVG: no script, no inline style (the CSP forbids both), colours by the classes of console.css.

A chart is a picture beside a table with the same numbers; screen readers are told its title and read the table.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

HEIGHT: Final = 220
BOTTOM: Final = 24
TOP: Final = 10
INNER_HEIGHT: Final = HEIGHT - TOP - BOTTOM
BAR_LABEL_WIDTH: Final = 150
BAR_NUMBER_WIDTH: Final = 60
BAR_PX: Final = 16


@dataclass(frozen=True, slots=True)
class _Paper:
    """What a chart is drawn on; lengths are those of the drawing. Words keep their size, so fewer fit a small one.

    More than ``points_max`` points would run into each other; the line alone is drawn then.
    """

    width: int
    left: int
    labels_max: int
    points_max: int
    is_small: bool = False

    @property
    def inner_width(self) -> int:
        return self.width - self.left


WIDE: Final = _Paper(width=860, left=46, labels_max=10, points_max=62)
SMALL: Final = _Paper(width=360, left=38, labels_max=5, points_max=16, is_small=True)
"""For a phone: the style sheet shows one of the two."""


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

    def drawn(paper: _Paper) -> str:
        step = paper.inner_width / max(1, len(labels))
        parts = [_axis(top, paper), _labels(labels, step, paper)]
        for place, label in enumerate(labels):
            left, below = paper.left + place * step + step * 0.12, float(TOP + INNER_HEIGHT)
            for one in series:
                tall = INNER_HEIGHT * one.values[place] / top
                below -= tall
                if tall:
                    parts.append(_part(one, left, below, step * 0.76, tall, _tip(label, one, place)))
        return _svg("".join(parts), title, paper)

    return _figure(drawn, title, series)


def lines(labels: Sequence[str], series: Sequence[Series], title: str) -> Markup:
    """Return a line for each series; each point tells its number when it is pointed at."""
    top = _round_up(max((value for one in series for value in one.values), default=0))

    def drawn(paper: _Paper) -> str:
        step = paper.inner_width / max(1, len(labels))
        parts = [_axis(top, paper), _labels(labels, step, paper)]
        for one in series:
            points = [
                (paper.left + (place + 0.5) * step, TOP + INNER_HEIGHT * (1 - value / top))
                for place, value in enumerate(one.values)
            ]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline class="line {one.colour}" points="{path}"/>')
            for place, (x, y) in enumerate(points if len(points) <= paper.points_max else ()):
                tip = _tip(labels[place], one, place)
                parts.append(f'<circle class="point {one.colour}" cx="{x:.1f}" cy="{y:.1f}" r="3">{tip}</circle>')
        return _svg("".join(parts), title, paper)

    return _figure(drawn, title, series)


def bars(labels: Sequence[str], series: Sequence[Series], title: str) -> Markup:
    """Return a lying bar for each label, with the series stacked in it and the sum behind it; nothing for none.

    Where there is little room, the label stands above its bar.
    """
    if not labels:
        return Markup()
    totals = [sum(one.values[place] for one in series) for place in range(len(labels))]
    longest = max(totals, default=0) or 1

    def drawn(paper: _Paper) -> str:
        beside, row_height = (0, 44) if paper.is_small else (BAR_LABEL_WIDTH, 26)
        room = paper.width - beside - BAR_NUMBER_WIDTH
        parts: list[str] = []
        for place, label in enumerate(labels):
            top, left = place * row_height, float(beside)
            bar_top = top + row_height - BAR_PX - 5
            parts.append(_bar_text(0, top + 16, label, "start") if paper.is_small else "")
            parts.append("" if paper.is_small else _bar_text(beside - 8, top + 18, label, "end"))
            for one in series:
                wide = room * one.values[place] / longest
                if wide:
                    parts.append(_part(one, left, bar_top, wide, BAR_PX, _tip(label, one, place)))
                left += wide
            parts.append(_bar_text(left + 6, bar_top + 13, str(totals[place]), "start"))
        return _svg("".join(parts), title, paper, height=len(labels) * row_height)

    return _figure(drawn, title, series)


def _part(series: Series, left: float, top: float, width: float, height: float, tip: str) -> str:
    return (
        f'<rect class="part {series.colour}" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}">{tip}</rect>'
    )


def _tip(label: str, series: Series, place: int) -> str:
    return f"<title>{escape(label)} {escape(series.name)}：{series.values[place]}</title>"


def _bar_text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text class="bar-label" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _axis(top: int, paper: _Paper) -> str:
    parts = []
    for share in (0.0, 0.5, 1.0):
        y = TOP + INNER_HEIGHT * (1 - share)
        parts.append(f'<line class="grid" x1="{paper.left}" x2="{paper.width}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text class="tick-label" x="{paper.left - 6}" y="{y + 4:.1f}" text-anchor="end">{top * share:g}</text>'
        )
    return "".join(parts)


def _labels(labels: Sequence[str], step: float, paper: _Paper) -> str:
    every = math.ceil(len(labels) / paper.labels_max) or 1
    return "".join(
        f'<text class="tick-label" x="{paper.left + (place + 0.5) * step:.1f}" y="{HEIGHT - 7}" '
        f'text-anchor="middle">{escape(label)}</text>'
        for place, label in enumerate(labels)
        if place % every == 0
    )


def _svg(content: str, title: str, paper: _Paper, *, height: int = HEIGHT) -> str:
    kind = "chart small" if paper.is_small else "chart"
    return (
        f'<svg class="{kind}" viewBox="0 0 {paper.width} {height}" role="img" '
        f'aria-label="{escape(title)}">{content}</svg>'
    )


def _figure(drawn: Callable[[_Paper], str], title: str, series: Sequence[Series]) -> Markup:
    legend = ""
    if len(series) > 1:
        items = "".join(f'<li><i class="swatch {one.colour}"></i>{escape(one.name)}</li>' for one in series)
        legend = f'<ul class="legend">{items}</ul>'
    # A browser that does not know how wide a frame is shows the wide one; without a mouse it is scrolled by keyboard.
    frame = f'<div class="chart-frame" tabindex="0" role="group" aria-label="{escape(title)}">'
    # Every piece of text was escaped above; numbers and the names of classes need no escaping.
    return Markup(f"{legend}{frame}{drawn(WIDE)}{drawn(SMALL)}</div>")  # noqa: S704


def _round_up(value: int) -> int:
    """Return the next even number of the form 1, 2, 4, 5, 6, 8 or 10 times a power of ten, so that half is whole."""
    if value <= 2:
        return 2
    power = int("1" + "0" * (len(str(value)) - 1))
    return next(step * power for step in (1, 2, 4, 5, 6, 8, 10) if step * power >= value and step * power % 2 == 0)
