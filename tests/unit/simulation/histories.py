"""Two policies and a history whose simulation can be worked out by hand."""

from __future__ import annotations

from agents.replay.log import LogRecord, sorted_log
from agents.simulation.shard import Job
from schemas.policy import PolicyDocument, parse_policy
from stream.simulation.comparison import Rules
from tests.properties.driver import to_json
from tests.unit.replay.histories import POLICY

DAY_MS = 86_400_000
START_MS = 1_704_067_200_000  # 2024-01-01T00:00:00Z, a Monday
OLD = POLICY
NEW = POLICY.replace("policy: small", "policy: strict").replace(
    "enter: 100.00, exit: 80.00", "enter: 120.00, exit: 110.00"
)
"""Gold from 120.00 instead of 100.00, kept down to 110.00 instead of 80.00."""


def document(text: str) -> PolicyDocument:
    return parse_policy(text, "policy.yaml")


def paid(customer: str, number: int, day: float, dollars: int) -> LogRecord:
    """Return an order paid some days after the start."""
    at_ms = START_MS + int(day * DAY_MS)
    event = {
        "kind": "order.paid",
        "customer_id": customer,
        "event_id": f"{customer}-{number}",
        "order_id": str(number),
        "at_ms": at_ms,
        "amount_minor": dollars * 100,
        "currency": "USD",
    }
    return LogRecord("orders", customer.encode(), to_json(event), at_ms)


def owned(customer: str, owner: str | None, day: float, number: int = 0) -> LogRecord:
    """Return a profile that names the account manager."""
    at_ms = START_MS + int(day * DAY_MS)
    event = {
        "kind": "profile.changed",
        "customer_id": customer,
        "event_id": f"{customer}-p{number}",
        "at_ms": at_ms,
        "attributes": {"owner": owner},
    }
    return LogRecord("profiles", customer.encode(), to_json(event), at_ms)


def history() -> list[LogRecord]:
    """Return the history, in order.

    ann pays 115: gold under the old policy, silver under the new one. bob pays 130 and is gold
    under both. cat pays 20. dan, a prospect, pays nothing. eve goes up and down: 60 on day 0,
    55 on day 1 (gold at 115 under the old policy only) and 60 on day 31.
    """
    records = [
        owned("ann", "Mia", 0),
        owned("bob", "Tom", 0),
        owned("bob", "Mia", 3, number=1),
        owned("dan", "Tom", 0),
        paid("ann", 1, 1, 115),
        paid("bob", 1, 1, 130),
        paid("cat", 1, 2, 20),
        paid("eve", 1, 0, 60),
        paid("eve", 2, 1, 55),
        paid("eve", 3, 20, 60),
    ]
    return list(sorted_log(records))


def job(days: float = 20, old: str = OLD, new: str = NEW, **rules: int) -> Job:
    """Return a simulation that ends some days after the start."""
    return Job(document(old), document(new), Rules(START_MS + int(days * DAY_MS), **rules))
