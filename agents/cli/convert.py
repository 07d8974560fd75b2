"""`tierstream convert`: a shop's own export of its orders, in the form that a replay reads."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from agents.cli import show
from agents.cli.errors import CommandError
from agents.replay.orders_csv import COLUMNS, OPTIONAL
from agents.replay.shop_csv import MEANINGS, ExportForm, ShopExport
from schemas.currencies import EXPONENTS

_ALL = (*COLUMNS, *OPTIONAL)


def convert(  # noqa: PLR0913, PLR0917 - these are the options of a command
    export: Annotated[
        Path, typer.Argument(metavar="EXPORT", help="The shop's file.", show_default=False)
    ],
    orders: Annotated[
        Path, typer.Argument(metavar="ORDERS", help="What to write, a .csv.", show_default=False)
    ],
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OURS=THEIRS",
            help="Which column holds what, if it is not found by its name; nothing behind the =: "
            "none does.",
        ),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VALUE=KIND",
            help="What a value of the column kind means: paid, refunded, cancelled, or skip.",
        ),
    ] = None,
    currency: Annotated[
        str, typer.Option(metavar="CODE", help="Of amounts where no column says it.")
    ] = "",
    decimal: Annotated[
        str,
        typer.Option(metavar=",|.", help="Sign of decimals, where thousands are separated too."),
    ] = "",
    time_zone: Annotated[
        str, typer.Option(metavar="ZONE", help="Of times that say none, such as Europe/Berlin.")
    ] = "",
    dates: Annotated[
        str, typer.Option(metavar="FORM", help='Form of times, such as "%d/%m/%Y %H:%M".')
    ] = "",
    encoding: Annotated[
        str, typer.Option(metavar="NAME", help="Of the text: utf-8, cp1252, gbk, utf-16 ...")
    ] = "utf-8-sig",
    force: Annotated[bool, typer.Option("--force", help="Write over a file.")] = False,
) -> None:
    """Bring a shop's export of its orders into the form that all other commands read.

    One line is one order, or one refund. What separates the values, and which column is which,
    is found where names are usual (English, German, Chinese); whatever could change a figure
    must be said, and the first line that needs it says how. Without a column for the kind, all
    lines are paid orders.
    """
    form = ExportForm(
        columns=_pairs("--column", column, _ALL),
        kinds=_pairs("--kind", kind, MEANINGS, by_value=True),
        currency=_one_of("--currency", currency, EXPONENTS, "an ISO 4217 code, such as EUR"),
        decimal=_one_of("--decimal", decimal, (",", "."), ", or ."),
        time_zone=_zone(time_zone),
        dates=dates,
        encoding=_encoding(encoding),
    )
    if orders.exists() and not force:
        raise CommandError(f"{orders}: exists; allowed: a new file, or --force")
    source = ShopExport(export, form)
    found = list(source.rows())
    if not found:
        raise CommandError(f"{export}: no order in it; allowed: at least one")
    _write(orders, (cells for cells, _ in found))
    rows = [row for _, row in found]
    first, last = (pick(rows, key=lambda row: row.occurred_ms) for pick in (min, max))
    left_out = f", {source.skipped:,} lines left out" if source.skipped else ""
    show.out.print(
        f"{orders}: {len(rows):,} lines of {len({row.customer_id for row in rows}):,} customers, "
        f"{first.occurred_at} to {last.occurred_at}{left_out}",
        markup=False,
        soft_wrap=True,
    )
    for ours, theirs in source.columns.items():
        show.out.print(f"  {ours:12} {theirs}", markup=False, soft_wrap=True)
    if source.unused:
        show.out.print(f"  not used     {', '.join(source.unused)}", markup=False, soft_wrap=True)


def _write(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, _ALL, restval="")
            writer.writeheader()
            writer.writerows(rows)
    except OSError as exc:
        reason = (exc.strerror or "unwritable").lower()
        raise CommandError(f"{path}: {reason}; allowed: a place that can be written") from exc


def _pairs(
    option: str, given: list[str] | None, known: Iterable[str], *, by_value: bool = False
) -> dict[str, str]:
    """Return A=B as a mapping, where A (*by_value*: B) is among those *known*."""
    pairs = {}
    for text in given or ():
        # A value of a shop may hold an equals sign, one of ours does not.
        left, sign, right = text.rpartition("=") if by_value else text.partition("=")
        if not sign or (right if by_value else left) not in known:
            form = "VALUE=KIND, KIND" if by_value else "OURS=THEIRS, OURS"
            raise CommandError(
                f"{option}: {text!r} is not allowed; allowed: {form} one of {', '.join(known)}"
            )
        pairs[left] = right
    return pairs


def _one_of(option: str, text: str, known: Iterable[str], words: str) -> str:
    if text and text not in known:
        raise CommandError(f"{option}: {text!r} is not allowed; allowed: {words}")
    return text


def _zone(text: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(text) if text else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CommandError(
            f"--time-zone: {text!r} is not allowed; allowed: an IANA time zone, such as "
            "Europe/Berlin or Asia/Shanghai"
        ) from None


def _encoding(text: str) -> str:
    try:
        "".encode(text)
    except LookupError:
        raise CommandError(
            f"--encoding: {text!r} is not allowed; allowed: utf-8, cp1252, gbk, utf-16 and the "
            "other names that Python knows"
        ) from None
    return "utf-8-sig" if text.lower().replace("_", "-") in {"utf-8", "utf8"} else text
