"""Where the parts of a chart stand: pure geometry, in the units of an SVG's ``viewBox``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, floor, log10, pi, sin

from jumpseat.reports.dashboards import Point, Result, Series

COLOURS = 13
"""Classes ``c1`` to ``c13`` of the style sheet; the last is that of all other groups together."""
TEXT = 12
"""Height of a line of text, which is the same in a wide drawing as in a narrow one."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The size of a drawing and of the margins around what is drawn."""

    width: int
    height: int
    left: int = 44
    right: int = 8
    top: int = 20
    bottom: int = 24

    @property
    def inner_width(self) -> int:
        return self.width - self.left - self.right

    @property
    def inner_height(self) -> int:
        return self.height - self.top - self.bottom


FRAMES = {"wide": Frame(680, 240), "narrow": Frame(320, 220)}
"""Two drawings of each chart; the style sheet shows the one for which there is room, so that text never shrinks."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One point of a chart: a box of a column or bar, or a dot of a line."""

    x: float
    y: float
    width: float
    height: float
    colour: int
    series: Series
    point: Point


@dataclass(frozen=True, slots=True)
class Label:
    """A text beside the marks: a number on the axis, a day below it, a sum above a column."""

    x: float
    y: float
    value: float | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart, ready to be drawn."""

    frame: Frame
    marks: tuple[Mark, ...] = ()
    lines: tuple[tuple[int, str], ...] = ()
    """Colour and path of each line; where there is no value, it is interrupted."""
    scale: tuple[Label, ...] = ()
    steps: tuple[Label, ...] = ()
    sums: tuple[Label, ...] = ()


def colour_of(result: Result, series: Series) -> int:
    """The colour of a series: by its place, and the last one for all other groups together."""
    return COLOURS if series.key == "*" else result.series.index(series) % (COLOURS - 1) + 1


def colour_of_point(points: Sequence[Point], point: Point) -> int:
    """The colour of a part: by its place, and the last one for all other groups together."""
    return COLOURS if point.key == "*" else points.index(point) % (COLOURS - 1) + 1


def ticks(values: Iterable[float]) -> list[float]:
    """Round numbers from nothing to at least the largest of the values, few enough to be read; whole ones where all values are whole."""
    values = list(values)
    most = max(values, default=0)
    if most < 1e-9:
        return [0.0, 1.0]
    raw = most / 4
    power = 10.0 ** floor(log10(raw))
    steps = [power * by for by in (1, 2, 2.5, 5, 10) if power * by >= raw * 0.999]
    if all(float(value).is_integer() for value in values):
        steps = [step for step in steps if step.is_integer()] or [1.0]
    step = steps[0]
    count = int(-(-most // step))
    return [step * number for number in range(count + 1)]


def columns(result: Result, frame: Frame) -> Drawing:
    """Columns over steps of time, stacked where there are groups."""
    steps = _steps(result)
    stacks = [[(one, one.points[number]) for one in result.series] for number in range(len(steps))]
    heights = [sum(point.value or 0 for _, point in stack) for stack in stacks]
    scale = ticks(heights)
    room = frame.inner_width / max(len(steps), 1)
    width = min(room * 0.7, 40)
    marks, sums = [], []
    for number, stack in enumerate(stacks):
        x, below = frame.left + room * number + (room - width) / 2, 0.0
        for series, point in stack:
            if point.value:
                top = _y(below + point.value, scale, frame)
                marks.append(Mark(x, top, width, _y(below, scale, frame) - top, colour_of(result, series), series, point))
                below += point.value
        if below and room >= TEXT * 2:
            sums.append(Label(x + width / 2, _y(below, scale, frame) - 4, below))
    return Drawing(frame, tuple(marks), (), _scale(scale, frame), _days(steps, frame, room), tuple(sums))


def line(result: Result, frame: Frame) -> Drawing:
    """A line over steps of time for each series; a step without a value interrupts it."""
    steps = _steps(result)
    scale = ticks(point.value or 0 for one in result.series for point in one.points)
    room = frame.inner_width / max(len(steps), 1)
    marks: list[Mark] = []
    lines = []
    for series in result.series:
        colour, path, pen = colour_of(result, series), [], "M"
        for number, point in enumerate(series.points):
            if point.value is None:
                pen = "M"
                continue
            x, y = frame.left + room * (number + 0.5), _y(point.value, scale, frame)
            path.append(f"{pen}{x:.1f} {y:.1f}")
            marks.append(Mark(x, y, 0, 0, colour, series, point))
            pen = "L"
        lines.append((colour, "".join(path)))
    return Drawing(frame, tuple(marks), tuple(lines), _scale(scale, frame), _days(steps, frame, room))


def bars(result: Result, frame: Frame) -> Drawing:
    """One bar below the other, each with its group above it and its value at its end."""
    (series,) = result.series or (Series("", "", ()),)
    most = max((point.value or 0 for point in series.points), default=0)
    room, thick, place_of_value = 36, 12, 64
    marks = []
    for number, point in enumerate(series.points):
        width = (frame.width - place_of_value) * (point.value or 0) / most if most else 0
        marks.append(Mark(0, number * room + TEXT + 6, max(width, 1), thick, 1, series, point))
    return Drawing(Frame(frame.width, max(len(marks), 1) * room, 0, 0, 0, 0), tuple(marks))


@dataclass(frozen=True, slots=True)
class Slice:
    """One part of a donut."""

    path: str
    colour: int
    percent: float
    point: Point


RADIUS, HOLE = 70.0, 44.0


def slices(result: Result) -> list[Slice]:
    """The parts of a whole, clockwise from the top; parts of nothing are left out."""
    (series,) = result.series or (Series("", "", ()),)
    whole = sum(point.value or 0 for point in series.points)
    found, begun = [], 0.0
    for point in series.points:
        if point.value:
            part = point.value / whole
            colour = colour_of_point(series.points, point)
            found.append(Slice(_arc(begun, begun + part), colour, 100 * part, point))
            begun += part
    return found


def _arc(begin: float, end: float) -> str:
    """A piece of a ring between two parts of a turn."""
    if end - begin > 0.9999:  # both ends are one place, and an arc between them would be none
        return _circle(RADIUS, 1) + _circle(HOLE, 0)
    large = 1 if end - begin > 0.5 else 0
    (ax, ay), (bx, by) = _on(begin, RADIUS), _on(end, RADIUS)
    (cx, cy), (dx, dy) = _on(end, HOLE), _on(begin, HOLE)
    outer = f"M{ax:.2f} {ay:.2f}A{RADIUS:g} {RADIUS:g} 0 {large} 1 {bx:.2f} {by:.2f}"
    return f"{outer}L{cx:.2f} {cy:.2f}A{HOLE:g} {HOLE:g} 0 {large} 0 {dx:.2f} {dy:.2f}Z"


def _circle(radius: float, sweep: int) -> str:
    """A circle; drawn the other way round it is a hole."""
    half = f"A{radius:g} {radius:g} 0 1 {sweep}"
    return f"M80 {80 - radius:g}{half} 80 {80 + radius:g}{half} 80 {80 - radius:g}Z"


def _on(turn: float, radius: float) -> tuple[float, float]:
    angle = 2 * pi * turn - pi / 2
    return 80 + radius * cos(angle), 80 + radius * sin(angle)


def _steps(result: Result) -> list[str]:
    return [point.key for point in result.series[0].points] if result.series else []


def _y(value: float, scale: Sequence[float], frame: Frame) -> float:
    return frame.top + frame.inner_height * (1 - value / scale[-1])


def _scale(scale: Sequence[float], frame: Frame) -> tuple[Label, ...]:
    return tuple(Label(frame.left - 8, _y(value, scale, frame), value) for value in scale)


def _days(steps: Sequence[str], frame: Frame, room: float) -> tuple[Label, ...]:
    """As many days below the axis as there is room for."""
    every = max(1, -(-56 // max(int(room), 1)))
    y = frame.height - 6
    return tuple(Label(frame.left + room * (number + 0.5), y, text=step) for number, step in enumerate(steps) if number % every == 0)
