"""What one id has of its own, and its place among the ids of one customer. No rules here.

The id that goes is called a part, the one that stays the whole. A part keeps all of its facts, as
if nothing had happened, so that it can be split off again; it is only not graded. What it has is
told to the whole in one piece, again after each change, and travels like figures of members.
"""

from __future__ import annotations

from msgspec import Struct, field

from stream.groups.kin import Exchange, News, Packed, Path, Place
from stream.ledger import OrderEntry

Waiting = dict[str, list[int]]
"""Refunds and cancellations that wait for their order, as in `stream.customer.Customer.pending`."""
Adjustment = tuple[int, int, int, int, int]
"""Instant of an order, then differences of count, gross, refunded and cost in its day."""


class Facts(Struct, array_like=True, frozen=True, gc=False):
    """What happened to one id, by itself.

    Attributes:
        series: Its events by kind; kinds without any are left out.
        attributes: Profile values by name.
        attributes_ms: When each was told last, also of those that were removed.
        pending: What waits for its order.
        orders: Its orders that refunds can still find, by order id.
    """

    series: list[Packed]
    attributes: dict[str, str | int | bool]
    attributes_ms: dict[str, int]
    pending: Waiting
    orders: dict[str, OrderEntry]


class Crossing(Struct, array_like=True, frozen=True):
    """An order that several ids know of: paid under one, and refunded or paid again under another.

    Attributes:
        holders: The ids that know of it, by path; () is the whole itself.
        adjustments: What it takes, beyond what each has counted, to count it once.
    """

    holders: list[Path]
    adjustments: list[Adjustment]


PartNews = News[Facts]
PartExchange = Exchange[Facts]


class Identity(Place[Facts], array_like=True):
    """A customer's place among the ids of one person; stored with it, once it has one.

    As in `Place`: `target` is the id that it was merged into, `linked_ms` the record time of that,
    and `members` are the parts that were merged into it.

    Attributes:
        orders: Its own orders that refunds can still find, while it has to do with other ids.
        attributes: Its own attributes, while it has parts; the customer's are everybody's.
        attributes_ms: When each of them was told last.
        crossings: Orders that several of its parts know of, by order id.
        reach_ms: The longest that a refund was let look for an order of another id.
        cause: Event id of the control that merged or split it last.
    """

    orders: dict[str, OrderEntry] = field(default_factory=dict)
    attributes: dict[str, str | int | bool] = field(default_factory=dict)
    attributes_ms: dict[str, int] = field(default_factory=dict)
    crossings: dict[str, Crossing] = field(default_factory=dict)
    reach_ms: int = 0
    cause: str = ""

    @property
    def is_shared(self) -> bool:
        """Whether it is merged into another id, or others into it."""
        return self.target is not None or bool(self.members)
