"""What the store's index of deadlines says of one bucket, as far as it has to be known. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.sentinels import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.customer import Customer


class DueIndex:
    """Tells which deadlines a commit has to write, and before when none can have come.

    Attributes:
        from_ms: No deadline of this writer's is before this instant; 0 before the first look.
    """

    __slots__ = ("_moved_to_ms", "from_ms")

    def __init__(self) -> None:
        """Start with nothing known."""
        self.from_ms = 0
        self._moved_to_ms = NEVER

    def moved(self, customers: Iterable[Customer]) -> dict[str, int | None]:
        """Return the deadlines, None for none at all, of whom the store has another.

        They go into the next commit. Most orders leave them as they were.
        """
        moved: dict[str, int | None] = {}
        soonest_ms = NEVER
        for customer in customers:
            due_ms = _deadline(customer)
            if due_ms != customer.indexed_ms:
                customer.indexed_ms = due_ms
                moved[customer.customer_id] = None if due_ms >= NEVER else due_ms
                soonest_ms = min(soonest_ms, due_ms)
        self._moved_to_ms = soonest_ms
        self.from_ms = min(self.from_ms, soonest_ms)
        return moved

    def looked_ahead(self, soonest_ms: int) -> None:
        """Take note of the earliest deadline in the store, `NEVER` where there is none.

        The last commit handed out may not have been written yet.
        """
        self.from_ms = min(soonest_ms, self._moved_to_ms)


def _deadline(customer: Customer) -> int:
    """Return when the customer has to be looked at next with no event; `NEVER`: not at all."""
    due_ms = customer.deadline_ms
    if customer.ranks_due_ms:
        due_ms = min(due_ms, customer.ranks_due_ms)
    if customer.shadow is not None:
        due_ms = min(due_ms, customer.shadow.customer.due_ms)
    return due_ms
