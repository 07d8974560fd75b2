"""Counting the customers of a bucket by where they stand and by what they bring. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct

from stream.population.bins import bin_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ORDERS = "orders"


class _Money(Struct, array_like=True, gc=False):
    """The head of `stream.totals.Totals`."""

    count: int = 0
    gross: int = 0
    refunded: int = 0
    cost: int = 0


class _Place(Struct, array_like=True, gc=False):
    """The head of `stream.customer.Grade`."""

    tier: str | None = None


class _Standing(Struct, array_like=True, gc=False):
    """The stored form of a customer (`stream.customer.Stored`), as far as it is looked at."""

    format: int
    clock_ms: int
    due_ms: int
    series: list[tuple[str, _Money, Raw, Raw]]
    attributes: Raw
    pending: Raw
    grades: dict[str, _Place]


_standing = msgspec.msgpack.Decoder(_Standing).decode


@dataclass(slots=True)
class Headcount:
    """How many stand where, and what they have brought so far.

    Attributes:
        customers: How many.
        tiers: How many by (grading, tier); None is "not graded".
        contribution: By log bin (`stream.population.bins`) of a customer's lifetime contribution
            in minor units, how many customers and what they have brought together.
    """

    customers: int = 0
    tiers: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    contribution: dict[int, tuple[int, int]] = field(default_factory=dict)

    def add(self, other: Headcount) -> None:
        """Count everybody of *other* as well."""
        self.customers += other.customers
        self.tiers.update(other.tiers)
        for place, (customers, total) in other.contribution.items():
            self._bring(place, customers, total)

    def count(self, stored: bytes) -> None:
        """Count one customer, given as it is stored."""
        standing = _standing(stored)
        self.customers += 1
        for grading, place in standing.grades.items():
            self.tiers[grading, place.tier] += 1
        for kind, money, _, _ in standing.series:
            if kind == _ORDERS:
                brought = money.gross - money.refunded - money.cost
                self._bring(bin_of(brought), 1, brought)

    def _bring(self, place: int, customers: int, total: int) -> None:
        known, before = self.contribution.get(place, (0, 0))
        self.contribution[place] = known + customers, before + total


def headcount(states: Iterable[tuple[str, bytes]]) -> Headcount:
    """Count the customers among *states*, each once however often it comes."""
    counted = Headcount()
    seen: set[str] = set()
    for customer_id, stored in states:
        if customer_id not in seen:
            seen.add(customer_id)
            counted.count(stored)
    return counted


def top_fifth(bins: Mapping[int, tuple[int, int]]) -> int:
    """Return what the 20% of the customers bring together who bring the most, rounded down.

    Exact but for the bin in which the fifth ends: of that one, the share of its customers that
    still belongs to it is taken to bring the bin's average.

    >>> top_fifth({bin_of(700): (1, 700), bin_of(1): (4, 4)})
    700
    """
    customers = sum(count for count, _ in bins.values())
    left, brought = customers, 0  # both in fifths, so that they stay whole
    for place in sorted(bins, reverse=True):
        count, total = bins[place]
        taken = min(5 * count, left)
        brought += total * taken // count
        left -= taken
        if not left:
            break
    return brought // 5
