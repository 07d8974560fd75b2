"""What time alone will bring: the first change of each grading, found by letting it pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.sentinels import NEVER

if TYPE_CHECKING:
    from stream.changes import Change
    from stream.customer import Customer
    from stream.fold import Scorer

_MOST_WAKES = 500


def expected(scorer: Scorer, customer: Customer) -> dict[str, Change]:
    """Return the first change of each grading if nothing happens, by name.

    Wakes *customer* deadline after deadline: give a copy. Looks at a bounded number of
    deadlines, so a change far in the future may be left out.
    """
    found: dict[str, Change] = {}
    for _ in range(_MOST_WAKES):
        if customer.due_ms >= NEVER or len(found) == len(scorer.plan.gradings):
            break
        for change in scorer.wake(customer, customer.due_ms):
            found.setdefault(change.grading, change)
    return found
