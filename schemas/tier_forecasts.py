"""The `tier-forecasts` topic: customers about to fall if nothing happens."""

from typing import Literal

from pydantic import Field

from schemas.base import Contract, Id, OutInstant, PolicyName, Word


class TierForecast(Contract):
    """A warning, or its withdrawal.

    Attributes:
        tier: The grade now.
        expected_tier: The grade from `expected_at` on, if nothing happens; null: not graded.
        status: withdrawn when an event has made the warning void. grace_started when a lower
            grade is earned and the customer keeps `tier` until the grace is over, at
            `expected_at` at the earliest; grace_ended when it ended without the downgrade.
        since: When the grace began; of the two kinds about a grace only.
    """

    id: Id
    customer_id: Id
    grading: Word
    tier: Word
    expected_tier: Word | None
    expected_at: OutInstant
    issued_at: OutInstant
    status: Literal["at_risk", "withdrawn", "grace_started", "grace_ended"]
    policy: PolicyName
    since: OutInstant | None = Field(default=None, exclude_if=lambda told: told is None)
