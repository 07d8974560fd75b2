"""Exact numbers as text: fractions, and integers that count decimal places. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction


def exact_text(number: Fraction) -> str:
    """Return *number* without loss: a decimal where one exists, else a fraction.

    >>> from fractions import Fraction
    >>> exact_text(Fraction(157, 2)), exact_text(Fraction(236, 3)), exact_text(Fraction(84))
    ('78.5', '236/3', '84')
    """
    denominator = number.denominator
    twos = fives = 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    if denominator != 1:
        return f"{number.numerator}/{number.denominator}"
    places = max(twos, fives)
    if not places:
        return str(number.numerator)
    digits = f"{abs(number.numerator) * 10**places // number.denominator:0{places + 1}d}"
    sign = "-" if number < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def decimal_text(units: int, places: int) -> str:
    """Return a number of *units* of the last of so many decimal *places*.

    >>> decimal_text(7866, 2), decimal_text(80, 0), decimal_text(-5, 2)
    ('78.66', '80', '-0.05')
    """
    whole, rest = divmod(abs(units), 10**places)
    decimals = f".{rest:0{places}d}" if places else ""
    return f"{'-' if units < 0 else ''}{whole}{decimals}"
