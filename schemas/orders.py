"""The `orders` topic: orders paid, refunded and cancelled."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import MAX_MINOR, AmountMinor, CurrencyCode, CustomerEvent, Id


class OrderPaid(CustomerEvent):
    """An order was paid, once. Amount and cost are in minor units of the same currency."""

    kind: Literal["order.paid"]
    order_id: Id
    amount_minor: AmountMinor
    currency: CurrencyCode
    cost_minor: AmountMinor | None = None
    category: Annotated[str, Field(max_length=64)] | None = None


class OrderRefunded(CustomerEvent):
    """Part or all of an order was paid back. May come before its order, and more than once."""

    kind: Literal["order.refunded"]
    order_id: Id
    amount_minor: Annotated[int, Field(ge=1, le=MAX_MINOR)]
    currency: CurrencyCode


class OrderCancelled(CustomerEvent):
    """An order no longer counts. May come before its order."""

    kind: Literal["order.cancelled"]
    order_id: Id


OrderEvent = Annotated[OrderPaid | OrderRefunded | OrderCancelled, Field(discriminator="kind")]
