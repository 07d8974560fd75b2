"""Order histories as CSV: what is accepted, and the line that says what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agents.replay.mistakes import ReplayFileError
from agents.replay.orders_csv import read_orders
from tests.unit.replay.histories import HEADER, HISTORY, written

if TYPE_CHECKING:
    from pathlib import Path

    from agents.replay.log import OrderRow

NEW_YEAR_MS = 1_704_067_200_000
GOOD = "ann,1,paid,2024-01-01T00:00:00Z,10.00,USD"


def read(directory: Path, *lines: str, header: str = HEADER) -> list[OrderRow]:
    return list(read_orders(written(directory, "\n".join([header, *lines]) + "\n")))


def test_rows_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    rows = list(read_orders(written(tmp_path, HISTORY)))
    assert [(row.customer_id, row.kind, row.amount_minor) for row in rows] == [
        ("ann", "paid", 6_000),
        ("bob", "paid", 2_000),
        ("ann", "paid", 5_050),
        ("ann", "refunded", 2_000),
        ("ann", "refunded", 2_000),
        ("bob", "cancelled", 0),
    ]


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("10", "USD", 1_000),
        ("10.5", "USD", 1_050),
        ("0", "USD", 0),
        ("007.01", "USD", 701),
        ("1500", "JPY", 1_500),
        ("0.005", "KWD", 5),
        ("1.2345", "CLF", 12_345),
    ],
)
def test_amounts_become_minor_units_of_their_currency(
    tmp_path: Path, amount: str, currency: str, minor: int
) -> None:
    (row,) = read(tmp_path, f"ann,1,paid,2024-01-01T00:00:00Z,{amount},{currency}")
    assert row.amount_minor == minor


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2024-01-01", NEW_YEAR_MS),
        ("2024-01-01T00:00:00Z", NEW_YEAR_MS),
        ("2024-01-01T01:00:00+01:00", NEW_YEAR_MS),
        ("2024-01-01T00:00:00.1239Z", NEW_YEAR_MS + 123),
        ("1970-01-01", 0),
    ],
)
def test_instants_need_a_zone_and_dates_are_midnight_utc(
    tmp_path: Path, text: str, ms: int
) -> None:
    (row,) = read(tmp_path, f"ann,1,paid,{text},1,USD")
    assert row.occurred_ms == ms


def test_cost_and_category_are_optional_and_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    header = "category,cost,currency,amount,occurred_at,kind,order_id,customer_id"
    lines = ("books,4.20,USD,10.00,2024-01-01,paid,1,ann", ",,USD,10.00,2024-01-01,paid,2,ann")
    rows = read(tmp_path, *lines, header=header)
    assert [(row.cost_minor, row.category) for row in rows] == [(420, "books"), (None, None)]


def test_a_byte_order_mark_and_empty_lines_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_bytes(f"\ufeff{HEADER}\r\n{GOOD}\r\n\r\n".encode())
    assert len(list(read_orders(path))) == 1


@pytest.mark.parametrize(
    ("line", "column", "value"),
    [
        ("ann,1,sold,2024-01-01,1,USD", "kind", "sold"),
        ("ann,1,paid,2024-01-01T00:00:00,1,USD", "occurred_at", "2024-01-01T00:00:00"),
        ("ann,1,paid,2024-02-30,1,USD", "occurred_at", "2024-02-30T00:00:00Z"),
        ("ann,1,paid,1969-12-31,1,USD", "occurred_at", "1969-12-31T00:00:00Z"),
        ("ann,1,paid,2024-01-01,1.234,USD", "amount", "1.234"),
        ("ann,1,paid,2024-01-01,1.5,JPY", "amount", "1.5"),
        ("ann,1,paid,2024-01-01,-1,USD", "amount", "-1"),
        ("ann,1,paid,2024-01-01,NaN,USD", "amount", "NaN"),
        ("ann,1,paid,2024-01-01,1e3,USD", "amount", "1e3"),
        ("ann,1,paid,2024-01-01,٣,USD", "amount", "٣"),
        ("ann,1,paid,2024-01-01,99999999999999999,USD", "amount", "99999999999999999"),
        ("ann,1,paid,2024-01-01,,USD", "amount", None),
        ("ann,1,refunded,2024-01-01,0.00,USD", "amount", "0.00"),
        ("ann,1,paid,2024-01-01,1,usd", "currency", "usd"),
        ("ann,1,paid,2024-01-01,1,XXX", "currency", "XXX"),
        (",1,paid,2024-01-01,1,USD", "customer_id", None),
        ("ann," + "9" * 129 + ",paid,2024-01-01,1,USD", "order_id", "9" * 129),
    ],
)
def test_a_wrong_cell_is_named_with_file_line_column_and_value(
    tmp_path: Path, line: str, column: str, value: str | None
) -> None:
    with pytest.raises(ReplayFileError) as caught:
        read(tmp_path, GOOD, line)
    mistake = caught.value
    said = None if mistake.value is None else mistake.value.removesuffix("T00:00:00Z")
    wanted = None if value is None else value.removesuffix("T00:00:00Z")
    assert (mistake.line, mistake.column, said) == (3, column, wanted)
    assert "\n" not in str(mistake)
    assert str(mistake).startswith(f"{tmp_path}/orders.csv:3: {column}: ")
    assert "; allowed: " in str(mistake)


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("customer_id,order_id,kind,occurred_at,amount", "currency"),
        ("", "customer_id"),
        (HEADER + ",colour", ""),
        (HEADER + ",amount", ""),
    ],
)
def test_a_wrong_header_is_told_on_line_1(tmp_path: Path, header: str, column: str) -> None:
    with pytest.raises(ReplayFileError) as caught:
        read(tmp_path, header=header)
    assert (caught.value.line, caught.value.column) == (1, column)


def test_a_short_line_and_an_open_quote_are_told_with_their_line(tmp_path: Path) -> None:
    for line in ("ann,1,paid", 'ann,1,paid,2024-01-01,"1,USD'):
        with pytest.raises(ReplayFileError) as caught:
            read(tmp_path, GOOD, line)
        assert caught.value.line == 3


def test_files_that_cannot_be_read_are_told_in_one_line(tmp_path: Path) -> None:
    binary = tmp_path / "b.csv"
    binary.write_bytes(b"\xff\xfe")
    for path, value in (
        (tmp_path / "none.csv", "no such file or directory"),
        (tmp_path, "is a directory"),
        (binary, "bytes"),
    ):
        with pytest.raises(ReplayFileError) as caught:
            list(read_orders(path))
        assert caught.value.value == value
