"""A shop's export: what is found by itself, what must be said, and the line that says how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.replay.mistakes import ReplayFileError
from agents.replay.shop_csv import ExportForm, ShopExport

if TYPE_CHECKING:
    from pathlib import Path

    from agents.replay.log import OrderRow

BERLIN = ZoneInfo("Europe/Berlin")
GERMAN = "Bestellnummer;Kundennummer;Bestelldatum;Gesamtbetrag;Währung;Status"
ENGLISH = "Order Number,Customer ID,Order Date,Total"
IN_EURO: dict[str, Any] = {"currency": "EUR", "time_zone": BERLIN}


def export(directory: Path, text: str, **form: Any) -> ShopExport:
    path = directory / "export.csv"
    path.write_bytes(text.encode(form.get("encoding", "utf-8")))
    return ShopExport(path, ExportForm(**form))


def rows(directory: Path, text: str, **form: Any) -> list[OrderRow]:
    return [row for _, row in export(directory, text, **form).rows()]


def refusal(directory: Path, text: str, **form: Any) -> str:
    with pytest.raises(ReplayFileError) as caught:
        rows(directory, text, **form)
    line = str(caught.value)
    assert "\n" not in line
    return line.removeprefix(f"{directory}/export.csv:")


def test_a_german_export_of_a_spreadsheet_is_read_once_it_was_said_what_is_meant(
    tmp_path: Path,
) -> None:
    """Byte order mark, semicolons, day first, decimal commas, times without a zone."""
    source = export(
        tmp_path,
        f"\ufeff{GERMAN};Notiz\r\nB1;K7;26.10.2024 14:05;1.062,09;EUR;bezahlt;x\r\n"
        "B2;K7;27.10.2024;5;EUR;offen;\r\n",
        decimal=",",
        time_zone=BERLIN,
        kinds={"bezahlt": "paid", "offen": "skip"},
    )
    ((cells, row),) = source.rows()
    assert (row.customer_id, row.order_id, row.kind) == ("K7", "B1", "paid")
    assert (row.occurred_at, row.amount_minor) == ("2024-10-26T14:05:00+02:00", 106_209)
    assert cells["amount"] == "1062.09"
    assert (source.unused, source.skipped) == (["Notiz"], 1)
    assert source.columns["order_id"] == "Bestellnummer"


def test_an_english_export_without_a_currency_and_a_kind(tmp_path: Path) -> None:
    (row,) = rows(
        tmp_path, f'{ENGLISH}\n1,c,2024-09-01 01:24:13,"€1,062.09"\n', **IN_EURO, decimal="."
    )
    assert (row.kind, row.currency, row.amount_minor) == ("paid", "EUR", 106_209)


def test_a_currency_that_a_line_says_goes_before_the_one_for_all(tmp_path: Path) -> None:
    text = f"{ENGLISH},Currency\n1,c,2024-09-01,5,USD\n2,c,2024-09-01,5,\n"
    assert [row.currency for row in rows(tmp_path, text, **IN_EURO)] == ["USD", "EUR"]


def test_a_chinese_export_of_a_spreadsheet(tmp_path: Path) -> None:
    text = "订单编号,客户编号,下单时间,订单金额\n1,甲,2024/9/1 8:30,\uffe512.50\n"
    (row,) = rows(
        tmp_path, text, encoding="gbk", currency="CNY", time_zone=ZoneInfo("Asia/Shanghai")
    )
    assert (row.customer_id, row.occurred_at) == ("甲", "2024-09-01T08:30:00+08:00")
    assert row.amount_minor == 1_250


@pytest.mark.parametrize(
    ("said", "instant"),
    [
        ("2024-09-01T08:30:00Z", "2024-09-01T08:30:00+00:00"),
        ("2024-09-01 08:30:00 -0500", "2024-09-01T08:30:00-05:00"),
        ("2024-09-01", "2024-09-01T00:00:00+02:00"),
        ("2024-10-27 02:30", "2024-10-27T02:30:00+02:00"),
    ],
)
def test_what_says_its_zone_keeps_it_and_the_rest_has_the_one_given(
    tmp_path: Path, said: str, instant: str
) -> None:
    """An hour that comes twice in autumn is the first of the two."""
    (row,) = rows(tmp_path, f"{ENGLISH}\n1,c,{said},1\n", **IN_EURO)
    assert row.occurred_at == instant


def test_dates_that_can_be_mistaken_are_read_as_said(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, f"{ENGLISH}\n1,c,02/03/2024,1\n", **IN_EURO, dates="%m/%d/%Y")
    assert row.occurred_at == "2024-02-03T00:00:00+01:00"


@pytest.mark.parametrize(
    ("line", "form", "said"),
    [
        ("1,c,02/03/2024,1", {}, "2: occurred_at (Order Date): '02/03/2024' is not allowed"),
        ("1,c,2024-02-03,1", {"time_zone": None}, "zone of all: --time-zone Europe/Berlin"),
        ('1,c,2024-02-03,"1,50"', {}, "2: amount (Total): '1,50' is not allowed; allowed: digits"),
        ('1,c,2024-02-03,"1.062,09"', {"decimal": "."}, "an amount whose decimal sign is '.'"),
        ('1,c,2024-02-03,"10,62,0"', {"decimal": "."}, "an amount whose decimal sign is '.'"),
        ("1,c,2024-02-03,$5", {}, "2: amount (Total): '$5' is not allowed; allowed: an amount in"),
        ("1,c,2024-02-03,USD 5", {}, "an amount in EUR, as the line says"),
        ("1,c,2024-02-03,-5", {}, "a positive amount; what was paid back is a line of the kind"),
        ("1,c,2024-02-03,1.234", {}, "2: amount: '1.234' is not allowed; allowed: a positive dec"),
        ("1,c,2024-02-03", {}, "2: '3 values' is not allowed; allowed: 4 values"),
        ("1,,2024-02-03,5", {}, "2: customer_id: missing; allowed: 1 to 128 characters"),
    ],
)
def test_nothing_that_changes_a_figure_is_guessed(
    tmp_path: Path, line: str, form: dict[str, Any], said: str
) -> None:
    assert said in refusal(tmp_path, f"{ENGLISH}\n{line}\n", **(IN_EURO | form))


@pytest.mark.parametrize(
    ("header", "form", "said"),
    [
        ("a,Customer ID,Order Date,Total", {}, "1: order_id: missing; allowed: one of a, Customer"),
        (ENGLISH, {"currency": ""}, "by --column currency=NAME, or --currency for all lines"),
        (f"{ENGLISH},Date", {}, '"occurred_at=Order Date" or --column "occurred_at=Date"'),
        (ENGLISH, {"columns": {"amount": "Net"}}, "1: amount: 'Net' is not allowed"),
        ("", {}, "1: customer_id: missing"),
    ],
)
def test_a_column_that_is_not_found_is_told_with_those_that_there_are(
    tmp_path: Path, header: str, form: dict[str, Any], said: str
) -> None:
    assert said in refusal(tmp_path, f"{header}\n", **(IN_EURO | form))


def test_a_status_that_was_not_explained_is_never_taken_for_paid(tmp_path: Path) -> None:
    text = f"{ENGLISH},Status\n1,c,2024-02-03,5,pending\n"
    assert '--kind "pending=paid"' in refusal(tmp_path, text, **IN_EURO)
    (row,) = rows(tmp_path, text, **IN_EURO, columns={"kind": ""})
    assert row.kind == "paid"


def test_text_in_another_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(GERMAN.encode("cp1252"))
    with pytest.raises(ReplayFileError, match="--encoding, such as cp1252, gbk or utf-16"):
        list(ShopExport(path, ExportForm()).rows())


@settings(deadline=None)
@given(
    st.integers(0, 10**12),
    st.sampled_from([(",", "."), (",", "'"), (".", ","), (".", "'"), (",", " "), (".", "")]),
)
def test_an_amount_written_with_separators_is_the_amount(
    tmp_path_factory: pytest.TempPathFactory, minor: int, signs: tuple[str, str]
) -> None:
    decimal, thousands = signs
    written = f"{minor // 100:_}".replace("_", thousands) + f"{decimal}{minor % 100:02}"
    text = f'{ENGLISH}\n1,c,2024-02-03,"{written} €"\n'
    (row,) = rows(tmp_path_factory.getbasetemp(), text, **IN_EURO, decimal=decimal)
    assert row.amount_minor == minor
