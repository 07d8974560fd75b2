"""Readings in the words of the policy file: what its author would write there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.decimals import decimal_text
from stream.proofs.cells import HIGHEST, LOWEST
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stream.customer import Value
    from stream.plan import Plan

_MOST_NAMES = 6


def number(value: Value, unit: str, exponent: int) -> str:
    """Return a reading as it would be written in the policy, with its unit where it has one.

    *exponent* is the number of decimal places of the reporting currency.

    >>> number(50000, "money", 2), number(-5, "money", 2), number(1500, "money", 0)
    ('500.00', '-0.05', '1500')
    >>> number(1250, "bp", 2), number(-5, "bp", 2), number(1, "days", 2), number(3, "count", 2)
    ('12.5%', '-0.05%', '1 day', '3')
    """
    if value == MISSING:
        return "unknown"
    if isinstance(value, str):
        return repr(value)
    if unit == "money":
        return decimal_text(value, exponent)
    if unit == "bp":
        text = decimal_text(value, 2)
        return text.rstrip("0").rstrip(".") + "%"
    return f"{value} day{'' if value == 1 else 's'}" if unit == "days" else str(value)


class Words:
    """Says the readings of one policy."""

    def __init__(self, plan: Plan, exponent: int) -> None:
        """Speak of the measures of *plan*, with money of *exponent* decimal places."""
        self._plan = plan
        self._exponent = exponent

    def value(self, measure: int, value: Value) -> str:
        """Return one reading."""
        unit = self._plan.measures[measure].unit
        currency = f" {self._plan.converter.reporting}" if unit == "money" else ""
        known = value not in {MISSING, LOWEST, HIGHEST}
        return number(value, unit, self._exponent) + (currency if known else "")

    def money(self, minor: int) -> str:
        """Return an amount in the reporting currency."""
        return f"{number(minor, 'money', self._exponent)} {self._plan.converter.reporting}"

    def readings(self, values: Sequence[Value], measures: Iterable[int]) -> str:
        """Return readings with the names of their measures, as a list in one line."""
        return ", ".join(
            f"{self._plan.measures[m].name} {self.value(m, values[m])}" for m in measures
        )


def listed(names: Sequence[str], joint: str = "and") -> str:
    """Return names as a person lists them, the first few of many.

    >>> listed(["a"]), listed(["a", "b", "c"]), listed(list("abcdefgh"), "or")
    ('a', 'a, b and c', 'a, b, c, d, e, f or 2 others')
    """
    shown = list(names[:_MOST_NAMES])
    more = len(names) - len(shown)
    if more:
        shown.append(f"{more} other{'' if more == 1 else 's'}")
    return f" {joint} ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
