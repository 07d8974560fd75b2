"""The `interactions` topic: everything between a customer and us that is not an order."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import (
    MAX_OVERDUE_DAYS,
    AmountMinor,
    Contract,
    CurrencyCode,
    CustomerEvent,
    Score,
)
from schemas.vocabulary import Stage


class NoDetails(Contract):
    """Kinds that say everything by happening."""


class SurveyDetails(Contract):
    """What the customer answered.

    Attributes:
        score: 0 worst to 100 best.
    """

    score: Score


class PaymentDetails(Contract):
    """What came in.

    Attributes:
        amount_minor: What was paid.
    """

    amount_minor: AmountMinor
    currency: CurrencyCode


class OverdueDetails(Contract):
    """How late a payment is.

    Attributes:
        days: Since it was due, at this instant; a later `payment.received` settles it.
    """

    days: Annotated[int, Field(ge=0, le=MAX_OVERDUE_DAYS)]


class StageDetails(Contract):
    """Where the sale stands.

    Attributes:
        stage: The stage that was entered.
    """

    stage: Stage


class PlainInteraction(CustomerEvent):
    """Something that happened; `details` may be left out."""

    kind: Literal[
        "visit",
        "contact",
        "meeting",
        "trial",
        "complaint",
        "complaint.resolved",
        "referral",
        "service.requested",
        "service.resolved",
        "treatment.sent",
        "treatment.responded",
    ]
    details: NoDetails = NoDetails()


class SurveyAnswered(CustomerEvent):
    """The customer answered a survey."""

    kind: Literal["survey"]
    details: SurveyDetails


class PaymentReceived(CustomerEvent):
    """The customer paid a bill."""

    kind: Literal["payment.received"]
    details: PaymentDetails


class PaymentOverdue(CustomerEvent):
    """A payment is late."""

    kind: Literal["payment.overdue"]
    details: OverdueDetails


class StageChanged(CustomerEvent):
    """The customer moved to another stage."""

    kind: Literal["stage.changed"]
    details: StageDetails


InteractionEvent = Annotated[
    PlainInteraction | SurveyAnswered | PaymentReceived | PaymentOverdue | StageChanged,
    Field(discriminator="kind"),
]
