"""The records every contestant reads: orders of customers drawn by Zipf, over one day."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stream.calendar import DAY_MS, format_instant
from stream.partition import murmur2

if TYPE_CHECKING:
    from collections.abc import Iterator

POLICY = Path(__file__).with_name("policy.yaml")
PARTITIONS = 4


class Order(NamedTuple):
    """One record of the topic `orders`.

    Attributes:
        partition: Where Java's partitioner puts it.
        key: The customer.
        value: JSON, about 200 bytes.
        record_ms: Record time, which is also its event time.
    """

    partition: int
    key: bytes
    value: bytes
    record_ms: int


@dataclass(frozen=True, slots=True)
class Workload:
    """A warm-up part in which every customer comes at least once, then the part that is timed.

    Record times are spread evenly over the day before *ends_ms*, warm-up included, so a
    worker sees a day's backlog.

    Attributes:
        events: Records of the timed part.
        warmup: Records before it, at least one for each customer.
        customers: Number of customers; number k comes with a frequency proportional to 1/k.
        ends_ms: Record time of the last record.
        seed: Of the random numbers: the same workload gives the same bytes.
    """

    events: int
    warmup: int
    customers: int
    ends_ms: int
    seed: int = 1

    def orders(self) -> Iterator[Order]:
        """Yield every record, warm-up first, in the order of time."""
        draw = random.Random(self.seed)
        names = [f"customer-{number:06d}" for number in range(self.customers)]
        places = [(murmur2(name.encode()) & 0x7FFFFFFF) % PARTITIONS for name in names]
        weights = list(accumulate(1 / (number + 1) for number in range(self.customers)))
        drawn = draw.choices(
            range(self.customers),
            cum_weights=weights,
            k=self.warmup + self.events - self.customers,
        )
        total = self.warmup + self.events
        for index, number in enumerate([*range(self.customers), *drawn]):
            record_ms = self.ends_ms - DAY_MS + (index + 1) * DAY_MS // total
            value = msgspec.json.encode(
                {
                    "schema_version": 1,
                    "event_id": f"event-{index:012d}",
                    "kind": "order.paid",
                    "occurred_at": format_instant(record_ms),
                    "customer_id": names[number],
                    "order_id": f"order-{index:010d}",
                    "amount_minor": draw.randrange(100, 20_000),
                    "currency": "USD",
                }
            )
            yield Order(places[number], names[number].encode(), value, record_ms)
