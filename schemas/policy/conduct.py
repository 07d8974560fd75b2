"""Measures of how a customer behaves: what is open, what is overdue, coming back, staying away."""

from typing import Literal

from pydantic import Field

from schemas.policy.labels import Named
from schemas.policy.quantities import Days, Unit, Window


class OpenMeasure(Named):
    """What was raised less what was resolved, over the whole life; never below 0."""

    open: Literal["complaint", "service.requested"] = Field(
        description="complaint or service.requested"
    )

    @property
    def unit(self) -> Unit:
        """A count of events."""
        return "count"


class DaysOverdueMeasure(Named):
    """Days overdue now: what payment.overdue last said, and the days that went by since.

    0 when nothing was ever overdue, and from the next payment.received on.
    """

    days_overdue: Literal["payments"] = Field(description="payments")

    @property
    def unit(self) -> Unit:
        """Days of exactly 24 hours, rounded down."""
        return "days"


class RepurchaseRateMeasure(Named):
    """Share of the orders of a window that followed an earlier order, rounded half-even.

    Attributes:
        window: Length in days; None for the whole lifetime. The earlier order may lie before it.
    """

    repurchase_rate: Literal["orders"] = Field(description="orders")
    window: Window = Field(default=None, description="days such as 365d, or lifetime (the default)")

    @property
    def unit(self) -> Unit:
        """Basis points: 1250 is 12.5 %."""
        return "bp"


class LongestGapMeasure(Named):
    """The longest silence, in whole days, that an order of the window ended.

    Unknown where none did: no order in the window, or no order before it.

    Attributes:
        window: Length in days; it has no lifetime.
    """

    longest_gap: Literal["orders"] = Field(description="orders")
    window: Days = Field(description="days such as 365d")

    @property
    def unit(self) -> Unit:
        """Days of exactly 24 hours, rounded down."""
        return "days"
