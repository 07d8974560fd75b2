"""Who goes where, as ribbons from the tiers of the old policy to those of the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agents.report.svg import element, picture, room_for, shortened, text
from agents.report.words import MOVES, tier_name
from stream.simulation.pairs import STAYED
from stream.simulation.tally import NEW, OLD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stream.simulation.comparison import Comparison, Tier
    from stream.simulation.tally import Amount, Flow

_WIDTH, _TALL = 560.0, 240.0
_LEAST_LABEL, _NODE, _GAP, _TOP = 130.0, 12.0, 30.0, 16.0
_THINNEST = 1.5


class _Node(NamedTuple):
    top: float
    height: float
    size: int


def flow_picture(
    identity: str,
    comparison: Comparison,
    what: str,
    size_of: Callable[[Amount], int],
    said: Callable[[int], str],
) -> str:
    """Return the drawing of *what*; its sizes are those that *size_of* finds, in words by *said*.

    Widths are in proportion, but never less than a hairline.
    """
    flows = {f: size for f, a in comparison.tally.flows.items() if (size := size_of(a)) > 0}
    whole = sum(flows.values())
    scale = _TALL / whole if whole else 0.0
    nodes = [_nodes(comparison.tiers(side), flows, side, scale) for side in (OLD, NEW)]
    names = [tier_name(tier) for side in nodes for tier in side]
    label = room_for(names, _LEAST_LABEL) + 12
    offsets: list[dict[Tier, float]] = [{}, {}]
    ribbons = []
    order = [comparison.old_tiers.index, comparison.new_tiers.index]
    for flow in sorted(flows, key=lambda f: (order[OLD](f[OLD]), order[NEW](f[NEW]))):
        thick = max(flows[flow] * scale, _THINNEST)
        ends = []
        for side in (OLD, NEW):
            at = offsets[side].get(flow[side], 0.0)
            offsets[side][flow[side]] = at + flows[flow] * scale
            ends.append(nodes[side][flow[side]].top + at)
        direction = comparison.directions[flow]
        words = f"{tier_name(flow[OLD])} to {tier_name(flow[NEW])}, {MOVES.get(direction, STAYED)}"
        ribbons.append(
            (direction, _ribbon(label, ends, thick, direction, f"{words}: {said(flows[flow])}"))
        )
    # Those who stay lie below those who move.
    shapes = [shape for direction, shape in ribbons if direction == STAYED]
    shapes += [shape for direction, shape in ribbons if direction != STAYED]
    for side in (OLD, NEW):
        shapes += [_bar(label, side, tier, node, said) for tier, node in nodes[side].items()]
    bottom = max((n.top + n.height for side in nodes for n in side.values()), default=_TOP)
    return picture(
        identity,
        f"Flow of {what} of {comparison.name}",
        f"Old tiers on the left, new tiers on the right; a ribbon is as wide as its {what}.",
        (_WIDTH, bottom + _TOP),
        shapes,
    )


def _nodes(
    tiers: tuple[Tier, ...], flows: Mapping[Flow, int], side: int, scale: float
) -> dict[Tier, _Node]:
    sizes = dict.fromkeys(tiers, 0)
    for flow, size in flows.items():
        sizes[flow[side]] += size
    nodes, top = {}, _TOP
    for tier, size in sizes.items():
        nodes[tier] = _Node(top, max(size * scale, _THINNEST), size)
        top += nodes[tier].height + _GAP
    return nodes


def _ribbon(label: float, ends: list[float], thick: float, direction: str, said: str) -> str:
    left, right = label + _NODE, _WIDTH - label - _NODE
    middle = (left + right) / 2
    a, b = ends
    path = (
        f"M{left:.1f} {a:.1f} C{middle:.1f} {a:.1f} {middle:.1f} {b:.1f} {right:.1f} {b:.1f} "
        f"V{b + thick:.1f} C{middle:.1f} {b + thick:.1f} {middle:.1f} {a + thick:.1f} "
        f"{left:.1f} {a + thick:.1f} Z"
    )
    return element("path", element("title", text(said)), d=path, class_=f"ribbon {direction}")


def _bar(room: float, side: int, tier: Tier, node: _Node, said: Callable[[int], str]) -> str:
    x = room if side == OLD else _WIDTH - room - _NODE
    label = room - 10 if side == OLD else _WIDTH - room + 10
    anchor = "end" if side == OLD else "start"
    middle = node.top + node.height / 2
    return element(
        "g",
        element("rect", x=x, y=node.top, width=_NODE, height=node.height, rx=2, class_="node"),
        element(
            "text", text(shortened(tier_name(tier))), x=label, y=middle - 1, class_=f"tier {anchor}"
        ),
        element("text", text(said(node.size)), x=label, y=middle + 13, class_=f"count {anchor}"),
    )
