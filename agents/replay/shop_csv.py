"""A shop's own export, brought into the form of `orders_csv`.

Nothing that changes a figure is guessed: zones, decimal signs, the order of day and month, and
what a status means are said by the user, or the file is refused with the line that says how.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, NoReturn, get_args

from agents.replay.log import Kind
from agents.replay.mistakes import ReplayFileError
from agents.replay.orders_csv import COLUMNS, OPTIONAL, read_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import TextIO
    from zoneinfo import ZoneInfo

    from agents.replay.log import OrderRow

SKIP: Final = "skip"
"""What a kind may mean besides those of orders: the line is left out."""
MEANINGS: Final = (*get_args(Kind), SKIP)

_NAMES: Final[Mapping[str, frozenset[str]]] = {
    column: frozenset(names.split())
    for column, names in {
        "customer_id": "customerid customer customerno customernumber clientid buyerid "
        "kundennummer kundennr kundenid 客户编号 客户id 会员编号 会员id",
        "order_id": "orderid order orderno ordernumber invoice invoiceno invoicenumber "
        "bestellnummer bestellnr auftragsnummer rechnungsnummer 订单编号 订单号",
        "kind": "kind status orderstatus financialstatus bestellstatus 状态 订单状态",
        "occurred_at": "occurredat date orderdate createdat paidat invoicedate bestelldatum datum "
        "rechnungsdatum 下单时间 付款时间 订单时间 日期",
        "amount": "amount total ordertotal grandtotal totalprice betrag gesamtbetrag summe "
        "金额 订单金额 实付金额",
        "currency": "currency currencycode währung 币种 货币",
        "cost": "cost totalcost kosten 成本",
        "category": "category kategorie warengruppe 类别 品类",
    }.items()
}
_NEEDED: Final = frozenset(COLUMNS) - {"kind"}
_DELIMITERS: Final = ",;\t|"
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
_GROUPED: Final = {
    ",": re.compile(r"([0-9]{1,3}(?:[.'\u2019]?[0-9]{3})*)(?:,([0-9]+))?", re.ASCII),
    ".": re.compile(r"([0-9]{1,3}(?:[,'\u2019]?[0-9]{3})*)(?:\.([0-9]+))?", re.ASCII),
}
_SPACES = re.compile(r"\s")
_SIGN = re.compile(r"[A-Z]{3}|[$€£¥￥元]")
_SIGNS: Final[Mapping[str, str]] = {
    "€": "EUR",
    "£": "GBP",
    "¥": "CNY JPY",
    "￥": "CNY JPY",
    "元": "CNY",
    "$": "USD AUD CAD HKD MXN NZD SGD TWD",
}
"""Currencies that a sign before or behind an amount may stand for."""
_SPACED_OFFSET = re.compile(r" (?=[+-][0-9]{2}:?[0-9]{2}$)", re.ASCII)
_CLEAR_DATES: Final = tuple(
    f"{day}{time}" for day in ("%d.%m.%Y", "%Y/%m/%d") for time in ("", " %H:%M", " %H:%M:%S")
)


@dataclass(frozen=True, slots=True)
class ExportForm:
    """How a shop writes its orders.

    Attributes:
        columns: The export's column for each of ours, "" for none; those left out are found by
            usual names.
        kinds: What each value of `kind` means, one of `MEANINGS`. Ours need not be said.
        currency: Of every line that does not say it; "" where all do.
        decimal: Sign of decimals, "," or "."; "" where it is a point and thousands stand together.
        time_zone: Of instants without one; None where all have one.
        dates: Their form, as `datetime.strptime` reads it; "" for the forms that are clear.
        encoding: Of the text.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    currency: str = ""
    decimal: str = ""
    time_zone: ZoneInfo | None = None
    dates: str = ""
    encoding: str = "utf-8-sig"


