"""Conversion of integer minor units into the policy's reporting currency. No floats."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

MAX_MINOR = 10**13
"""Largest amount of one event, in minor units of the policy's currency: sums of a million of
these still fit the 64 bits they are kept in."""


def divide_half_even(numerator: int, denominator: int) -> int:
    """Return the quotient rounded to the nearest integer, halves to the even one.

    >>> [divide_half_even(n, 2) for n in (1, 3, 5, -1, -3)]
    [0, 2, 2, 0, -2]
    """
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    quotient, remainder = divmod(numerator, denominator)
    doubled = 2 * remainder
    if doubled > denominator or (doubled == denominator and quotient % 2):
        quotient += 1
    return quotient


class Converter:
    """Converts amounts of accepted currencies into minor units of one currency.

    Attributes:
        reporting: Code of the currency that measures are kept in.
    """

    __slots__ = ("_factors", "reporting")

    def __init__(
        self, reporting: str, rates: Mapping[str, Decimal], exponents: Mapping[str, int]
    ) -> None:
        """Accept *reporting* and every currency of *rates*.

        Args:
            reporting: ISO 4217 code.
            rates: Value of one major unit of each other currency, in *reporting*.
            exponents: Decimal places of each currency's minor unit (ISO 4217).
        """
        self.reporting = reporting
        self._factors: dict[str, tuple[int, int]] = {reporting: (1, 1)}
        for code, rate in rates.items():
            factor = Fraction(rate) * Fraction(10) ** (exponents[reporting] - exponents[code])
            self._factors[code] = (factor.numerator, factor.denominator)

    def accepts(self, currency: str) -> bool:
        """Say whether amounts in *currency* can be converted."""
        return currency in self._factors

    def convert(self, amount_minor: int, currency: str) -> int:
        """Return *amount_minor* of *currency* in minor units of the reporting currency.

        Rounds half to even, once per event. Raises `KeyError` for a currency that
        `accepts` refuses.

        >>> from decimal import Decimal
        >>> c = Converter("CNY", {"JPY": Decimal("0.05")}, {"CNY": 2, "JPY": 0})
        >>> c.convert(1_000, "JPY")  # 1,000 yen are 50.00 yuan
        5000
        """
        numerator, denominator = self._factors[currency]
        if numerator == denominator:
            return amount_minor
        return divide_half_even(amount_minor * numerator, denominator)
