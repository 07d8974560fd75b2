"""The migration matrix as a heat map: tier under the old policy down, under the new one across."""

from __future__ import annotations

from math import cos, radians, sin, sqrt
from typing import TYPE_CHECKING

from agents.report.svg import element, picture, room_for, shortened, text
from agents.report.words import MOVES, revenue_text, share, tier_name
from stream.simulation.pairs import STAYED
from stream.simulation.tally import NEW, OLD

if TYPE_CHECKING:
    from agents.simulation.run import Simulated
    from stream.simulation.comparison import Comparison, Tier

_WIDTH, _HEIGHT = 104.0, 54.0
_LEAST_LEFT, _LEAST_TOP = 96.0, 58.0
_SLANT = 32
_FAINTEST, _STRONGEST = 0.08, 0.72


def heat_map(identity: str, comparison: Comparison, found: Simulated) -> str:
    """Return the drawing; the stronger a cell, the larger its share of its row."""
    rows, columns = comparison.held(OLD), comparison.held(NEW)
    left = room_for(map(tier_name, rows), _LEAST_LEFT) + 24
    widest = room_for(map(tier_name, columns), 0)
    slanted = widest > _WIDTH
    top = _LEAST_TOP + (widest * sin(radians(_SLANT)) if slanted else 0)
    shapes = [
        element("text", text("new tier →"), x=left - 12, y=14, class_="axis end"),
        element("text", text("old tier ↓"), x=left - 12, y=top - 14, class_="axis end"),
    ]
    for column, (tier, held) in enumerate(columns.items()):
        middle = left + (column + 0.5) * _WIDTH
        shapes.append(_column(tier, held.customers, middle, top - 22, slanted=slanted))
    for row, (old, held) in enumerate(rows.items()):
        shapes.append(_label(old, held.customers, left - 12, top + row * _HEIGHT + 22, "end"))
        shapes += [
            _cell(
                comparison,
                found,
                (old, new),
                held.customers,
                (left + column * _WIDTH, top + row * _HEIGHT),
            )
            for column, new in enumerate(columns)
        ]
    overhang = widest * cos(radians(_SLANT)) - _WIDTH / 2 if slanted else 4
    size = left + len(columns) * _WIDTH + max(overhang, 4), top + len(rows) * _HEIGHT + 4
    moving = comparison.moving().customers
    return picture(
        identity,
        f"Migration matrix of {comparison.name}",
        f"{moving:,} customers end in another tier under the new policy; "
        "the table below the picture says the same in numbers.",
        size,
        shapes,
    )


def _column(tier: Tier, customers: int, x: float, y: float, *, slanted: bool) -> str:
    if not slanted:
        return _label(tier, customers, x, y, "middle")
    turned = element(
        "text",
        text(shortened(tier_name(tier))),
        x=x,
        y=y - 4,
        class_="tier start",
        transform=f"rotate({-_SLANT} {x:.1f} {y - 4:.1f})",
    )
    return element(
        "g", turned, element("text", text(f"{customers:,}"), x=x, y=y + 15, class_="count middle")
    )


def _label(tier: Tier, customers: int, x: float, y: float, anchor: str) -> str:
    return element(
        "g",
        element("text", text(shortened(tier_name(tier))), x=x, y=y, class_=f"tier {anchor}"),
        element("text", text(f"{customers:,}"), x=x, y=y + 15, class_=f"count {anchor}"),
    )


def _cell(
    comparison: Comparison,
    found: Simulated,
    flow: tuple[Tier, Tier],
    whole: int,
    place: tuple[float, float],
) -> str:
    amount = comparison.cell(*flow)
    direction = comparison.directions.get(flow, STAYED)
    x, y = place
    box = {"x": x + 2, "y": y + 2, "width": _WIDTH - 4, "height": _HEIGHT - 4, "rx": 6}
    if not amount.customers:
        return element("rect", class_="cell none", **box)
    strength = _FAINTEST + (_STRONGEST - _FAINTEST) * sqrt(amount.customers / whole)
    said = (
        f"{tier_name(flow[0])} to {tier_name(flow[1])}, {MOVES.get(direction, direction)}: "
        f"{amount.customers:,} customers ({share(amount.customers, whole)} of the row), "
        f"{revenue_text(found, amount.revenue_minor)}"
    )
    middle = x + _WIDTH / 2
    return element(
        "g",
        element("title", text(said)),
        element("rect", class_=f"cell {direction}", fill_opacity=strength, **box),
        element("text", text(f"{amount.customers:,}"), x=middle, y=y + 25, class_="value middle"),
        element(
            "text",
            text(share(amount.customers, whole)),
            x=middle,
            y=y + 41,
            class_="part middle",
        ),
    )
