"""Changes per week under both policies, as two lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.cli.show import instant
from agents.report.svg import element, picture, text, ticks
from stream.simulation.stability import week_start_ms
from stream.simulation.tally import NEW, OLD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.simulation.comparison import Comparison

_WIDTH, _HEIGHT = 1120.0, 250.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 16.0, 14.0, 30.0
_LABELS = 9


def weeks_picture(identity: str, comparison: Comparison) -> str:
    """Return the drawing, "" where nothing ever changed after the first grade."""
    counts = comparison.tally.weeks
    seen = {*counts[OLD], *counts[NEW]}
    if not seen:
        return ""
    weeks = range(min(seen), max(seen) + 1)
    levels = ticks(max(max(side.values(), default=0) for side in counts))
    shapes = [*_grid(levels), *_dates(weeks)]
    for side, name in ((OLD, "old"), (NEW, "new")):
        points = [(_x(i, weeks), _y(counts[side][w], levels)) for i, w in enumerate(weeks)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        shapes.append(element("polyline", points=path, class_=f"line {name}"))
    shapes += [
        _column(i, weeks, f"week of {_date(w)}: old {counts[OLD][w]:,}, new {counts[NEW][w]:,}")
        for i, w in enumerate(weeks)
    ]
    return picture(
        identity,
        f"Changes of {comparison.name} per week",
        f"Old policy {counts[OLD].total():,} changes in all, new policy {counts[NEW].total():,}; "
        f"weeks from {_date(weeks[0])} to {_date(weeks[-1])}.",
        (_WIDTH, _HEIGHT),
        shapes,
    )


def _x(index: int, weeks: Sequence[int]) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (index + 0.5) / len(weeks)


def _y(count: int, levels: Sequence[int]) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * count / levels[-1]


def _date(week: int) -> str:
    return instant(week_start_ms(week))


def _grid(levels: Sequence[int]) -> list[str]:
    shapes = []
    for level in levels:
        y = _y(level, levels)
        shapes += [
            element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="grid"),
            element("text", text(f"{level:,}"), x=_LEFT - 10, y=y + 4, class_="count end"),
        ]
    return shapes


def _dates(weeks: Sequence[int]) -> list[str]:
    step = -(-len(weeks) // _LABELS)
    return [
        element("text", text(_date(w)), x=_x(i, weeks), y=_HEIGHT - 8, class_="count middle")
        for i, w in enumerate(weeks)
        if i % step == step // 2
    ]


def _column(index: int, weeks: Sequence[int], said: str) -> str:
    width = (_WIDTH - _LEFT - _RIGHT) / len(weeks)
    return element(
        "rect",
        element("title", text(said)),
        x=_x(index, weeks) - width / 2,
        y=_TOP,
        width=width,
        height=_HEIGHT - _TOP - _BOTTOM,
        class_="hover",
    )
