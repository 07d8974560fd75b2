"""Several customers in a few buckets over a store in memory, as a worker would run them.

Batches may be of any size, and everything that was not committed may be forgotten at any time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.records import CustomerErase, IdentityMerged, OrderCancelled, OrderRefunded
from stream.adapters.memory_store import MemoryStore
from stream.arrivals import Notice, Payment
from stream.bucket import Bucket
from stream.customer import Customer, decode
from stream.fold import Scorer
from stream.groups.member_rows import GROUP_MEMBERS, PartTold, decode_member
from stream.ledger import ledger_key
from stream.outbox import Row, decode_row
from stream.partition import bucket_of
from stream.store import Outcome
from tests.properties.driver import WINDOW, measures, to_arrival

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stream.arrivals import Arrival
    from stream.plan import Plan
    from tests.properties.families import Event

BUCKETS = 3


class Village:
    """Customers of a few buckets.

    Attributes:
        store: What was committed.
        rows: What was announced, without what customers tell each other.
        under_way: What they tell each other and was not delivered yet.
        refused: Event ids of records that were refused.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.store = MemoryStore()
        self.rows: list[Row] = []
        self.under_way: list[Row] = []
        self.refused: list[str] = []
        self._scorer = Scorer(plan)
        self._buckets: dict[int, Bucket] = {}

    # -- moving on ------------------------------------------------------------

    def apply(self, *events: Event) -> None:
        """Apply one micro-batch."""
        self._take([to_arrival(event, self.plan) for event in events])

    def deliver_all(self) -> None:
        """Bring everything that customers tell each other, in order, until nothing is left."""
        while self.under_way:
            self.deliver(self.under_way.pop(0))

    def deliver(self, row: Row) -> None:
        """Bring one such row."""
        self._take([Notice(row.timestamp_ms, decode_member(row.value), 0)])

    def wake(self, upto_ms: int) -> None:
        """Let every deadline up to and including an instant fire."""
        for number, customer_id, _ in self.store.due(range(BUCKETS), upto_ms, 1_000):
            bucket = self._open(number)
            self._know(bucket, {customer_id: []})
            bucket.wake(customer_id, upto_ms)
            self._commit(bucket)

    def restart(self) -> None:
        """Forget everything but what was committed."""
        self._buckets.clear()

    # -- what came of it ------------------------------------------------------

    def customers(self) -> dict[str, Customer]:
        """Return every stored customer."""
        return {
            name: decode(name, stored, self.plan.shape)
            for number in range(BUCKETS)
            for name, stored in self.store.scan_states(number)
        }

    def figures(self, now_ms: int) -> dict[str, tuple[object, object]]:
        """Return everyone's measures at an instant, and everyone's grades."""
        found: dict[str, tuple[object, object]] = {}
        for name, customer in self.customers().items():
            at_ms = max(now_ms, customer.clock_ms)
            grades = [grade.tier for grade in customer.grades]
            found[name] = measures(self.plan, customer, at_ms), grades
        return found

    def everything(self) -> bytes:
        """Return all that is stored, but for rows that were announced."""
        return repr(self.store._buckets).encode()

    def of_topic(self, topic: str) -> list[Row]:
        """Return what was announced on a topic."""
        return [row for row in self.rows if row.topic == topic]

    # -- inside ---------------------------------------------------------------

    def _take(self, arrivals: Sequence[Arrival]) -> None:
        shares: dict[int, dict[str, list[Arrival]]] = {}
        for arrival in arrivals:
            name = _customer_of(arrival)
            share = shares.setdefault(bucket_of(name, BUCKETS), {})
            share.setdefault(name, []).append(arrival)
        for number, by_customer in shares.items():
            bucket = self._open(number)
            self._know(bucket, by_customer)
            for name, own in by_customer.items():
                bucket.apply_to(name, own)
            self._commit(bucket)

    def _open(self, number: int) -> Bucket:
        if number not in self._buckets:
            head = self.store.open([number], "orders/0")[0]
            bucket = self._buckets[number] = Bucket(head, self._scorer, WINDOW)
            bucket.epochs["orders/0"] = head.epoch
        return self._buckets[number]

    def _know(self, bucket: Bucket, by_customer: Mapping[str, Sequence[Arrival]]) -> None:
        absent = by_customer.keys() - bucket.customers.keys()
        states = self.store.load_states({bucket.number: sorted(absent)})
        for name in absent:
            bucket.adopt(name, states.get(name))
        for name, own in by_customer.items():
            places = self.store.scan_orders(bucket.number, ledger_key(name, ""))
            if any(_is(arrival, CustomerErase) for arrival in own):
                bucket.know_ledger(name, places)
            named = {ledger_key(name, order) for order in _orders(own)}
            audited = any(_is(arrival, IdentityMerged) or _is(arrival, PartTold) for arrival in own)
            wanted = [place for place in places if audited or place[1] in named]
            entries = self.store.load_orders({bucket.number: wanted})
            bucket.know_orders({key: entry for (_, key), entry in entries.items()})

    def _commit(self, bucket: Bucket) -> None:
        refusals = bucket.tally.refusals
        self.refused += [r.arrival.origin["event_id"] for r in refusals]
        (result,) = self.store.commit([bucket.commit({}, None)])
        assert result.outcome is Outcome.OK
        found = self.store.read_outbox({bucket.number: 0}, 10_000)[bucket.number]
        for row in (decode_row(stored) for _, stored in found):
            (self.under_way if row.topic == GROUP_MEMBERS else self.rows).append(row)
        self.store.trim_outbox({bucket.number: result.last_row})


def _customer_of(arrival: Arrival) -> str:
    if isinstance(arrival, Payment):
        return str(arrival.origin.get("customer_id", "c1"))
    return arrival.event.customer_id


def _is(arrival: Arrival, kind: type) -> bool:
    return isinstance(arrival, Notice) and isinstance(arrival.event, kind)


def _orders(arrivals: Iterable[Arrival]) -> Iterable[str]:
    for arrival in arrivals:
        if isinstance(arrival, Payment):
            yield arrival.order_id
        elif isinstance(arrival.event, (OrderRefunded, OrderCancelled)):
            yield arrival.event.order_id
