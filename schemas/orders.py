"""The `orders` topic: orders paid, refunded and cancelled."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import MAX_MINOR, AmountMinor, CurrencyCode, CustomerEvent, Id


class OrderPaid(CustomerEvent):
    """An order was paid, once. Amount and cost are in minor units of the same currency.

    Attributes:
        order_id: Unique; refunds and cancellations name it.
        amount_minor: What was paid.
        cost_minor: What it cost the seller; without it margins are not known.
        category: What was bought, in a word.
    """

    kind: Literal["order.paid"]
    order_id: Id
    amount_minor: AmountMinor
    currency: CurrencyCode
    cost_minor: AmountMinor | None = None
    category: Annotated[str, Field(max_length=64)] | None = None


class OrderRefunded(CustomerEvent):
    """Part or all of an order was paid back. May come before its order, and more than once.

    Attributes:
        order_id: The order that was paid.
        amount_minor: What was paid back with this event; in all never more than was paid.
    """

    kind: Literal["order.refunded"]
    order_id: Id
    amount_minor: Annotated[int, Field(ge=1, le=MAX_MINOR)]
    currency: CurrencyCode


class OrderCancelled(CustomerEvent):
    """An order no longer counts. May come before its order.

    Attributes:
        order_id: The order that was paid.
    """

    kind: Literal["order.cancelled"]
    order_id: Id


OrderEvent = Annotated[OrderPaid | OrderRefunded | OrderCancelled, Field(discriminator="kind")]
