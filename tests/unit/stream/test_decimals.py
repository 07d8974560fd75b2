"""Numbers as text: nothing is lost."""

from __future__ import annotations

from fractions import Fraction

import pytest

from stream.decimals import exact_text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(84), "84"),
        (Fraction(157, 2), "78.5"),
        (Fraction(7866, 100), "78.66"),
        (Fraction(236, 3), "236/3"),
        (Fraction(-1, 150), "-1/150"),
        (Fraction(-1, 200), "-0.005"),
        (Fraction(1, 3 * 2**5), "1/96"),
        (Fraction(5, 64), "0.078125"),
    ],
)
def test_numbers_are_written_without_loss(number: Fraction, text: str) -> None:
    assert exact_text(number) == text
    assert Fraction(text) == number
