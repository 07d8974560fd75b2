"""A warning that a customer is about to fall: what is kept of it, and what others are told."""

from __future__ import annotations

from msgspec import Struct

from stream.ids import stable_id

AT_RISK = "at_risk"
WITHDRAWN = "withdrawn"


class Prevention(Struct, frozen=True, array_like=True, gc=False):
    """Equal orders, all placed at once now, with which a fall does not come.

    Attributes:
        amount_minor: Of each. Of one order the least that will do: one minor unit less would
            not. 0: any order does. Of several: what the customer usually pays.
        orders: How many; one fewer would not do.
        currency: The reporting currency, which the amount is in.
    """

    amount_minor: int
    orders: int
    currency: str


class Forecast(Struct, frozen=True, gc=False):
    """The next change of one grading if nothing happens.

    Attributes:
        tier: What it will be; None for "not graded".
        at_ms: The exact instant.
        prevention: Of a fall: what would prevent it; None where nothing was found.
    """

    tier: str | None
    at_ms: int
    prevention: Prevention | None = None


class Warned(Struct, array_like=True, gc=False):
    """The warnings of one customer in one grading.

    Attributes:
        sequence: Warnings and withdrawals so far.
        version: Of the policy that the last warning was given under; 0: none is open, and the
            rest means nothing.
        tier: The tier that is about to be lost.
        expected_tier: The tier from then on; None for "not graded".
        expected_ms: The instant.
    """

    sequence: int = 0
    version: int = 0
    tier: str = ""
    expected_tier: str | None = None
    expected_ms: int = 0


class AtRisk(Struct, frozen=True, gc=False):
    """A warning or its withdrawal, to be announced.

    Attributes:
        id: See `forecast_id`.
        sequence: 1, 2, 3 … per customer and grading, withdrawals included.
        tier: The tier that is about to be lost, or was when the warning was given.
        expected_tier: The tier from `expected_ms` on if nothing happens; None: not graded.
        issued_ms: When the warning or the withdrawal became due.
        prevention: Of a warning: what would prevent the fall; None where nothing was found.
        withdraws: Of a withdrawal: the id of the warning.
        version: Of the policy.
    """

    id: str
    customer_id: str
    grading: str
    sequence: int
    tier: str
    expected_tier: str | None
    expected_ms: int
    issued_ms: int
    version: int
    prevention: Prevention | None = None
    withdraws: str | None = None

    @property
    def status(self) -> str:
        """Whether it warns, or takes a warning back."""
        return AT_RISK if self.withdraws is None else WITHDRAWN


def forecast_id(
    customer_id: str,
    grading: str,
    sequence: int,
    policy: str,
    version: int,
    erased_ms: int | None = None,
) -> str:
    """Return the id of a warning or withdrawal: the same whoever computes it.

    *erased_ms* tells a new life, in which sequences count anew, from the one before it.

    >>> forecast_id("c1", "value", 1, "p", 1) == forecast_id("c1", "value", 1, "p", 1)
    True
    >>> forecast_id("c1", "value", 1, "p", 1) == forecast_id("c1", "value", 1, "p", 1, 5)
    False
    """
    parts = ("forecast", customer_id, grading, str(sequence), policy, str(version))
    return stable_id(*parts, erased_ms=erased_ms)
