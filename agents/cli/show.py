"""How things look on the terminal: consoles, money, instants, tables."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from schemas.currencies import EXPONENTS
from schemas.vocabulary import STAGES
from stream.calendar import format_instant

MIDNIGHT = "T00:00:00.000Z"
# A range of stages may end past the last one.
_STAGE_ENDS = (*STAGES, "after lost")

out = Console(highlight=False, emoji=False)
"""What a command was asked for."""

err = Console(stderr=True, highlight=False, emoji=False)
"""Progress, notes and errors."""


def print_json(data: object) -> None:
    """Write *data* to standard output as one line of JSON."""
    sys.stdout.write(msgspec.json.encode(data).decode() + "\n")
    sys.stdout.flush()


def money(minor: int, currency: str) -> str:
    """Return an amount in major units with its currency.

    >>> money(-123456, "USD"), money(1500, "JPY"), money(5, "KWD")
    ('-1,234.56 USD', '1,500 JPY', '0.005 KWD')
    """
    places = EXPONENTS[currency]
    sign = "-" if minor < 0 else ""
    major, rest = divmod(abs(minor), 10**places)
    decimals = f".{rest:0{places}d}" if places else ""
    return f"{sign}{major:,}{decimals} {currency}"


def reading(value: int | str | None, unit: str, currency: str) -> str:
    """Return a measure's reading in words for people.

    >>> reading(1250, "bp", "USD"), reading(1, "days", "USD"), reading(None, "money", "USD")
    ('12.5 %', '1 day', 'unknown')
    >>> reading(-5, "bp", "USD"), reading(3, "count", "USD"), reading("steel", "text", "USD")
    ('-0.05 %', '3', 'steel')
    >>> reading(0, "stage", "USD"), reading(6, "stage", "USD")
    ('demand', 'after lost')
    """
    if value is None:
        return "unknown"
    if isinstance(value, str) or unit == "stage":
        return value if isinstance(value, str) else _STAGE_ENDS[value]
    if unit == "money":
        return money(value, currency)
    if unit == "days":
        return f"{value:,} day" + ("" if value == 1 else "s")
    if unit == "bp":
        whole, rest = divmod(abs(value), 100)
        decimals = f".{rest:02d}".rstrip("0") if rest else ""
        return f"{'-' if value < 0 else ''}{whole:,}{decimals} %"
    return f"{value:,}"


def instant(instant_ms: int) -> str:
    """Return an instant as a date, with the time of day where it is not midnight UTC.

    >>> instant(852076800000), instant(852076800123)
    ('1997-01-01', '1997-01-01 00:00:00.123')
    """
    text = format_instant(instant_ms)
    if text.endswith(MIDNIGHT):
        return text.removesuffix(MIDNIGHT)
    return text.replace("T", " ").removesuffix("Z").removesuffix(".000")


def escaped(text: str) -> str:
    r"""Return *text* so that nothing in it is taken for markup.

    >>> escaped("a [b]")
    'a \\[b]'
    """
    return escape(text)


def table(title: str, *columns: str, right: tuple[str, ...] = ()) -> Table:
    """Return an empty table; the columns named in *right* are numbers."""
    made = Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        header_style="dim",
        box=SIMPLE,
        pad_edge=False,
    )
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left")
    return made


def pairs(title: str, rows: Mapping[str, Any]) -> Table:
    """Return a table of names and values without a header."""
    made = Table(
        title=title, title_justify="left", title_style="bold", show_header=False, box=SIMPLE
    )
    made.add_column(style="dim")
    made.add_column(justify="right")
    for name, value in rows.items():
        made.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
    return made


@contextmanager
def status(text: str) -> Iterator[Callable[[str], None]]:
    """Say on standard error what is going on; give a function that says what goes on now.

    One line that changes on a terminal, a line for each elsewhere.
    """
    if not err.is_terminal:
        yield lambda now: err.print(now, markup=False, soft_wrap=True)
        return
    with err.status(text) as shown:
        yield lambda now: shown.update(now.replace("[", r"\["))


def progress_bar() -> Progress:
    """Return a progress bar on standard error; silent where that is not a terminal."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )
