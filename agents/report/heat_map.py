"""The migration matrix as a heat map: tier under the old policy down, under the new one across."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from agents.report.svg import element, picture, text
from agents.report.words import MOVES, revenue_text, share, tier_name
from stream.simulation.pairs import STAYED
from stream.simulation.tally import NEW, OLD

if TYPE_CHECKING:
    from agents.simulation.run import Simulated
    from stream.simulation.comparison import Comparison, Tier

_LEFT, _TOP = 150, 58
_WIDTH, _HEIGHT = 104, 54
_FAINTEST, _STRONGEST = 0.08, 0.72


def heat_map(identity: str, comparison: Comparison, found: Simulated) -> str:
    """Return the drawing; the stronger a cell, the larger its share of its row."""
    rows = list(comparison.held(OLD).items())
    shapes = [
        element("text", text("new tier →"), x=_LEFT, y=16, class_="axis"),
        element("text", text("old tier ↓"), x=_LEFT - 12, y=44, class_="axis end"),
    ]
    for column, (tier, held) in enumerate(comparison.held(NEW).items()):
        middle = _LEFT + (column + 0.5) * _WIDTH
        shapes.append(_label(tier, held.customers, middle, 36, "middle"))
    for row, (old, held) in enumerate(rows):
        shapes.append(_label(old, held.customers, _LEFT - 12, _TOP + row * _HEIGHT + 22, "end"))
        shapes += [
            _cell(comparison, found, (old, new), held.customers, (column, row))
            for column, new in enumerate(comparison.new_tiers)
        ]
    size = _LEFT + len(comparison.new_tiers) * _WIDTH + 4, _TOP + len(rows) * _HEIGHT + 4
    moving = comparison.moving().customers
    return picture(
        identity,
        f"Migration matrix of {comparison.name}",
        f"{moving:,} customers end in another tier under the new policy; "
        "the table below the picture says the same in numbers.",
        size,
        shapes,
    )


def _label(tier: Tier, customers: int, x: float, y: float, anchor: str) -> str:
    return element(
        "g",
        element("text", text(tier_name(tier)), x=x, y=y, class_=f"tier {anchor}"),
        element("text", text(f"{customers:,}"), x=x, y=y + 15, class_=f"count {anchor}"),
    )


def _cell(
    comparison: Comparison,
    found: Simulated,
    flow: tuple[Tier, Tier],
    whole: int,
    place: tuple[int, int],
) -> str:
    amount = comparison.cell(*flow)
    direction = comparison.directions.get(flow, STAYED)
    x, y = _LEFT + place[0] * _WIDTH, _TOP + place[1] * _HEIGHT
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
