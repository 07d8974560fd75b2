"""How `tierstream rfm` tells what it found: a list of cells, five by five, or JSON."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from agents.cli import show
from stream.calendar import DAY_MS, format_instant
from stream.decimals import exact_text
from stream.measures import BASIS_POINTS
from stream.population.places import Places

if TYPE_CHECKING:
    from rich.table import Table

    from agents.cli.rfm import Report
    from stream.population.cells import Cell

_DIGITS = "54321"


def basis_points(share: Fraction | None) -> int | None:
    """Return *share* in basis points, rounded half to even.

    >>> basis_points(Fraction("0.62") / 35)
    177
    """
    return None if share is None else round(share * BASIS_POINTS)


def data(report: Report) -> dict[str, object]:
    """Return everything, for machines; all 125 cells, "555" first."""
    needed = report.needed
    return {
        "policy": report.document.policy,
        "version": report.document.version,
        "grading": report.grading,
        "as_of": format_instant(report.now_ms),
        "currency": report.document.currency,
        "customers": len(report.members),
        "not_graded": sum(member.cell is None for member in report.members),
        "revenue_minor": sum(member.revenue_minor for member in report.members),
        "top_fifth_share_bp": basis_points(_concentration(report)),
        "response": {
            "days": report.days,
            "from": format_instant(report.now_ms - report.days * DAY_MS),
            "asked": sum(cell.asked for cell in report.cells),
            "responded": sum(cell.responded for cell in report.cells),
        },
        "break_even": None
        if needed is None
        else {"exact": exact_text(needed), "bp": basis_points(needed)},
        "test_group": None
        if report.one_in is None
        else {
            "one_in": report.one_in,
            "customers": len(report.chosen),
            "ids": sorted(report.chosen),
        },
        "cells": [_cell(cell, needed) for cell in report.cells],
    }


def _cell(cell: Cell, needed: Fraction | None) -> dict[str, object]:
    return {
        "cell": cell.code,
        "customers": cell.customers,
        "revenue_minor": cell.revenue_minor,
        "share_bp": basis_points(cell.share),
        "asked": cell.asked,
        "responded": cell.responded,
        "response_bp": basis_points(cell.response),
        "worth_contacting": None if needed is None else cell.is_worth_contacting(needed),
        "in_test_group": cell.in_test_group,
    }


def tell(report: Report, *, grid: bool) -> None:
    """Show the cells that have or had customers, and what they come to."""
    show.out.print(_grid(report) if grid else _list(report))
    currency = report.document.currency
    revenue = sum(member.revenue_minor for member in report.members)
    show.out.print(
        f"{len(report.members):,} customers and {show.money(revenue, currency)} in "
        f"{sum(cell.customers > 0 for cell in report.cells)} of {len(report.cells)} cells as of "
        f"{show.instant(report.now_ms)}; the top 20 % of customers bring "
        f"{_percent(_concentration(report))} of revenue"
    )
    ungraded = sum(member.cell is None for member in report.members)
    if ungraded:
        show.out.print(f"{ungraded:,} customers are not graded")
    show.out.print(
        f"response: of those in the cell on {show.instant(report.now_ms - report.days * DAY_MS)}, "
        f"who ordered in the {report.days} days since"
    )
    if report.needed is not None:
        worth = [cell for cell in report.cells if cell.is_worth_contacting(report.needed)]
        customers = sum(cell.customers for cell in worth)
        show.out.print(
            f"break-even at a response of {_percent(report.needed)}; worth contacting: "
            f"{customers:,} customers, cells that reach it: {len(worth)}"
        )
    if report.one_in is not None:
        show.out.print(
            f"test group of one in {report.one_in}: {len(report.chosen):,} customers "
            "(--json lists them)"
        )


def _list(report: Report) -> Table:
    currency = report.document.currency
    numbers = ("customers", f"revenue {currency}", "share", "were", "ordered", "response")
    columns = [*numbers]
    if report.needed is not None:
        columns.append("pays")
    if report.one_in is not None:
        columns.append("test")
    made = show.table("RFM cells, best first", "cell", *columns, right=(*numbers, "test"))
    for cell in report.cells:
        if not (cell.customers or cell.asked):
            continue
        row = [
            cell.code,
            f"{cell.customers:,}",
            show.money(cell.revenue_minor, currency).removesuffix(f" {currency}"),
            _percent(cell.share),
            f"{cell.asked:,}",
            f"{cell.responded:,}",
            "" if cell.response is None else _percent(cell.response),
        ]
        worth = False
        if report.needed is not None:
            worth = bool(cell.is_worth_contacting(report.needed))
            row.append("yes" if worth else "")
        if report.one_in is not None:
            row.append(f"{cell.in_test_group:,}")
        made.add_row(*row, style="green" if worth else None)
    return made


def _grid(report: Report) -> Table:
    columns = [f"F {digit}" for digit in _DIGITS]
    title = "Customers, their share of revenue and their response, by recency and frequency"
    made = show.table(title, "", *columns, right=tuple(columns))
    for recency in _DIGITS:
        row = []
        for frequency in _DIGITS:
            inside = [cell for cell in report.cells if cell.code[:2] == recency + frequency]
            row.append(_square(inside))
        made.add_row(f"R {recency}", *row)
        made.add_section()
    return made


def _square(cells: list[Cell]) -> str:
    asked, responded = sum(c.asked for c in cells), sum(c.responded for c in cells)
    share = sum((cell.share for cell in cells), Fraction(0))
    response = _percent(Fraction(responded, asked)) if asked else "-"
    return f"{sum(c.customers for c in cells):,}\n[dim]{_percent(share)}[/]\n{response}"


def _concentration(report: Report) -> Fraction:
    if not report.members:
        return Fraction(0)
    return Places(member.revenue_minor for member in report.members).concentration()


def _percent(share: Fraction) -> str:
    return f"{round(share * BASIS_POINTS) / 100:.2f} %"