class ShopExport:
    """One export, read line by line.

    Attributes:
        columns: The export's column for each of ours, once the header was read.
        unused: The export's other columns.
        skipped: Lines left out so far, because their kind says so.
    """

    def __init__(self, path: Path, form: ExportForm) -> None:
        """Read the file at *path* as *form* says."""
        self._path, self._file, self._form = path, str(path), form
        self.columns: dict[str, str] = {}
        self.unused: list[str] = []
        self.skipped = 0

    def rows(self) -> Iterator[tuple[dict[str, str], OrderRow]]:
        """Yield each order as cells by our columns, and checked.

        Raises:
            ReplayFileError: The file cannot be read, or a line is wrong: the first mistake, with
                the line of the export.
        """
        try:
            with self._path.open(encoding=self._form.encoding, newline="") as lines:
                yield from self._read(lines)
        except OSError as exc:
            said = (exc.strerror or "unreadable").lower()
            raise ReplayFileError(self._file, value=said, allowed="a readable file") from exc
        except UnicodeError as exc:
            allowed = f"text in {self._form.encoding}; --encoding, such as cp1252, gbk or utf-16"
            raise ReplayFileError(self._file, value="bytes", allowed=allowed) from exc

    def _read(self, lines: TextIO) -> Iterator[tuple[dict[str, str], OrderRow]]:
        first = lines.readline()
        delimiter = max(_DELIMITERS, key=first.count)
        header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
        self._find_columns(header)
        for number, cells in _numbered(lines, delimiter, self._file):
            if len(cells) != len(header):
                self._refuse(number, "", f"{len(cells)} values", f"{len(header)} values")
            ours = self._ours(number, dict(zip(header, cells, strict=True)))
            if ours is not None:
                yield ours, read_row(self._file, number, ours)

    def _find_columns(self, header: list[str]) -> None:
        for column in (*COLUMNS, *OPTIONAL):
            said = self._form.columns.get(column)
            if said and said not in header:
                self._refuse(1, column, said, f"a column of the file: {', '.join(header)}")
            if said == "":
                continue
            found = [said] if said else [n for n in header if _bare(n) in _NAMES[column]]
            if len(found) > 1:
                choice = " or ".join(f'--column "{column}={name}"' for name in found)
                self._refuse(1, column, ", ".join(found), f"one column: {choice}")
            if found:
                self.columns[column] = found[0]
            elif column in _NEEDED and not (column == "currency" and self._form.currency):
                more = ", or --currency for all lines" if column == "currency" else ""
                allowed = f"one of {', '.join(header)}, by --column {column}=NAME{more}"
                self._refuse(1, column, None, allowed)
        self.unused = [name for name in header if name not in self.columns.values()]

    def _ours(self, number: int, theirs: Mapping[str, str]) -> dict[str, str] | None:
        """Return a line's cells by our columns; None where it is to be left out."""
        cells = {column: theirs[name].strip() for column, name in self.columns.items()}
        cells.setdefault("kind", "paid")
        cells["currency"] = cells.get("currency") or self._form.currency
        cells["kind"] = self._kind(number, cells["kind"])
        if cells["kind"] == SKIP:
            self.skipped += 1
            return None
        cells["occurred_at"] = self._instant(number, cells["occurred_at"])
        for column in ("amount", "cost"):
            if cells.get(column):
                cells[column] = self._amount(number, column, cells[column], cells["currency"])
        return cells

    def _kind(self, number: int, text: str) -> str:
        kind = self._form.kinds.get(text, text)
        if kind not in MEANINGS:
            allowed = f'{", ".join(MEANINGS)}, or what it means: --kind "{text}=paid"'
            self._refuse(number, "kind", text or None, allowed)
        return kind

    def _instant(self, number: int, text: str) -> str:
        moment = _moment(text, self._form.dates)
        if moment is None:
            allowed = 'the form, where day and month may be mistaken: --dates "%d/%m/%Y %H:%M"'
            self._refuse(number, "occurred_at", text or None, allowed)
        if moment.tzinfo is None:
            if self._form.time_zone is None:
                allowed = "an instant with its zone, or the zone of all: --time-zone Europe/Berlin"
                self._refuse(number, "occurred_at", text, allowed)
            moment = moment.replace(tzinfo=self._form.time_zone)
        return moment.isoformat()

    def _amount(self, number: int, column: str, text: str, currency: str) -> str:
        """Return an amount without signs of currency and separators, with a point."""
        bare = _SPACES.sub("", text)
        for sign in _SIGN.findall(bare):
            if currency not in {sign, *_SIGNS.get(sign, "").split()}:
                self._refuse(number, column, text, f"an amount in {currency}, as the line says")
            bare = bare.replace(sign, "")
        if bare.startswith("-"):
            allowed = "a positive amount; what was paid back is a line of the kind refunded"
            self._refuse(number, column, text, allowed)
        decimal = self._form.decimal
        if not decimal:
            if not _PLAIN.fullmatch(bare):
                allowed = "digits with a decimal point, or which sign decimals have: --decimal ,"
                self._refuse(number, column, text, allowed)
            return bare
        match = _GROUPED[decimal].fullmatch(bare)
        if match is None:
            self._refuse(number, column, text, f"an amount whose decimal sign is {decimal!r}")
        whole = re.sub(r"\D", "", match[1])
        return f"{whole}.{match[2]}" if match[2] else whole

    def _refuse(self, line: int, column: str, value: str | None, allowed: str) -> NoReturn:
        theirs = self.columns.get(column)
        named = f"{column} ({theirs})" if theirs and theirs != column else column
        raise ReplayFileError(self._file, line=line, column=named, value=value, allowed=allowed)


def _numbered(lines: Iterable[str], delimiter: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines after the header that are not empty, with their numbers."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if any(cells):
                yield reader.line_num + 1, cells
    except csv.Error as exc:
        allowed = f"values separated by {delimiter!r}"
        line = reader.line_num + 1
        raise ReplayFileError(file, line=line, value=str(exc), allowed=allowed) from exc


def _bare(name: str) -> str:
    """Return a column's name as it is compared.

    >>> _bare("Order Number"), _bare("order_number"), _bare("Währung")
    ('ordernumber', 'ordernumber', 'währung')
    """
    return re.sub(r"[\s_.#/-]", "", name).casefold()


def _moment(text: str, form: str) -> datetime | None:
    """Return the instant that *text* says, perhaps without a zone; None where it is unclear.

    >>> _moment("01.09.2024 01:24", ""), _moment("09/01/2024", "")
    (datetime.datetime(2024, 9, 1, 1, 24), None)
    """
    forms = (form,) if form else _CLEAR_DATES
    if not form:
        try:
            return datetime.fromisoformat(_SPACED_OFFSET.sub("", text))
        except ValueError:
            pass
    for tried in forms:
        try:
            return datetime.strptime(text, tried)  # noqa: DTZ007 - the zone is the caller's
        except ValueError:
            continue
    return None
