"""Several customers in several buckets over a store that is a few dictionaries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.sweeping import concerned
from stream.adapters.memory_store import MemoryStore
from stream.bucket import Bucket
from stream.customer import Customer, decode
from stream.editions import first_edition, scorer_of
from stream.outbox import TIER_CHANGES, decode_row
from stream.partition import bucket_of
from stream.population.follow import Census, take_census
from stream.population.ordered import Ordered
from stream.store import Outcome
from tests.properties.driver import WINDOW, to_arrival

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from schemas.policy import PolicyDocument
    from stream.customer import Value
    from stream.editions import Begin, Edition
    from stream.plan import Plan
    from tests.properties.driver import Event

SOURCE = "orders/0"


class Town:
    """Everyone, moved forward by events and by time as workers do it.

    Attributes:
        store: What commits have written.
        changes: Values of the records for `tier-changes`, in the order of the commits.
    """

    def __init__(self, document: PolicyDocument, buckets: int = 3) -> None:
        self._first = first_edition(document)
        self.store = MemoryStore()
        self.store.install(buckets)
        self.changes: list[bytes] = []
        self.numbers = range(buckets)
        self._buckets: dict[int, Bucket] = {}
        self.restart()

    def restart(self) -> None:
        """Forget everything but what is stored."""
        heads = self.store.open(self.numbers, SOURCE)
        scorer = scorer_of(self._first)
        self._buckets = {head.bucket: Bucket(head, scorer, WINDOW, self._first) for head in heads}
        for head in heads:
            self._buckets[head.bucket].epochs[SOURCE] = head.epoch

    @property
    def edition(self) -> Edition:
        """What is in force, which is the same in all buckets here."""
        return self._buckets[0].in_force.edition

    @property
    def plan(self) -> Plan:
        """What is in force, compiled."""
        return self._buckets[0].scorer.plan

    @property
    def swept(self) -> bool:
        """Whether everyone has been brought to what is in force, in all buckets."""
        return all(bucket.in_force.swept for bucket in self._buckets.values())

    def apply(self, events: Iterable[Event], watermark_ms: int = 0) -> None:
        """Apply one micro-batch of orders, and wake those in it up to the watermark."""
        for event in events:
            bucket = self._bucket_of(event["customer_id"])
            bucket.apply_to(event["customer_id"], [to_arrival(event, self.plan)])
            bucket.wake(event["customer_id"], watermark_ms)
        self._commit(None)

    def pass_time(self, upto_ms: int) -> int:
        """Fire every deadline up to an instant; return how many customers came up for it."""
        visited = 0
        while due := self.store.due(self.numbers, upto_ms, 2):
            for number, customer_id, _ in due:
                self._load(self._buckets[number], customer_id).wake(customer_id, upto_ms)
            visited += len(due)
            self._commit(None)
        self._commit(upto_ms)
        return visited

    def begin(self, begin: Begin) -> None:
        """Let an edition begin everywhere; nobody is brought to it."""
        for bucket in self._buckets.values():
            bucket.begin(begin)
        self._commit(None)

    def sweep(self, now_ms: int, most: int | None = None) -> int:
        """Visit whom the newest edition concerns, at most so many in a bucket; return how many."""
        visited = 0
        for bucket in self._buckets.values():
            if bucket.in_force.swept:
                continue
            left = [one for one in concerned(self.store, bucket) if one is not None]
            for customer_id in left[:most]:
                self._load(bucket, customer_id).visit(customer_id, now_ms)
            visited += bucket.tally.brought
            if most is None or len(left) <= most:
                bucket.finish()
        self._commit(None)
        return visited

    def census(self, before: Mapping[str, tuple[int, ...]]) -> Census:
        """Take a census from the store alone."""
        return take_census(
            self.plan,
            before,
            lambda ranking: Ordered.stored(self.store, self.numbers, ranking.name),
        )

    def everyone(self) -> dict[str, Customer]:
        """Return every customer as it is stored."""
        return {
            customer_id: decode(customer_id, state, self.plan.shape)
            for number in self.numbers
            for customer_id, state in self.store.scan_states(number)
        }

    def readings(self, now_ms: int) -> dict[str, list[Value]]:
        """Return everyone's measures at an instant, worked out from the states alone."""
        found = {}
        for customer_id, customer in self.everyone().items():
            customer.roll(now_ms)
            found[customer_id] = self.plan.read(customer, now_ms)
        return found

    def _bucket_of(self, customer_id: str) -> Bucket:
        return self._load(self._buckets[bucket_of(customer_id, len(self.numbers))], customer_id)

    def _load(self, bucket: Bucket, customer_id: str) -> Bucket:
        if customer_id not in bucket.customers:
            found = self.store.load_states({bucket.number: [customer_id]})
            bucket.adopt(customer_id, found.get(customer_id))
        return bucket

    def _commit(self, clock_ms: int | None) -> None:
        commits = [
            bucket.commit({}, clock_ms)
            for bucket in self._buckets.values()
            if bucket.is_dirty or clock_ms is not None
        ]
        for commit in commits:
            for row in map(decode_row, commit.outbox):
                if row.topic == TIER_CHANGES and row.value is not None:
                    self.changes.append(row.value)
        for result in self.store.commit(commits):
            assert result.outcome is Outcome.OK
