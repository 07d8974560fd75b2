"""From a replay log to what each customer has bought: the input of a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.replay.events_jsonl import DECODERS
from agents.replay.log import ORDERS
from agents.replay.mistakes import ReplayFileError
from agents.replay.offline import replay_offline
from schemas.policy.load import policy_from_data
from stream.cltv.purchases import purchases_of
from stream.customer import decode
from stream.partition import bucket_of
from stream.plan import compile_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agents.replay.log import LogRecord
    from schemas.policy import PolicyDocument
    from stream.cltv.purchases import Purchases


def orders_of(log: Sequence[LogRecord], name: str, one_in: int) -> Sequence[LogRecord]:
    """Return the records of orders of one customer in *one_in*, always the same ones.

    Raises:
        ReplayFileError: Nothing is left of the log called *name*.
    """
    kept = [
        record
        for record in log
        if record.topic == ORDERS and bucket_of(record.key.decode(), one_in) == 0
    ]
    if not kept:
        raise ReplayFileError(name, allowed="at least one order")
    return kept


def currency_of(log: Sequence[LogRecord]) -> str | None:
    """Return the currency of the first order that has one."""
    for record in log:
        currency = getattr(DECODERS[record.topic](record.value), "currency", None)
        if currency:
            return str(currency)
    return None


def counting_policy(currency: str) -> PolicyDocument:
    """Return a policy that only keeps orders: days of UTC, no other currency."""
    return policy_from_data(
        {
            "policy": "purchases",
            "version": 1,
            "time_zone": "UTC",
            "currency": currency,
            "measures": {"orders": {"count": "orders"}},
            "gradings": {
                "all": {"type": "bands", "measure": "orders", "tiers": [{"tier": "known"}]}
            },
        },
        "purchases",
    )


def purchases_in(
    log: Sequence[LogRecord],
    policy: PolicyDocument,
    as_of_ms: int,
    progress: Callable[[int], None] | None = None,
) -> tuple[list[Purchases], int]:
    """Return the purchases of every customer at *as_of_ms*, and how many records were refused.

    They come out of the core that scores live, so that a measure sees what its parameters
    were fitted to: days of the policy's time zone, its currency, refunds and cancellations.
    Customers without a surviving order are left out.
    """
    plan = compile_policy(policy)
    result = replay_offline(log, plan, as_of_ms=as_of_ms, progress=progress)
    found = []
    for customer_id, state in sorted(result.states.items()):
        customer = decode(customer_id, state, plan.shape)
        customer.roll(as_of_ms)
        seen = purchases_of(customer.orders, as_of_ms)
        if seen is not None:
            found.append(seen)
    return found, len(result.refused)
