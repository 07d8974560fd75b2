"""One grading on the page: matrix, flows, weeks, tiers, movers, those who flap, and owners."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.report.flow import flow_picture
from agents.report.heat_map import heat_map
from agents.report.svg import element, text
from agents.report.tables import cell, number, rows_table
from agents.report.weeks import weeks_picture
from agents.report.words import MOVES, reason_texts, revenue_text, share, signed, tier_name
from stream.simulation.pairs import DOWN, STAYED, UP
from stream.simulation.tally import NEW, OLD, Amount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agents.simulation.run import Simulated
    from stream.simulation.comparison import Comparison, Tier
    from stream.simulation.tally import Flow

_WIDEST_MATRIX = 9
_NARROW = 4  # so many columns leave room for a table beside them
_FLOWS = 25


def grading_section(identity: str, comparison: Comparison, found: Simulated) -> str:
    """Return everything about one grading; *identity* is unique on the page."""
    parts = [element("h2", text(comparison.name)), element("p", text(_summary(comparison, found)))]
    moving = comparison.moving().customers
    small = max(len(comparison.old_tiers), len(comparison.new_tiers)) <= _WIDEST_MATRIX
    if moving and small:
        parts += _pictures(identity, comparison, found)
    if moving:
        parts += [element("h3", text("Moves")), _flows(comparison, found)]
    if small and not moving:
        parts.append(_tiers(comparison, found))
    parts += _steadiness(identity, comparison, found)
    if comparison.tally.movers.items:
        parts += [element("h3", text("Who moves, by revenue")), _movers(comparison, found)]
    if comparison.tally.owners:
        parts += [element("h3", text("Load per account manager")), _owners(comparison, found)]
    return element("section", *parts, id=identity)


def _summary(comparison: Comparison, found: Simulated) -> str:
    moving = comparison.moving()
    if not moving.customers:
        return "Nobody would stand in another tier."
    whole = found.tally.customers
    who = "customer" if moving.customers == 1 else "customers"
    return (
        f"{moving.customers:,} {who} ({share(moving.customers, whole.customers)}) with "
        f"{revenue_text(found, moving.revenue_minor)} of revenue "
        f"({share(moving.revenue_minor, whole.revenue_minor)}) would stand in another tier."
    )


def _pictures(identity: str, comparison: Comparison, found: Simulated) -> list[str]:
    legend = _legend(
        {"stay": "", "move up": "is-up", "move down": "is-down", "other moves": "is-lateral"}
    )
    customers = flow_picture(
        f"{identity}-customers",
        comparison,
        "customers",
        lambda amount: amount.customers,
        lambda size: f"{size:,}",
    )
    revenue = flow_picture(
        f"{identity}-revenue",
        comparison,
        "revenue",
        lambda amount: amount.revenue_minor,
        lambda size: revenue_text(found, size),
    )
    return [
        element("h3", text("From tier to tier, customers")),
        legend,
        _beside(heat_map(f"{identity}-matrix", comparison, found), _tiers(comparison, found))
        if len(comparison.new_tiers) <= _NARROW
        else heat_map(f"{identity}-matrix", comparison, found) + _tiers(comparison, found),
        _beside(
            element("h3", text("Where customers go")) + customers,
            element("h3", text("Where revenue goes")) + revenue,
        ),
    ]


def _beside(left: str, right: str) -> str:
    return element("div", element("div", left), element("div", right), class_="pair")


def _legend(names: Mapping[str, str]) -> str:
    return element(
        "p", *(element("span", text(n), class_=kind) for n, kind in names.items()), class_="legend"
    )


def _flows(comparison: Comparison, found: Simulated) -> str:
    moving = [f for f in comparison.tally.flows.items() if comparison.directions[f[0]] != STAYED]
    moving.sort(key=lambda flow: (-flow[1].revenue_minor, -flow[1].customers, str(flow[0])))
    whole = found.tally.customers.revenue_minor
    rows = [
        [
            cell(tier_name(old)),
            cell(tier_name(new)),
            cell(MOVES[comparison.directions[old, new]], f"tag {comparison.directions[old, new]}"),
            number(f"{amount.customers:,}"),
            number(revenue_text(found, amount.revenue_minor)),
            number(share(amount.revenue_minor, whole)),
        ]
        for (old, new), amount in moving[:_FLOWS]
    ]
    rest = f"the first {_FLOWS} of {len(moving)}" if len(moving) > _FLOWS else ""
    columns = ["old tier", "new tier", "move", "+customers", "+revenue", "+share of revenue"]
    return rows_table(rest, columns, rows)


def _tiers(comparison: Comparison, found: Simulated) -> str:
    whole = found.tally.customers
    held = comparison.held(OLD), comparison.held(NEW)
    rows = []
    for tier in dict.fromkeys([*held[NEW], *held[OLD]]):
        old, new = (side.get(tier) or Amount() for side in held)
        rows.append(
            [
                element("th", text(tier_name(tier)), scope="row"),
                number(f"{old.customers:,}"),
                number(f"{new.customers:,}"),
                number(signed(new.customers - old.customers)),
                _metered(old.revenue_minor, whole.revenue_minor, "old"),
                _metered(new.revenue_minor, whole.revenue_minor, "new"),
            ]
        )
    columns = ["tier", "+old", "+new", "+difference", "+revenue, old", "+revenue, new"]
    return rows_table("Customers and revenue under each policy", columns, rows)


def _metered(part: int, whole: int, side: str) -> str:
    percent = min(max(100 * part // whole, 0), 100) if whole > 0 else 0
    bar = element(
        "span",
        element("i", style=f"width: {percent}%"),
        class_=f"meter {side}",
        aria_hidden="true",
    )
    return element("td", text(share(part, whole)), bar, class_="number")


def _steadiness(identity: str, comparison: Comparison, found: Simulated) -> list[str]:
    tally, over = comparison.tally, found.job.rules.flapping_over
    drawn = weeks_picture(f"{identity}-weeks", comparison)
    if not drawn:
        return [element("p", text("No tier ever changed after the first grade."), class_="soft")]
    parts = [
        element("h3", text("Changes per week")),
        _legend({"old policy": "is-old", "new policy": "is-new"}),
        drawn,
        element(
            "p",
            text(
                f"Back and forth more than {over} times: {tally.flapping[OLD]:,} customers under "
                f"the old policy, {tally.flapping[NEW]:,} under the new one."
            ),
        ),
    ]
    if any(tally.flapping):
        tables = [
            rows_table(
                f"{name} policy, most often first",
                ["customer", "+back and forth", "+changes"],
                [
                    [cell(f.customer_id, "id"), number(f"{f.turns:,}"), number(f"{f.changes:,}")]
                    for f in tally.flappers[side].items
                ],
            )
            for side, name in ((OLD, "Old"), (NEW, "New"))
        ]
        shown = _beside(*tables)
        parts.append(element("details", element("summary", text("Who goes back and forth")), shown))
    return parts


def _movers(comparison: Comparison, found: Simulated) -> str:
    currency = found.job.new.currency
    rows = [
        [
            cell(mover.customer_id, "id"),
            *([cell(mover.owner or "-")] if comparison.tally.owners else []),
            number(revenue_text(found, mover.revenue_minor)),
            cell(tier_name(mover.old)),
            cell(tier_name(mover.new), f"tag {mover.direction}"),
            element(
                "td",
                *(element("div", text(line)) for line in reason_texts(mover.reasons, currency)),
                class_="why",
            ),
        ]
        for mover in comparison.tally.movers.items
    ]
    owner = ["owner"] if comparison.tally.owners else []
    return rows_table("", ["customer", *owner, "+revenue", "old", "new", "why"], rows)


def _owners(comparison: Comparison, found: Simulated) -> str:
    owners = comparison.tally.owners
    tiers: tuple[Tier, ...] = tuple(dict.fromkeys([*comparison.new_tiers, *comparison.old_tiers]))
    tiers = tiers if len(tiers) <= _WIDEST_MATRIX else tiers[:1]
    rows = []
    for owner in sorted(owners, key=lambda o: (-_revenue(owners[o]), o)):
        flows = owners[owner]
        moved = comparison.moved(flows)
        held = [comparison.held(side, flows) for side in (OLD, NEW)]
        loads = [[(side.get(tier) or Amount()).customers for side in held] for tier in tiers]
        rows.append(
            [
                element("th", text(owner), scope="row"),
                number(f"{sum(amount.customers for amount in flows.values()):,}"),
                number(revenue_text(found, _revenue(flows))),
                number(f"{(moved.get(UP) or Amount()).customers:,}", UP),
                number(f"{(moved.get(DOWN) or Amount()).customers:,}", DOWN),
                *(number(f"{old:,}" if old == new else f"{old:,} → {new:,}") for old, new in loads),
            ]
        )
    names = [f"+{tier_name(tier)}" for tier in tiers]
    return rows_table("", ["owner", "+customers", "+revenue", "+up", "+down", *names], rows)


def _revenue(flows: Mapping[Flow, Amount]) -> int:
    return sum(amount.revenue_minor for amount in flows.values())
