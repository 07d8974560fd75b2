"""Everyone's current tiers in columns: counts, shares of a sum of money, and who is in a tier.

Meant for 1,000,000 customers in one process: a customer is a number, a tier a code of two
bytes, and a page of members is found by scanning a column. Erased customers leave a gap.
"""

from __future__ import annotations

import heapq
from array import array
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_GONE = 0
"""Code of customers that a grading says nothing of: erased, or from before it existed."""


class Standing(NamedTuple):
    """How many stand in one tier of one grading.

    Attributes:
        tier: None: not graded.
        customers: How many.
        sum_minor: What those of them whose amount is known bring in, in minor units.
    """

    tier: str | None
    customers: int
    sum_minor: int


class Member(NamedTuple):
    """One customer in a tier; *amount_minor* is None while it is not known."""

    customer_id: str
    amount_minor: int | None


class _Column:
    """One grading: the code of every customer, and what each code adds up to."""

    __slots__ = ("by_name", "codes", "counts", "names", "sums")

    def __init__(self, customers: int) -> None:
        self.codes = array("H", bytes(2 * customers))
        self.names: list[str | None] = [None]
        self.by_name: dict[str | None, int] = {}
        self.counts = [customers]
        self.sums = [0]

    def code(self, tier: str | None) -> int:
        """Return the code of *tier*, a new one if need be."""
        code = self.by_name.get(tier)
        if code is None:
            code = self.by_name[tier] = len(self.names)
            self.names.append(tier)
            self.counts.append(0)
            self.sums.append(0)
        return code

    def put(self, number: int, code: int, amount_minor: int) -> None:
        """Let customer *number*, who brings in *amount_minor*, stand under *code*."""
        old = self.codes[number]
        if old == code:
            return
        self.codes[number] = code
        self.counts[old] -= 1
        self.counts[code] += 1
        self.sums[old] -= amount_minor
        self.sums[code] += amount_minor


class Population:
    """The current tiers of everyone, by grading, and an amount of money for each customer."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._ids: list[str | None] = []
        self._numbers: dict[str, int] = {}
        self._columns: dict[str, _Column] = {}
        self._amounts = array("q")
        self._known = bytearray()

    def __len__(self) -> int:
        """How many customers there are."""
        return len(self._numbers)

    def __contains__(self, customer_id: str) -> bool:
        """Whether the customer is known here."""
        return customer_id in self._numbers

    def take(self, customer_id: str, grades: Mapping[str, str | None]) -> None:
        """Let a customer stand where *grades* say, and nowhere else."""
        number = self._numbers.get(customer_id)
        if number is None:
            number = self._numbers[customer_id] = len(self._ids)
            self._ids.append(customer_id)
            self._amounts.append(0)
            self._known.append(0)
            for column in self._columns.values():
                column.codes.append(_GONE)
                column.counts[_GONE] += 1
        amount = self._amounts[number]
        for grading, tier in grades.items():
            column = self._columns.get(grading) or self._new(grading)
            column.put(number, column.code(tier), amount)
        if len(grades) < len(self._columns):
            for grading, column in self._columns.items():
                if grading not in grades:
                    column.put(number, _GONE, amount)

    def erase(self, customer_id: str) -> None:
        """Forget a customer; nothing happens where it is not known."""
        number = self._numbers.pop(customer_id, None)
        if number is None:
            return
        self._ids[number] = None
        for column in self._columns.values():
            column.put(number, _GONE, self._amounts[number])
            column.sums[_GONE] -= self._amounts[number]
        self._amounts[number] = 0
        self._known[number] = 0

    def value(self, customer_id: str, amount_minor: int | None) -> None:
        """Note what a customer brings in; nothing happens where it is not known."""
        number = self._numbers.get(customer_id)
        if number is None:
            return
        more = (amount_minor or 0) - self._amounts[number]
        self._amounts[number] += more
        self._known[number] = amount_minor is not None
        if more:
            for column in self._columns.values():
                column.sums[column.codes[number]] += more

    def tier(self, customer_id: str, grading: str) -> str | None:
        """Return where a customer stands; None also where nothing is known of it."""
        number, column = self._numbers.get(customer_id), self._columns.get(grading)
        return None if number is None or column is None else column.names[column.codes[number]]

    def standings(self, grading: str) -> dict[str | None, Standing]:
        """Return how many stand in each tier that anybody has ever stood in, by tier."""
        column = self._columns.get(grading)
        if column is None:
            return {}
        return {
            tier: Standing(tier, column.counts[code], column.sums[code])
            for tier, code in column.by_name.items()
        }

    def members(
        self, grading: str, tier: str | None, after: int, limit: int
    ) -> tuple[list[Member], int | None]:
        """Return at most *limit* customers of a tier, and where the next page begins.

        In the order in which they were first heard of since the start, so that a page never
        shifts. Who joins the tier behind *after* meanwhile is not seen.

        Args:
            grading: Of the tier.
            tier: None for those not graded.
            after: 0, or what the page before gave.
            limit: At least 1.

        Returns:
            The members, and None in place of a next page after the last one.
        """
        page: list[Member] = []
        for number in self._numbers_in(grading, tier, after):
            if len(page) == limit:
                return page, number
            page.append(self._member(number))
        return page, None

    def largest(self, grading: str, tier: str | None, limit: int) -> list[Member]:
        """Return the *limit* customers of a tier who bring in most, the largest first."""
        amounts = self._amounts
        numbers = (n for n in self._numbers_in(grading, tier, 0) if self._known[n])
        return [self._member(n) for n in heapq.nlargest(limit, numbers, key=amounts.__getitem__)]

    def _numbers_in(self, grading: str, tier: str | None, after: int) -> Iterator[int]:
        column = self._columns.get(grading)
        code = None if column is None else column.by_name.get(tier)
        if column is None or code is None:
            return
        number = after - 1
        while True:
            try:
                number = column.codes.index(code, number + 1)
            except ValueError:
                return
            yield number

    def _member(self, number: int) -> Member:
        amount = self._amounts[number] if self._known[number] else None
        return Member(str(self._ids[number]), amount)

    def _new(self, grading: str) -> _Column:
        column = self._columns[grading] = _Column(len(self._ids))
        column.sums[_GONE] = sum(self._amounts)
        return column
