"""Small charts for the report, drawn as SVG inside the page: they follow its colours and need no script."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

_WIDTH, _ROW, _PLOT_HEIGHT = 640, 22, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 190, 20, 10, 46
# Room for a letter of a row's label, on average.
_LETTER = 6.3
# Corners of the marks, in the order of the colours s0 to s5; the first is a circle.
_SHAPES: tuple[tuple[tuple[float, float], ...], ...] = (
    (),
    ((-4, -4), (4, -4), (4, 4), (-4, 4)),
    ((0, -5), (5, 4), (-5, 4)),
    ((0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)),
    ((0, 5), (5, -4), (-5, -4)),
    ((-5, -1.5), (5, -1.5), (5, 1.5), (-5, 1.5)),
)


@dataclass(frozen=True)
class Point:
    """An estimate with its interval.

    Attributes:
        place: where it stands on the other axis: the number of its row, or a quantity.
        value: the estimate.
        low, high: its interval, NaN where there is none.
        words: what a reader is told who points at it.
    """

    place: float
    value: float
    low: float
    high: float
    words: str


@dataclass(frozen=True)
class Series:
    """Points of one kind, told from others by shape and colour."""

    name: str
    points: Sequence[Point]


def rows_chart(
    labels: Sequence[str], series: Sequence[Series], *, axis: str, level: float = 0.0, title: str = ""
) -> Markup:
    """A row per label, with each series' estimate and interval from left to right.

    Args:
        labels: of the rows; a point's `place` is the position of its row.
        series: drawn side by side within a row.
        axis: what the numbers are.
        level: where nothing was found, marked by a line.
        title: what the chart shows, for those who hear it.
    """
    high_row = _ROW * max(1, len(series)) * 0.55 + 6
    left = max(_LEFT, 12 + _LETTER * max(map(len, labels), default=0))
    height = _TOP + _BOTTOM + high_row * len(labels)
    bottom = height - _BOTTOM
    ticks = _ticks([level, *_ends(series)])
    x = _scale(ticks[0], ticks[-1], left, _WIDTH - _RIGHT)
    parts = _vertical_axis(ticks, x, (left, bottom), axis, level)
    for row, label in enumerate(labels):
        y = _TOP + (row + 0.5) * high_row
        parts.append(_text(left - 8, y + 4, label, "end"))
    for number, one in enumerate(series):
        shift = (number - (len(series) - 1) / 2) * high_row * 0.7 / max(1, len(series))
        for point in _known(one.points):
            y = _TOP + (point.place + 0.5) * high_row + shift
            parts.append(_group(point, number, (x(point.low), y), (x(point.high), y), (x(point.value), y)))
    return _svg(parts, height, title, series)


def scatter_chart(
    series: Sequence[Series], *, axes: tuple[str, str], title: str = "", level: float | None = None
) -> Markup:
    """Estimates with intervals against a quantity on a logarithmic axis.

    Args:
        series: a point's `place` is the quantity, above 0.
        axes: what is on the horizontal and on the vertical axis.
        title: what the chart shows, for those who hear it.
        level: a height to mark by a line, such as chance.
    """
    places = [math.log10(point.place) for one in series for point in _known(one.points)] or [0.0, 1.0]
    height, left = _PLOT_HEIGHT + _TOP + _BOTTOM, 64
    bottom = height - _BOTTOM
    room = max(0.05 * (max(places) - min(places)), 0.05)
    x = _scale(min(places) - room, max(places) + room, left, _WIDTH - _RIGHT)
    ticks = _ticks([*([] if level is None else [level]), *_ends(series)])
    y = _scale(ticks[0], ticks[-1], bottom, _TOP)
    parts = [_line((left, bottom), (_WIDTH - _RIGHT, bottom), "axis"), _line((left, _TOP), (left, bottom), "axis")]
    for tick in ticks:
        parts.append(_line((left, y(tick)), (_WIDTH - _RIGHT, y(tick)), "grid"))
        parts.append(_text(left - 6, y(tick) + 4, _number(tick), "end"))
    if level is not None:
        parts.append(_line((left, y(level)), (_WIDTH - _RIGHT, y(level)), "level"))
    for power in _log_ticks(min(places) - room, max(places) + room):
        parts.append(_line((x(math.log10(power)), bottom), (x(math.log10(power)), bottom + 4), "axis"))
        parts.append(_text(x(math.log10(power)), bottom + 17, f"{power:g}", "middle"))
    parts.append(_text((left + _WIDTH) / 2, height - 8, axes[0], "middle"))
    parts.append(f'<text transform="translate(14 {_coordinate((bottom + _TOP) / 2)}) rotate(-90)" '
                 f'text-anchor="middle">{escape(axes[1])}</text>')  # fmt: skip
    for number, one in enumerate(series):
        for point in _known(one.points):
            here = x(math.log10(point.place))
            parts.append(_group(point, number, (here, y(point.low)), (here, y(point.high)), (here, y(point.value))))
    return _svg(parts, height, title, series)


def _known(points: Iterable[Point]) -> list[Point]:
    return [point for point in points if math.isfinite(point.value) and math.isfinite(point.place)]


def _ends(series: Sequence[Series]) -> list[float]:
    points = [point for one in series for point in _known(one.points)]
    ends = [end for point in points for end in (point.value, point.low, point.high)]
    return [end for end in ends if math.isfinite(end)]


def _ticks(numbers: Sequence[float]) -> list[float]:
    """Four to eight round numbers that enclose the given ones."""
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    span = high - low or max(abs(high), 1.0)
    step = next(
        unit * 10.0**power
        for power in range(math.floor(math.log10(span)) - 1, 308)
        for unit in (1, 2, 5)
        if span / (unit * 10.0**power) <= 6
    )
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [k * step for k in range(first, max(last, first + 1) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    every = [unit * 10.0**power for power in range(-6, 7) for unit in (1, 2, 5)]
    found = [tick for tick in every if low <= math.log10(tick) <= high]
    return found if len(found) <= 9 else [tick for tick in found if math.log10(tick) % 1 == 0]


def _scale(low: float, high: float, first: float, last: float) -> Callable[[float], float]:
    return lambda number: first + (number - low) / (high - low) * (last - first)


def _vertical_axis(
    ticks: Sequence[float], x: Callable[[float], float], corner: tuple[float, float], axis: str, level: float
) -> list[str]:
    left, bottom = corner
    parts = [_line((left, bottom), (_WIDTH - _RIGHT, bottom), "axis")]
    for tick in ticks:
        parts.append(_line((x(tick), _TOP), (x(tick), bottom), "grid"))
        parts.append(_text(x(tick), bottom + 16, _number(tick), "middle"))
    parts.append(_line((x(level), _TOP), (x(level), bottom), "level"))
    parts.append(_text((left + _WIDTH - _RIGHT) / 2, bottom + 36, axis, "middle"))
    return parts


def _group(
    point: Point, number: int, low: tuple[float, float], high: tuple[float, float], at: tuple[float, float]
) -> str:
    interval = _line(low, high, "interval") if all(map(math.isfinite, (*low, *high))) else ""
    return f'<g class="s{number % len(_SHAPES)}">{interval}{_mark(number, at)}<title>{escape(point.words)}</title></g>'


def _mark(number: int, at: tuple[float, float]) -> str:
    x, y = at
    corners = _SHAPES[number % len(_SHAPES)]
    if not corners:
        return f'<circle class="mark" cx="{_coordinate(x)}" cy="{_coordinate(y)}" r="4.5"/>'
    points = " ".join(f"{_coordinate(x + dx)},{_coordinate(y + dy)}" for dx, dy in corners)
    return f'<polygon class="mark" points="{points}"/>'


def _line(start: tuple[float, float], end: tuple[float, float], kind: str) -> str:
    (x1, y1), (x2, y2) = start, end
    ends = zip(("x1", "y1", "x2", "y2"), (x1, y1, x2, y2), strict=True)
    return f'<line class="{kind}" ' + " ".join(f'{name}="{_coordinate(at)}"' for name, at in ends) + "/>"


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{_coordinate(x)}" y="{_coordinate(y)}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(parts: Iterable[str], height: float, title: str, series: Sequence[Series]) -> Markup:
    key = "".join(
        f'<span class="s{number % len(_SHAPES)}"><svg viewBox="-7 -7 14 14" aria-hidden="true">'
        f"{_mark(number, (0, 0))}</svg> <bdi>{escape(one.name)}</bdi></span>"
        for number, one in enumerate(series)
        if one.name
    )
    drawn = (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_coordinate(height)}" role="img" aria-label="{escape(title)}">'
        + "".join(parts)
        + "</svg>"
    )
    legend = f'<p class="chart-key">{key}</p>' if key else ""
    return Markup(f'{legend}<div class="scroll" role="region" tabindex="0" aria-label="{escape(title)}">{drawn}</div>')


def _coordinate(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _number(number: float) -> str:
    return f"{round(number, 6) + 0:g}".replace("-", "−")
