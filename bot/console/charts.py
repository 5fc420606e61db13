"""Charts as SVG: no script, no inline style (the CSP forbids both), colours by the classes of console.css.

A chart is a picture beside a table with the same numbers; screen readers are told its title and read the table.
"""

import math
from collections.abc import Sequence
from typing import Final

from markupsafe import Markup, escape

WIDTH: Final = 720
HEIGHT: Final = 200
LEFT: Final = 46
BOTTOM: Final = 24
TOP: Final = 10
LABELS_MAX: Final = 8


def columns(values: Sequence[tuple[str, int]], title: str) -> Markup:
    """Return a column for each value with its label below; each tells its number when it is pointed at."""
    top = _round_up(max((value for _, value in values), default=0))
    inner, height = WIDTH - LEFT, HEIGHT - TOP - BOTTOM
    step = inner / max(1, len(values))
    every = math.ceil(len(values) / LABELS_MAX) or 1
    parts = [_axis(top, height)]
    for place, (label, value) in enumerate(values):
        tall = height * value / top
        left = LEFT + place * step
        parts.append(
            f'<rect class="column" x="{left + step * 0.12:.1f}" y="{TOP + height - tall:.1f}" '
            f'width="{step * 0.76:.1f}" height="{tall:.1f}"><title>{escape(label)}：{value}</title></rect>'
        )
        if place % every == 0:
            parts.append(
                f'<text class="tick-label" x="{left + step / 2:.1f}" y="{HEIGHT - 7}" '
                f'text-anchor="middle">{escape(label)}</text>'
            )
    return _framed("".join(parts), title)


def _axis(top: int, height: int) -> str:
    lines = []
    for share in (0.0, 0.5, 1.0):
        y = TOP + height * (1 - share)
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(
            f'<text class="tick-label" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{top * share:g}</text>'
        )
    return "".join(lines)


def _framed(content: str, title: str) -> Markup:
    # Every piece of text was escaped above; numbers need no escaping.
    return Markup(  # noqa: S704
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{content}</svg>'
    )


def _round_up(value: int) -> int:
    """Return the next even number of the form 1, 2, 4, 5, 6, 8 or 10 times a power of ten, so that half is whole."""
    if value <= 2:
        return 2
    power = int("1" + "0" * (len(str(value)) - 1))
    return next(step * power for step in (1, 2, 4, 5, 6, 8, 10) if step * power >= value and step * power % 2 == 0)
