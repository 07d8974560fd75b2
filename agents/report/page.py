"""A simulation as one page with pictures: a single file, nothing loaded from anywhere."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from agents.cli.show import instant
from agents.report.section import grading_section
from agents.report.svg import element, text
from agents.report.tables import number, rows_table
from agents.report.words import NO_OWNERS, revenue_text, share, signed, unmatched
from stream.simulation.pairs import DOWN, UP
from stream.simulation.tally import NEW, OLD, Amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.simulation.run import Simulated
    from stream.simulation.comparison import Comparison

_METHOD = (
    "The whole history was folded under each policy, record by record; tiers are those at the end. "
    "Weeks begin on Monday, UTC; a customer's first grade is not counted as a change. A change "
    "turns back when it goes down after one that went up or the other way round, or, where tiers "
    "have no order, when it returns to the tier just left."
)


def page(found: Simulated, comparisons: Sequence[Comparison], source: str) -> str:
    """Return the page as HTML; *source* is what the user called the log."""
    job = found.job
    title = f"{job.new.policy} {job.new.version} against {job.old.policy} {job.old.version}"
    style = files("agents.report").joinpath("page.css").read_text(encoding="utf-8")
    head = element(
        "head",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        element("title", text(f"{title} · tierstream")),
        f"<style>\n{style}</style>",
    )
    sections = [
        grading_section(f"g{i}", comparison, found) for i, comparison in enumerate(comparisons)
    ]
    body = element(
        "body",
        _header(found, comparisons, source),
        element("main", _cards(found), _overview(found, comparisons), *sections),
        _footer(comparisons),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _header(found: Simulated, comparisons: Sequence[Comparison], source: str) -> str:
    job = found.job
    links = [
        element("a", text(comparison.name), href=f"#g{i}")
        for i, comparison in enumerate(comparisons)
    ]
    new, old = f"{job.new.policy} {job.new.version}", f"{job.old.policy} {job.old.version}"
    span = f"{instant(found.from_ms)} to {instant(job.rules.as_of_ms)}"
    return element(
        "header",
        element("p", text("tierstream · policy simulation"), class_="brand"),
        element("h1", text(new), element("span", text(" against "), class_="versus"), text(old)),
        element("p", text(f"{source}: {found.records:,} records, {span}"), class_="soft"),
        element("nav", *links, aria_label="Gradings"),
        *(element("p", text(line), class_="note") for line in unmatched(found)),
    )


def _cards(found: Simulated) -> str:
    tally = found.tally
    rows = [
        ("Customers", f"{tally.customers.customers:,}", "known to either policy"),
        (
            "Revenue",
            revenue_text(found, tally.customers.revenue_minor),
            f"of the last {found.job.rules.revenue_days} days",
        ),
        (
            "Tier changes, new policy",
            f"{tally.changes[NEW]:,}",
            f"{signed(tally.changes[NEW] - tally.changes[OLD])}; old: {tally.changes[OLD]:,}",
        ),
    ]
    return element(
        "dl",
        *(
            element(
                "div",
                element("dt", text(name)),
                element("dd", text(value), element("small", text(note))),
                class_="card",
            )
            for name, value, note in rows
        ),
        class_="cards",
    )


def _overview(found: Simulated, comparisons: Sequence[Comparison]) -> str:
    whole = found.tally.customers.revenue_minor
    rows = []
    for i, comparison in enumerate(comparisons):
        moved = comparison.moved()
        up, down = moved.pop(UP, Amount()), moved.pop(DOWN, Amount())
        other = sum(amount.customers for amount in moved.values())
        flapping = comparison.tally.flapping
        rows.append(
            [
                element("th", element("a", text(comparison.name), href=f"#g{i}"), scope="row"),
                number(f"{up.customers:,}", UP if up.customers else "zero"),
                number(_stake(found, up, whole)),
                number(f"{down.customers:,}", DOWN if down.customers else "zero"),
                number(_stake(found, down, whole)),
                number(f"{other:,}", "lateral" if other else "zero"),
                number(f"{flapping[OLD]:,} → {flapping[NEW]:,}"),
            ]
        )
    over = found.job.rules.flapping_over
    return element(
        "section",
        element("h2", text("Who would move")),
        element(
            "p",
            text("Revenue at stake is the revenue of the customers who would move."),
            class_="soft",
        ),
        rows_table(
            "",
            [
                "grading",
                "+up",
                "+revenue going up",
                "+down",
                "+revenue going down",
                "+other moves",
                f"+back and forth more than {over} times",
            ],
            rows,
        ),
    )


def _stake(found: Simulated, amount: Amount, whole: int) -> str:
    if not amount.customers:
        return "-"
    return f"{revenue_text(found, amount.revenue_minor)} · {share(amount.revenue_minor, whole)}"


def _footer(comparisons: Sequence[Comparison]) -> str:
    lines = [_METHOD]
    if not any(comparison.tally.owners for comparison in comparisons):
        lines.append(f"Load per account manager: {NO_OWNERS}.")
    return element("footer", *(element("p", text(line)) for line in lines))
