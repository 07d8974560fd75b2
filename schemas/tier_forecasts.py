"""The `tier-forecasts` topic: customers about to fall if nothing happens."""

from typing import Literal

from schemas.base import Contract, Id, OutInstant, PolicyName, Word


class TierForecast(Contract):
    """A warning, or its withdrawal.

    Attributes:
        tier: The grade now.
        expected_tier: The grade from `expected_at` on, if nothing happens; null: not graded.
        status: withdrawn when an event has made the warning void.
    """

    id: Id
    customer_id: Id
    grading: Word
    tier: Word
    expected_tier: Word | None
    expected_at: OutInstant
    issued_at: OutInstant
    status: Literal["at_risk", "withdrawn"]
    policy: PolicyName
