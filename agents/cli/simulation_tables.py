"""A simulation on the terminal: made to be read at 100 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.text import Text

from agents.cli.show import instant, out, table
from agents.report.words import (
    MOVES,
    NO_OWNERS,
    reason_texts,
    revenue_text,
    share,
    signed,
    tier_name,
    unmatched,
)
from stream.simulation.pairs import DOWN, STAYED, UP
from stream.simulation.tally import NEW, OLD, Amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from agents.simulation.run import Simulated
    from stream.simulation.comparison import Comparison

_MATRIX_COLUMNS = 88
_CELL, _LEAST = 3, 6
_MOST_TIERS = 12
_MOVERS = 5
_FLOWS = 10
_OWNERS = 20
_SPARKS = " ▁▂▃▄▅▆▇█"
_SPARK_COLUMNS = 40
_COLOURS = {UP: "green", DOWN: "red"}


def tell(found: Simulated, comparisons: Sequence[Comparison]) -> None:
    """Print what *found* says of *comparisons*."""
    job, customers = found.job, found.tally.customers
    out.print(
        f"[bold]{escape(job.new.policy)} {job.new.version}[/] (new) against "
        f"[bold]{escape(job.old.policy)} {job.old.version}[/] (old): "
        f"{customers.customers:,} customers, {instant(found.from_ms)} to "
        f"{instant(job.rules.as_of_ms)}"
    )
    out.print(
        f"[dim]revenue is that of the last {job.rules.revenue_days} days: "
        f"{revenue_text(found, customers.revenue_minor)} in all[/]"
    )
    for line in unmatched(found):
        out.print(f"note: {line}", style="yellow", markup=False)
    out.print(_overview(found, comparisons))
    out.print(_steadiness(found, comparisons))
    for comparison in comparisons:
        if not comparison.moving().customers:
            continue
        out.print(_matrix(comparison) if _fits(comparison) else _flows(comparison, found))
        if len(comparison.new_tiers) <= _MOST_TIERS:
            out.print(_tiers(comparison, found))
        out.print(_movers(comparison, found))
    _tell_owners(found, comparisons)


def _overview(found: Simulated, comparisons: Sequence[Comparison]) -> Table:
    right = ("customers up", "revenue up", "customers down", "revenue down", "other moves")
    made = table("Who would move", "grading", *right, right=right)
    for comparison in comparisons:
        moved = comparison.moved()
        up, down = moved.pop(UP, Amount()), moved.pop(DOWN, Amount())
        other = sum(amount.customers for amount in moved.values())
        made.add_row(
            comparison.name,
            _coloured(up.customers, UP),
            revenue_text(found, up.revenue_minor) if up.customers else "",
            _coloured(down.customers, DOWN),
            revenue_text(found, down.revenue_minor) if down.customers else "",
            f"{other:,}" if other else "",
        )
    return made


def _coloured(number: int, direction: str) -> Text:
    if not number:
        return Text("0", style="dim")
    return Text(f"{number:,}", style=_COLOURS.get(direction, ""))


def _steadiness(found: Simulated, comparisons: Sequence[Comparison]) -> Table:
    over = f"back and forth > {found.job.rules.flapping_over}"
    right = ("a week", "most", over)
    title = "Changes per week (first grades left out)"
    made = table(title, "grading", "policy", *right, "week by week", right=right)
    for comparison in comparisons:
        tally = comparison.tally
        weeks = sorted({*tally.weeks[OLD], *tally.weeks[NEW]})
        highest = max((max(w.values(), default=0) for w in tally.weeks), default=0)
        for side, name in ((OLD, "old"), (NEW, "new")):
            counts = [tally.weeks[side][w] for w in range(weeks[0], weeks[-1] + 1)] if weeks else []
            mean = round(sum(counts) / len(counts)) if counts else 0
            made.add_row(
                comparison.name if side == OLD else "",
                name,
                f"{mean:,}",
                f"{max(counts, default=0):,}",
                f"{tally.flapping[side]:,}",
                sparkline(counts, highest, _SPARK_COLUMNS),
            )
    return made


def sparkline(counts: Sequence[int], highest: int, columns: int) -> str:
    """Return *counts* as blocks, several to a column where there are more than *columns*.

    >>> sparkline([0, 4, 8], 8, 40), sparkline([8, 8, 0, 0], 8, 2), sparkline([], 0, 9)
    (' ▄█', '█ ', '')
    """
    step = -(-len(counts) // columns) or 1
    groups = [counts[i : i + step] for i in range(0, len(counts), step)]
    height = len(_SPARKS) - 1
    return "".join(
        _SPARKS[min(height, -(-height * sum(g) // (len(g) * highest)))] if highest else " "
        for g in groups
    )


def _fits(comparison: Comparison) -> bool:
    """Say whether the matrix can be read on a terminal; RFM cells and long names cannot."""
    old = max(len(tier_name(tier)) for tier in comparison.old_tiers)
    new = sum(max(len(tier_name(tier)), _LEAST) + _CELL for tier in comparison.new_tiers)
    return old + new + _LEAST <= _MATRIX_COLUMNS


def _matrix(comparison: Comparison) -> Table:
    names = [tier_name(tier) for tier in comparison.new_tiers]
    made = table(
        f"{comparison.name}: customers, from the old tier (down) to the new one (across)",
        "old \\ new",
        *names,
        "all",
        right=(*names, "all"),
    )
    for old, held in comparison.held(OLD).items():
        cells = []
        for new in comparison.new_tiers:
            number = comparison.cell(old, new).customers
            direction = comparison.directions.get((old, new), STAYED)
            cells.append(
                Text(f"{number:,}" if number else "·", style=_style(direction, number=number))
            )
        made.add_row(tier_name(old), *cells, f"{held.customers:,}")
    totals = comparison.held(NEW).values()
    made.add_section()
    whole = sum(amount.customers for amount in totals)
    made.add_row("all", *(f"{amount.customers:,}" for amount in totals), f"{whole:,}")
    return made


def _style(direction: str, *, number: int) -> str:
    if not number:
        return "dim"
    return "bold" if direction == STAYED else _COLOURS.get(direction, "yellow")


def _flows(comparison: Comparison, found: Simulated) -> Table:
    right = ("customers", "revenue")
    title = f"{comparison.name}: most frequent moves"
    made = table(title, "old", "new", "move", *right, right=right)
    moving = [f for f in comparison.tally.flows.items() if comparison.directions[f[0]] != STAYED]
    moving.sort(key=lambda flow: (-flow[1].customers, str(flow[0])))
    for (old, new), amount in moving[:_FLOWS]:
        direction = comparison.directions[old, new]
        made.add_row(
            tier_name(old),
            tier_name(new),
            Text(MOVES[direction], style=_COLOURS.get(direction, "")),
            f"{amount.customers:,}",
            revenue_text(found, amount.revenue_minor),
        )
    return made


def _tiers(comparison: Comparison, found: Simulated) -> Table:
    right = ("old", "new", "change", "revenue old", "revenue new")
    made = table(f"{comparison.name}: customers and share of revenue", "tier", *right, right=right)
    whole = found.tally.customers.revenue_minor
    held = comparison.held(OLD), comparison.held(NEW)
    for tier in dict.fromkeys([*held[NEW], *held[OLD]]):
        old, new = (side.get(tier) or Amount() for side in held)
        made.add_row(
            tier_name(tier),
            f"{old.customers:,}",
            f"{new.customers:,}",
            signed(new.customers - old.customers),
            share(old.revenue_minor, whole),
            share(new.revenue_minor, whole),
        )
    return made


def _movers(comparison: Comparison, found: Simulated) -> Table:
    title = f"{comparison.name}: who moves, by revenue"
    made = table(title, "customer", "revenue", "old", "new", "why", right=("revenue",))
    for mover in comparison.tally.movers.items[:_MOVERS]:
        made.add_row(
            Text(mover.customer_id, overflow="ellipsis", no_wrap=True),
            revenue_text(found, mover.revenue_minor),
            tier_name(mover.old),
            Text(tier_name(mover.new), style=_COLOURS.get(mover.direction, "yellow")),
            Text("\n".join(reason_texts(mover.reasons, found.job.new.currency))),
        )
    return made


def _tell_owners(found: Simulated, comparisons: Sequence[Comparison]) -> None:
    if not any(comparison.tally.owners for comparison in comparisons):
        out.print(f"[dim]{NO_OWNERS}[/]")
        return
    for comparison in comparisons:
        if comparison.moving().customers and comparison.tally.owners:
            out.print(_owners(comparison, found))


def _owners(comparison: Comparison, found: Simulated) -> Table:
    best = comparison.new_tiers[0]
    right = ("customers", "revenue", "up", "down", "other", tier_name(best))
    title = f"{comparison.name}: load per account manager"
    made = table(title, "owner", *right, right=right)
    owners = comparison.tally.owners
    listed = sorted(owners, key=lambda o: (-sum(a.revenue_minor for a in owners[o].values()), o))
    for owner in listed[:_OWNERS]:
        flows = owners[owner]
        moved = {d: amount.customers for d, amount in comparison.moved(flows).items()}
        held = [comparison.held(side, flows).get(best) or Amount() for side in (OLD, NEW)]
        made.add_row(
            Text(owner),
            f"{sum(a.customers for a in flows.values()):,}",
            revenue_text(found, sum(a.revenue_minor for a in flows.values())),
            _coloured(moved.pop(UP, 0), UP),
            _coloured(moved.pop(DOWN, 0), DOWN),
            f"{sum(moved.values()):,}",
            f"{held[OLD].customers:,} → {held[NEW].customers:,}",
        )
    if len(listed) > _OWNERS:
        made.add_row(f"{len(listed) - _OWNERS:,} more", style="dim")
    return made
