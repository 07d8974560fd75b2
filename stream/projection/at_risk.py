"""Who is about to fall: the warnings of `tier-forecasts` that still stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from schemas.base import instant_ms, parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable

OPENS = {"at_risk": "at_risk", "grace_started": "grace"}
"""Status of a record that opens a warning, and the kind of it."""
_CLOSES = {"withdrawn": "at_risk", "grace_ended": "grace"}


class Prevention(Struct, frozen=True):
    """Equal orders with which the fall would not come; see `schemas.tier_changes.Prevention`."""

    amount_minor: int
    currency: str
    orders: int


class Told(Struct, frozen=True):
    """One record of `tier-forecasts`, as far as it is kept."""

    id: str
    customer_id: str
    grading: str
    tier: str
    expected_tier: str | None
    expected_at: str
    issued_at: str
    status: str
    prevention: Prevention | None = None
    withdraws: str | None = None


class AtRisk:
    """The open warnings. One a customer, grading and kind: a newer one takes its place."""

    def __init__(self) -> None:
        """Begin with none."""
        self._open: dict[tuple[str, str, str], tuple[int, Told]] = {}

    def take(self, told: Told) -> None:
        """Take in one record; those of a customer come in order."""
        if kind := OPENS.get(told.status):
            due_ms = instant_ms(parse_instant(told.expected_at))
            self._open[told.customer_id, told.grading, kind] = due_ms, told
        elif kind := _CLOSES.get(told.status):
            key = told.customer_id, told.grading, kind
            known = self._open.get(key)
            if known is not None and told.withdraws in {None, known[1].id}:
                del self._open[key]

    def erase(self, customer_id: str) -> None:
        """Forget a customer."""
        for key in [key for key in self._open if key[0] == customer_id]:
            del self._open[key]

    def standing(
        self, now_ms: int, tier_of: Callable[[str, str], str | None], grading: str | None
    ) -> list[Told]:
        """Return the warnings that stand at *now_ms*, the nearest first.

        The fall itself closes a warning, and is told in another topic: so one stands only while
        the customer has the tier that is about to be lost, and its instant has not come.

        Args:
            now_ms: The instant.
            tier_of: Gives the current tier of a customer in a grading.
            grading: Only warnings of this one; None for all.
        """
        found = [
            (due_ms, told)
            for due_ms, told in self._open.values()
            if due_ms > now_ms
            and grading in {None, told.grading}
            and tier_of(told.customer_id, told.grading) == told.tier
        ]
        return [told for _, told in sorted(found, key=lambda one: (one[0], one[1].id))]

    def settle(self, now_ms: int) -> None:
        """Let go of the warnings whose instant has come, so that they take no memory."""
        self._open = {key: one for key, one in self._open.items() if one[0] > now_ms}

    def __len__(self) -> int:
        """How many warnings are kept, standing or not."""
        return len(self._open)
