"""A tier change: what changed, what set it off, and under which id. Pure.

How reasons are found stands in `stream.reasons`, the published form in `stream.payloads`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from stream.customer import Value
from stream.forecast.warning import Forecast
from stream.gradings.base import Score
from stream.ids import stable_id
from stream.sentinels import MISSING
from stream.stability import Pin, Waiting
from stream.way_back import WayBack

if TYPE_CHECKING:
    from stream.gradings.base import Grading

POLICY_UNIT = "policy"

ORDER = "order"
REFUND = "refund"
INTERACTION = "interaction"
PROFILE = "profile"
TIME = "time"
PINNED = "pinned"
REVIEW = "review"
POLICY_CHANGED = "policy_changed"
BOUNDARY_MOVED = "boundary_moved"
CONSENT = "consent"
MERGED = "merged"


class Cause(Struct, frozen=True, gc=False):
    """What set a change off.

    Attributes:
        kind: One of the constants of this module.
        event_id: Id of the event, or of the control that moved policy or boundaries; None
            where time passed.
        of_member: Whether it is another customer's event, of one that counts for this one.
    """

    kind: str
    event_id: str | None = None
    of_member: bool = False


TIME_PASSED = Cause(TIME)


class Reason(Struct, array_like=True, frozen=True, gc=False):
    """One measure (or other grading) that moved.

    Attributes:
        name: Of the measure, or of the grading that was looked at.
        unit: Unit of the measure; ``tier`` for a grading.
        before: Reading just before the instant of the change, None if there was none.
        after: Reading at that instant.
        boundary: Cut that was crossed last, in the measure's unit; None if none was.
        boundary_before: Where that cut was before, if it is the cut that has moved.
        segment: Of which segment of the population the cut is, "" for the rest of it; None
            where the grading knows no segments.
    """

    name: str
    unit: str
    before: Value | None
    after: Value | None
    boundary: int | None
    boundary_before: int | None = None
    segment: str | None = None

    @property
    def crossed(self) -> str | None:
        """Say on which side of the boundary the measure is now: ``above`` or ``below``."""
        if self.boundary is None:
            return None
        after = MISSING if self.after is None else self.after
        return "above" if after >= self.boundary else "below"  # type: ignore[operator]


class Change(Struct, frozen=True, gc=False):
    """One customer's change of tier in one grading.

    Attributes:
        before: The tier left, None for "not yet graded"; equals the `after` of the
            change with the preceding sequence number (the chain rule).
        sequence: 1, 2, 3 … per customer and grading.
        instant_ms: When it happened: the record's instant, or the exact instant at which
            time alone brought it about.
        counterfactual: Of a downgrade on a ladder: an order that would take it back.
        pin: The pin that brought it about, by its beginning or its end.
        waited: The rule that has held it back until now.
        forecast: The next change of the grading if nothing happens; None where the policy does
            not ask for it, or there is none in sight.
        erased_ms: When the customer was erased last, since when its sequences count anew; None
            if it never was.
    """

    customer_id: str
    grading: str
    before: str | None
    after: str | None
    direction: str
    sequence: int
    instant_ms: int
    cause: Cause
    reasons: tuple[Reason, ...]
    score: Score | None
    counterfactual: WayBack | None = None
    pin: Pin | None = None
    waited: Waiting | None = None
    forecast: Forecast | None = None
    erased_ms: int | None = None


def change_id(
    customer_id: str,
    grading: str,
    sequence: int,
    policy: str,
    version: int,
    erased_ms: int | None = None,
) -> str:
    """Return the id of a change: the same for the same change, whoever computes it.

    >>> change_id("c1", "value", 1, "cdnow", 1) == change_id("c1", "value", 1, "cdnow", 1)
    True
    """
    parts = (customer_id, grading, str(sequence), policy, str(version))
    return stable_id(*parts, erased_ms=erased_ms)


def direction(grading: Grading, before: str | None, after: str | None) -> str:
    """Return ``first``, ``up``, ``down``, or ``lateral`` where tiers have no order."""
    if before is None:
        return "first"
    if after is None or before not in grading.tiers:  # a grade of another policy
        return "lateral"
    old, new = grading.rank(before), grading.rank(after)
    if old is None or new is None or old == new:
        return "lateral"
    return "up" if new > old else "down"
