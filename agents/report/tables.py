"""Tables of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.report.svg import element, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def cell(words: str, kind: str = "") -> str:
    """Return a table cell with *words*, of the given style."""
    return element("td", text(words), class_=kind) if kind else element("td", text(words))


def number(words: str, kind: str = "") -> str:
    """Return a table cell with a number."""
    return cell(words, f"number {kind}".rstrip())


def rows_table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a column whose name starts with ``+`` holds numbers. *rows* are markup."""
    head = [
        element("th", text(name.removeprefix("+")), scope="col", class_="number")
        if name.startswith("+")
        else element("th", text(name), scope="col")
        for name in columns
    ]
    made = element(
        "table",
        *([element("caption", text(caption))] if caption else []),
        element("thead", element("tr", *head)),
        element("tbody", *(element("tr", *row) for row in rows)),
    )
    return element("div", made, class_="scroll")
