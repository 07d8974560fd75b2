"""Minor units by ISO 4217."""

import pytest

from schemas.currencies import EXPONENTS


@pytest.mark.parametrize(
    ("code", "places"), [("USD", 2), ("CNY", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("CLF", 4)]
)
def test_places_of_minor_units(code: str, places: int) -> None:
    """Zero, two, three and four decimal places all exist."""
    assert EXPONENTS[code] == places


def test_every_code_is_three_capitals_and_stands_once() -> None:
    """No code was written into two lists."""
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in EXPONENTS)
    assert len(EXPONENTS) == 167
