"""All customers of a log at an instant: what a census and the RFM table are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agents.replay.log import ORDERS
from agents.replay.offline import replay_offline
from schemas.decode import decode_order
from schemas.records import OrderCancelled, OrderPaid
from stream.customer import decode
from stream.plan import compile_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agents.replay.log import LogRecord
    from schemas.policy import PolicyDocument
    from stream.customer import Value


class Snapshot(NamedTuple):
    """One customer at one instant.

    Attributes:
        values: Its measures, in the order of the policy.
        revenue_minor: Paid less refunded, over its whole life.
    """

    customer_id: str
    values: list[Value]
    revenue_minor: int


def snapshots(
    log: Sequence[LogRecord],
    document: PolicyDocument,
    as_of_ms: int,
    progress: Callable[[int], None] | None = None,
) -> list[Snapshot]:
    """Return every customer that the records up to *as_of_ms* tell of, by id.

    Who forbids being scored by then is left out.
    Measures do not depend on how customers are graded, so nobody is: that saves time.
    """
    measures = document.model_copy(update={"gradings": {}, "population": None})
    plan = compile_policy(measures)
    known = [record for record in log if record.record_ms <= as_of_ms]
    if not known:
        return []
    result = replay_offline(known, plan, as_of_ms=as_of_ms, progress=progress)
    found = []
    for customer_id, state in sorted(result.states.items()):
        customer = decode(customer_id, state, plan.shape)
        if customer.withheld:
            continue
        customer.roll(as_of_ms)
        totals = customer.orders.totals
        values = plan.read(customer, as_of_ms)
        found.append(Snapshot(customer_id, values, totals.gross - totals.refunded))
    return found


def customers_who_ordered(log: Sequence[LogRecord], after_ms: int, until_ms: int) -> frozenset[str]:
    """Return who paid an order after one instant and up to another, and kept it until then."""
    paid: dict[tuple[str, str], int] = {}
    cancelled: set[tuple[str, str]] = set()
    for record in log:
        if record.topic != ORDERS or record.record_ms > until_ms:
            continue
        event = decode_order(record.value)
        order = (event.customer_id, event.order_id)
        if isinstance(event, OrderPaid):
            paid.setdefault(order, record.record_ms)
        elif isinstance(event, OrderCancelled):
            cancelled.add(order)
    return frozenset(
        order[0] for order, at_ms in paid.items() if at_ms > after_ms and order not in cancelled
    )
