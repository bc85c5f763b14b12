"""The geometry of the console's charts: percentages and classes, so that no inline style is needed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

SPARK_WIDTH: Final = 72
SPARK_HEIGHT: Final = 20
_PLOT_TOP: Final = 12.0
_PLOT_BOTTOM: Final = 86.0
_MOST_LABELS: Final = 6


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One bar: a label such as "3 Nov", its value, what happened then; `open` is an unfinished period."""

    label: str
    value: float
    open: bool = False
    marks: Sequence[str] = field(default=())


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar in per cent of the drawing; `label` is empty where an axis label would not fit."""

    point: TrendPoint
    slot: str
    slot_width: str
    x: str
    width: str
    centre: str
    y: str
    height: str
    value_y: str
    label: str
    anchor: str


@dataclass(frozen=True, slots=True)
class GridLine:
    value: float
    y: str


@dataclass(frozen=True, slots=True)
class Trend:
    bars: Sequence[Bar]
    grid: Sequence[GridLine]
    total: float


@dataclass(frozen=True, slots=True)
class SparkBar:
    x: str
    y: str
    width: str
    height: str


def nice_ceiling(value: float) -> float:
    """Return the smallest of 2, 4, 5, 10 (times a power of ten) that is not below `value`; 2 at least."""
    scale = 1.0
    while True:
        for step in (2, 4, 5, 10):
            if value <= step * scale:
                return step * scale
        scale *= 10


def sparkline(values: Sequence[float]) -> list[SparkBar]:
    """Return one bar for each value, in pixels of a 72 by 20 drawing; zero keeps a visible foot."""
    if not values:
        return []
    top = max(values) or 1
    slot = SPARK_WIDTH / len(values)
    heights = [max(1.0, SPARK_HEIGHT * max(0.0, value) / top) for value in values]
    return [
        SparkBar(_short(index * slot), _short(SPARK_HEIGHT - height), _short(slot * 0.72), _short(height))
        for index, height in enumerate(heights)
    ]


def trend(points: Sequence[TrendPoint]) -> Trend:
    """Return bars and grid lines in per cent of the drawing's width and height."""
    top = nice_ceiling(max((point.value for point in points), default=0))
    # A middle line only where it stands for a whole number: nothing that is counted comes in halves.
    values = (0, top / 2, top) if (top / 2).is_integer() else (0, top)
    grid = [GridLine(value, _percent(_height_of(value, top))) for value in values]
    bars = [_bar(points, index, top) for index in range(len(points))]
    return Trend(bars, grid, sum(point.value for point in points))


def _bar(points: Sequence[TrendPoint], index: int, top: float) -> Bar:
    point = points[index]
    slot = 100 / len(points)
    width = min(slot * 0.72, 6.0)
    centre = slot * (index + 0.5)
    y = _height_of(point.value, top)
    return Bar(
        point=point,
        slot=_percent(slot * index),
        slot_width=_percent(slot),
        x=_percent(centre - width / 2),
        width=_percent(width),
        centre=_percent(centre),
        y=_percent(y),
        height=_percent(_PLOT_BOTTOM - y),
        value_y=_percent(y - 3),
        label=point.label if _is_labelled(index, len(points)) else "",
        anchor="middle",
    )


def _is_labelled(index: int, count: int) -> bool:
    """Label every n-th bar, counted from the last one, which is the one people look for."""
    every = -(-count // _MOST_LABELS)
    return (count - 1 - index) % every == 0


def _height_of(value: float, top: float) -> float:
    return _PLOT_BOTTOM - (_PLOT_BOTTOM - _PLOT_TOP) * max(0.0, value) / top


def _percent(value: float) -> str:
    return f"{_short(value)}%"


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
