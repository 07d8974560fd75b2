"""Conversion between currencies of 0, 2, 3 and 4 decimals, in integers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from schemas.currencies import EXPONENTS
from stream.money import Converter, divide_half_even


@pytest.mark.parametrize(
    ("amount", "currency", "reporting", "rate", "expected"),
    [
        (1_000, "JPY", "EUR", "0.0061", 610),  # 1,000 yen, no decimals, are 6.10 euros
        (610, "EUR", "JPY", "163.5", 997),  # 6.10 euros are 997.35 yen
        (1_000, "KWD", "EUR", "3.005", 300),  # one dinar has 1,000 fils: 3.005, to even
        (3_000, "KWD", "EUR", "3.005", 902),  # 9.015: half, to the even cent
        (1, "EUR", "KWD", "0.3328", 3),  # a cent is 3.328 fils
        (10_000, "CLF", "CLP", "37000", 37_000),  # four decimals to none
        (5, "JPY", "KWD", "0.002", 10),
        (0, "JPY", "KWD", "0.002", 0),
    ],
)
def test_minor_units_follow_the_decimals_of_each_currency(
    amount: int, currency: str, reporting: str, rate: str, expected: int
) -> None:
    converter = Converter(reporting, {currency: Decimal(rate)}, EXPONENTS)
    assert converter.convert(amount, currency) == expected


def test_the_reporting_currency_is_left_as_it_is() -> None:
    assert Converter("JPY", {}, EXPONENTS).convert(123, "JPY") == 123


def test_a_currency_without_a_rate_is_not_accepted() -> None:
    converter = Converter("USD", {"EUR": Decimal("1.08")}, EXPONENTS)
    assert converter.accepts("EUR")
    assert converter.accepts("USD")
    assert not converter.accepts("GBP")
    with pytest.raises(KeyError):
        converter.convert(1, "GBP")


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(1, 2, 0), (3, 2, 2), (5, 2, 2), (-1, 2, 0), (-3, 2, -2), (7, -2, -4), (-5, 3, -2), (0, 7, 0)],
)
def test_halves_go_to_the_even_neighbour(numerator: int, denominator: int, expected: int) -> None:
    assert divide_half_even(numerator, denominator) == expected
