"""Order histories as CSV: reading and checking rows. The format is in `COLUMNS`."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, NoReturn, get_args

from agents.replay.log import Kind, OrderRow
from agents.replay.mistakes import ReplayFileError
from schemas.base import MAX_MINOR, instant_ms, parse_instant
from schemas.currencies import EXPONENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import TextIO

COLUMNS = ("customer_id", "order_id", "kind", "occurred_at", "amount", "currency")
OPTIONAL = ("cost", "category")

_KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}
_LONGEST_ID = 128
_LONGEST_CATEGORY = 64
_DECIMAL = re.compile(r"([0-9]+)(?:\.([0-9]+))?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_HEADER = (
    f"the columns {','.join(COLUMNS)} and perhaps {','.join(OPTIONAL)}, each once "
    "(`tierstream convert` makes this of a shop's own export)"
)
_INSTANT = (
    "an RFC 3339 instant with its zone from 1970 on, such as 1997-01-12T08:30:00Z, "
    "or a date such as 1997-01-12 for its midnight in UTC"
)


def read_orders(path: Path) -> Iterator[OrderRow]:
    """Yield the rows of the file at *path* in its order.

    Columns may stand in any order. `amount` and `cost` are decimals of `currency`; a
    cancellation needs neither amount nor currency. A paid amount may be 0, a refund may not.

    Raises:
        ReplayFileError: The file cannot be read, or a row is wrong: the first mistake.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            yield from _rows(lines, str(path))
    except OSError as exc:
        said = (exc.strerror or "unreadable").lower()
        raise ReplayFileError(str(path), value=said, allowed="a readable file") from exc
    except UnicodeDecodeError as exc:
        raise ReplayFileError(str(path), value="bytes", allowed="text in UTF-8") from exc


def read_row(file: str, line: int, cells: Mapping[str, str]) -> OrderRow:
    """Return one row, checked, of its *cells* by column: `COLUMNS`, and perhaps `OPTIONAL`.

    Raises:
        ReplayFileError: It is wrong; says *file* and *line*.
    """
    return _Cells(file, line, cells).row()


def _rows(lines: TextIO, file: str) -> Iterator[OrderRow]:
    reader = csv.reader(lines, strict=True)
    try:
        header = next(reader, [])
        _check_header(header, file)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                found, wanted = f"{len(cells)} values", f"{len(header)} values"
                raise ReplayFileError(file, line=reader.line_num, value=found, allowed=wanted)
            yield read_row(file, reader.line_num, dict(zip(header, cells, strict=True)))
    except csv.Error as exc:
        raise ReplayFileError(
            file, line=reader.line_num, value=str(exc), allowed="comma-separated values"
        ) from exc


def _check_header(header: list[str], file: str) -> None:
    for column in COLUMNS:
        if column not in header:
            raise ReplayFileError(file, line=1, column=column, allowed=_HEADER)
    known = [*COLUMNS, *OPTIONAL]
    for position, column in enumerate(header):
        if column not in known or column in header[:position]:
            raise ReplayFileError(file, line=1, value=column, allowed=_HEADER)


class _Cells:
    """One line's cells by column, and what is wrong with them."""

    def __init__(self, file: str, line: int, cells: Mapping[str, str]) -> None:
        self._file = file
        self._line = line
        self._cells = cells

    def row(self) -> OrderRow:
        customer_id, order_id = self._id("customer_id"), self._id("order_id")
        kind = self._kind()
        occurred_at, occurred_ms = self._instant()
        if kind == "cancelled" and not self._cells["amount"]:
            return OrderRow(customer_id, order_id, kind, occurred_at, occurred_ms)
        currency = self._cells["currency"]
        if currency not in EXPONENTS:
            self._refuse("currency", "an ISO 4217 code in upper case, such as USD")
        amount_minor = self._minor("amount", currency)
        if kind == "cancelled":
            return OrderRow(customer_id, order_id, kind, occurred_at, occurred_ms)
        if kind == "refunded":
            if not amount_minor:
                self._refuse("amount", "a refund above 0")
            return OrderRow(
                customer_id, order_id, kind, occurred_at, occurred_ms, amount_minor, currency
            )
        cost_minor = self._minor("cost", currency) if self._cells.get("cost") else None
        return OrderRow(
            customer_id,
            order_id,
            kind,
            occurred_at,
            occurred_ms,
            amount_minor,
            currency,
            cost_minor,
            self._category(),
        )

    def _id(self, column: str) -> str:
        text = self._cells[column]
        if not 1 <= len(text) <= _LONGEST_ID:
            self._refuse(column, f"1 to {_LONGEST_ID} characters")
        return text

    def _kind(self) -> Kind:
        kind = _KINDS.get(self._cells["kind"])
        if kind is None:
            self._refuse("kind", ", ".join(_KINDS))
        return kind

    def _instant(self) -> tuple[str, int]:
        text = self._cells["occurred_at"]
        if _DATE.fullmatch(text):
            text += "T00:00:00Z"
        try:
            occurred_ms = instant_ms(parse_instant(text))
        except ValueError:
            occurred_ms = -1
        if occurred_ms < 0:
            self._refuse("occurred_at", _INSTANT)
        return text, occurred_ms

    def _minor(self, column: str, currency: str) -> int:
        places = EXPONENTS[currency]
        match = _DECIMAL.fullmatch(self._cells[column])
        if not match or len(match[2] or "") > places:
            wanted = f"at most {places} decimal places" if places else "no decimal places"
            self._refuse(column, f"a positive decimal with {wanted} in {currency}")
        minor = int(match[1] + (match[2] or "").ljust(places, "0"))
        if minor > MAX_MINOR:
            self._refuse(column, f"at most {MAX_MINOR} minor units")
        return minor

    def _category(self) -> str | None:
        text = self._cells.get("category") or None
        if text is not None and len(text) > _LONGEST_CATEGORY:
            self._refuse("category", f"at most {_LONGEST_CATEGORY} characters")
        return text

    def _refuse(self, column: str, allowed: str) -> NoReturn:
        value = self._cells[column] or None
        raise ReplayFileError(
            self._file, line=self._line, column=column, value=value, allowed=allowed
        )
