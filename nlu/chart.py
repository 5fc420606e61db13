"""A line chart as SVG, by hand: one drawing is not worth a dependency."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

_WIDTH, _HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 150, 44, 56
_COLOURS = ("#1f5fa8", "#b5472f", "#3d7f43", "#7a4fa0", "#8a6d1c")
_STEPS = 5


@dataclass
class Series:
    """A named line through points (x, y)."""

    name: str
    points: list[tuple[float, float]] = field(default_factory=list)

    def add(self, x: float, y: float) -> None:
        """Append a point."""
        self.points.append((x, y))


class _Frame:
    """Where values stand on the drawing: x from 0, y from a tenth below the least to 1."""

    def __init__(self, series: Sequence[Series]) -> None:
        self.most_x = max(x for each in series for x, _ in each.points)
        self.least_y = int(10 * min(y for each in series for _, y in each.points)) / 10

    def x(self, value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * value / self.most_x

    def y(self, value: float) -> float:
        share = (value - self.least_y) / (1.0 - self.least_y)
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share


def line_chart(series: Sequence[Series], *, title: str, left: str, below: str) -> str:
    """Return an SVG drawing of ``series``; y are shares up to 1, ``left`` and ``below`` name the axes."""
    frame = _Frame(series)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        _text(_LEFT, 24, title, size=16),
        _text(_LEFT, _HEIGHT - 14, below),
        _text(12, 24, left),
        *_grid(frame),
    ]
    for number, each in enumerate(series):
        parts += _line(frame, each, _COLOURS[number % len(_COLOURS)], place=number)
    return "\n".join([*parts, "</svg>", ""])


def _grid(frame: _Frame) -> list[str]:
    parts = []
    for step in range(_STEPS + 1):
        share = frame.least_y + (1 - frame.least_y) * step / _STEPS
        y, right = frame.y(share), _WIDTH - _RIGHT
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{right}" stroke="#ddd"/>')
        parts.append(_text(_LEFT - 8, y + 4, f"{share:.2f}", anchor="end"))
        count = frame.most_x * step / _STEPS
        parts.append(_text(frame.x(count), _HEIGHT - _BOTTOM + 20, f"{count:,.0f}", anchor="middle"))
    return parts


def _line(frame: _Frame, series: Series, colour: str, place: int) -> list[str]:
    spots = [(frame.x(x), frame.y(y)) for x, y in series.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    last = series.points[-1][1]
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in spots),
        f'<rect x="{_WIDTH - _RIGHT + 14}" y="{_TOP + 22 * place}" width="12" height="12" fill="{colour}"/>',
        _text(_WIDTH - _RIGHT + 32, _TOP + 22 * place + 11, f"{series.name} {last:.3f}"),
    ]


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 13) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'
