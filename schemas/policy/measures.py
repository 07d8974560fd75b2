"""Measures: what is known of a customer, by name."""

from typing import Annotated, Literal, Self

from pydantic import Field, Tag, model_validator

from schemas.policy.cltv import CltvMeasure
from schemas.policy.conduct import (
    DaysOverdueMeasure,
    LongestGapMeasure,
    OpenMeasure,
    RepurchaseRateMeasure,
)
from schemas.policy.labels import Named
from schemas.policy.part import TAG_MARK, Part, by_key, refuse
from schemas.policy.quantities import MAX_DAYS, Days, Name, Unit, Window
from schemas.vocabulary import InteractionKind

Amount = Literal["revenue", "gross", "refunded", "cost", "contribution"]
"""gross = paid; revenue = gross - refunded; contribution = revenue - cost; of surviving orders."""

_WINDOW = Field(default=None, description="days such as 365d, or lifetime (the default)")
_BEFORE = Field(default=None, description="days such as 365d: the window that ended so long ago")


class Windowed(Named):
    """A measure over a rolling window.

    Attributes:
        window: Length in days; None for the whole lifetime.
        before: How many days ago the window ended; None for a window that ends now.
    """

    window: Window = _WINDOW
    before: Days | None = _BEFORE

    @model_validator(mode="after")
    def _before_needs_a_window(self) -> Self:
        if self.before is not None and self.window is None:
            refuse("before only beside a window in days, such as window: 365d")
        return self


class CountMeasure(Windowed):
    """How many surviving orders, or interactions of one kind."""

    count: Literal["orders", InteractionKind] = Field(description="orders or an interaction kind")

    @property
    def unit(self) -> Unit:
        """A count of events."""
        return "count"


class SumMeasure(Windowed):
    """Total of an amount over surviving orders."""

    sum: Amount = Field(description="revenue, gross, refunded, cost or contribution")

    @property
    def unit(self) -> Unit:
        """Minor units of the reporting currency."""
        return "money"


class AverageMeasure(Windowed):
    """Amount per surviving order, rounded half-even to minor units; unknown without orders."""

    average: Amount = Field(description="revenue, gross, refunded, cost or contribution")

    @property
    def unit(self) -> Unit:
        """Minor units of the reporting currency."""
        return "money"


class MaxMeasure(Windowed):
    """The largest single value seen; not undone by refunds or cancellations."""

    max: Literal["gross", "survey", "payment.overdue"] = Field(
        description="gross, survey or payment.overdue"
    )

    @property
    def unit(self) -> Unit:
        """Minor units, survey points or days overdue."""
        units: dict[str, Unit] = {"gross": "money", "survey": "number", "payment.overdue": "days"}
        return units[self.max]


class LastMeasure(Named):
    """The newest value ever seen."""

    last: Literal["gross", "survey", "stage.changed"] = Field(
        description="gross, survey or stage.changed"
    )

    @property
    def unit(self) -> Unit:
        """Minor units, survey points or a stage of the sale."""
        units: dict[str, Unit] = {"gross": "money", "survey": "number", "stage.changed": "stage"}
        return units[self.last]


class FirstMeasure(Named):
    """The earliest paid amount ever seen."""

    first: Literal["gross"] = Field(description="gross")

    @property
    def unit(self) -> Unit:
        """Minor units of the reporting currency."""
        return "money"


class DaysSinceMeasure(Named):
    """Whole days since something happened; unknown if it never did."""

    days_since: Literal["last_order", "first_order", InteractionKind] = Field(
        description="last_order, first_order or an interaction kind"
    )

    @property
    def unit(self) -> Unit:
        """Days of exactly 24 hours, rounded down."""
        return "days"


class GrowthMeasure(Named):
    """Change of an amount against the window before, in basis points, rounded half-even.

    Attributes:
        window: Length in days of both windows; growth has no lifetime.
    """

    growth: Amount = Field(description="revenue, gross, refunded, cost or contribution")
    window: Days = Field(description="days such as 365d")

    @property
    def unit(self) -> Unit:
        """Basis points: 1250 is 12.5 %."""
        return "bp"


class Ratio(Part):
    """One amount as a share of another."""

    of: Amount = Field(description="revenue, gross, refunded, cost or contribution")
    to: Amount = Field(description="revenue, gross, refunded, cost or contribution")


class RatioMeasure(Windowed):
    """A ratio in basis points, rounded half-even; unknown when the denominator is 0."""

    ratio: Ratio = Field(description="a mapping with of and to")

    @property
    def unit(self) -> Unit:
        """Basis points: 1250 is 12.5 %."""
        return "bp"


class AttributeMeasure(Named):
    """A profile attribute; unknown when unset or of another type than the policy says."""

    attribute: Name = Field(description="the name of a profile attribute")
    type: Literal["text", "number"] = Field(description="text or number")

    @property
    def unit(self) -> Unit:
        """Text or a plain integer."""
        return self.type


class Reviewed(Part):
    """An indicator of a grading that people review."""

    grading: Name = Field(description="the name of a grading")
    indicator: Name = Field(description="an indicator of that grading")


class ReviewMeasure(Named):
    """The newest approved score that a person gave; unknown without a valid one.

    Attributes:
        review: Which indicator of which grading.
        valid_days: How many days of 24 hours a review is valid; None: for ever.
    """

    review: Reviewed = Field(description="a mapping with grading and indicator")
    valid_days: int | None = Field(default=None, ge=1, le=MAX_DAYS)

    @property
    def unit(self) -> Unit:
        """Points from 0 to 100."""
        return "number"


Fact = FirstMeasure | LastMeasure | ReviewMeasure
"""Measures that show one value that was told."""

MEASURE_KEYS = (
    "count",
    "sum",
    "average",
    "max",
    "last",
    "first",
    "days_since",
    "growth",
    "ratio",
    "attribute",
    "open",
    "days_overdue",
    "repurchase_rate",
    "longest_gap",
    "cltv",
    "review",
)

Measure = Annotated[
    Annotated[CountMeasure, Tag(TAG_MARK + "count")]
    | Annotated[SumMeasure, Tag(TAG_MARK + "sum")]
    | Annotated[AverageMeasure, Tag(TAG_MARK + "average")]
    | Annotated[MaxMeasure, Tag(TAG_MARK + "max")]
    | Annotated[LastMeasure, Tag(TAG_MARK + "last")]
    | Annotated[FirstMeasure, Tag(TAG_MARK + "first")]
    | Annotated[DaysSinceMeasure, Tag(TAG_MARK + "days_since")]
    | Annotated[GrowthMeasure, Tag(TAG_MARK + "growth")]
    | Annotated[RatioMeasure, Tag(TAG_MARK + "ratio")]
    | Annotated[AttributeMeasure, Tag(TAG_MARK + "attribute")]
    | Annotated[OpenMeasure, Tag(TAG_MARK + "open")]
    | Annotated[DaysOverdueMeasure, Tag(TAG_MARK + "days_overdue")]
    | Annotated[RepurchaseRateMeasure, Tag(TAG_MARK + "repurchase_rate")]
    | Annotated[LongestGapMeasure, Tag(TAG_MARK + "longest_gap")]
    | Annotated[CltvMeasure, Tag(TAG_MARK + "cltv")]
    | Annotated[ReviewMeasure, Tag(TAG_MARK + "review")],
    by_key(MEASURE_KEYS, "a mapping with exactly one of " + ", ".join(MEASURE_KEYS)),
]
"""Told apart by which key it has."""
