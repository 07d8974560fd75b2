"""Measures that look at the customer alone, under a policy that counts groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from stream.customer import ORDERS
from stream.groups.series import without_members
from stream.measures import Measure

if TYPE_CHECKING:
    from stream.customer import Customer, Value


class _Alone:
    """A customer as it would be without members, for reading only."""

    def __init__(self, customer: Customer) -> None:
        self._customer = customer
        self.kinds = {kind: without_members(series) for kind, series in customer.kinds.items()}
        self.orders = self.kinds[ORDERS]

    def __getattr__(self, name: str) -> object:
        return getattr(self._customer, name)


class Alone(Measure):
    """Another measure, of the customer's own events only."""

    def __init__(self, measure: Measure) -> None:
        """Read *measure* without the members."""
        super().__init__(measure.name, measure.unit, measure.source)
        self._measure = measure
        self.also = measure.also
        self.steady = measure.steady
        self.echo_ms = measure.echo_ms

    @property
    def told_unit(self) -> str:
        """The unit in which others are told the reading."""
        return self._measure.told_unit

    def told(self, value: Value) -> Value | None:
        """Return a reading as others are told it."""
        return self._measure.told(value)

    def value(self, customer: Customer, now_ms: int) -> Value:
        """Return the reading of the customer alone."""
        return self._measure.value(_alone(customer), now_ms)

    def due_ms(self, customer: Customer, now_ms: int, low: int, high: int) -> int:
        """Return when time alone may first take that reading out of ``[low, high)``."""
        return self._measure.due_ms(_alone(customer), now_ms, low, high)


def _alone(customer: Customer) -> Customer:
    if customer.kin is None or not customer.kin.members:
        return customer
    return cast("Customer", _Alone(customer))
