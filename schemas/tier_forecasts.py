"""The `tier-forecasts` topic: customers about to fall if nothing happens."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Contract, Id, OutInstant, PolicyName, Word
from schemas.tier_changes import Prevention


class TierForecast(Contract):
    """A warning, or its withdrawal.

    A warning is closed by the fall itself, of which `tier-changes` tells, or by its withdrawal.
    One whose instant or grade has moved is withdrawn, and another one is given.

    Attributes:
        id: The same for the same warning or withdrawal, whatever is restarted or replayed.
        tier: The grade that is about to be lost; of a withdrawal: that the warning named.
        expected_tier: The grade from `expected_at` on, if nothing happens; null: not graded.
        issued_at: When it became due: the lead before `expected_at`, or the instant of the
            event that brought the fall nearer, or of the one that made the warning void.
        status: withdrawn when an event has made the warning void. grace_started when a lower
            grade is earned and the customer keeps `tier` until the grace is over, at
            `expected_at` at the earliest; grace_ended when it ended without the downgrade.
        since: When the grace began; of the two kinds about a grace only.
        sequence: 1, 2, 3, ... for each customer and grading, withdrawals included.
        prevention: Orders placed at `issued_at` with which the fall would not come; left out
            of withdrawals, and where none were found.
        withdraws: The id of the warning that is void; left out of warnings.
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
    sequence: Annotated[int, Field(ge=1)] | None = Field(
        default=None, exclude_if=lambda told: told is None
    )
    prevention: Prevention | None = Field(default=None, exclude_if=lambda told: told is None)
    withdraws: Id | None = Field(default=None, exclude_if=lambda told: told is None)
