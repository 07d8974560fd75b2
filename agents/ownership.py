"""Which buckets this worker feeds, what it knows of them, and where reading must resume."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from agents.settings import INPUTS
from stream.bucket import Bucket
from stream.editions import FIRST

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from aiokafka.structs import TopicPartition

    from agents.settings import Settings
    from stream.editions import Edition
    from stream.fold import Scorer
    from stream.plan import Plan
    from stream.store import Store

_FORGOTTEN_AT_ONCE = 500


def source_name(topic: str, partition: int) -> str:
    """Return how a topic partition is named in the store: base name and number."""
    return f"{topic}/{partition}"


@dataclass(slots=True)
class Ownership:
    """The buckets of this worker. All methods that ask the store block: call them in its thread.

    A bucket's home is the partition with number ``bucket % partitions``. Others may feed
    it too (a producer with another partitioner); such buckets are opened when first met, and
    from then on with the source that feeds them.

    Attributes:
        buckets: Opened buckets by number. Never changed, but replaced as a whole: the event loop
            looks through it while the store's thread opens others.
        scorer: Of the policy that the worker was started with.
        first: That policy as an edition.
        partitions: Partitions of every input topic; 0 until assigned.
        assigned: Topic partitions that this worker reads, with their base topic.
        replayed: Per source, the offset below which some bucket may have applied a
            record already.
    """

    settings: Settings
    store: Store
    scorer: Scorer
    first: Edition = FIRST
    buckets: dict[int, Bucket] = field(default_factory=dict)
    partitions: int = 0
    assigned: dict[TopicPartition, str] = field(default_factory=dict)
    replayed: dict[str, int] = field(default_factory=dict)

    def home(self, partition: int) -> range:
        """Return the buckets whose home is *partition*."""
        return range(partition, self.settings.buckets, self.partitions)

    def open(
        self, assigned: Collection[TopicPartition], partitions: int
    ) -> dict[TopicPartition, int | None]:
        """Open the home buckets of *assigned*, fencing whoever had them before.

        Forgets everything known until now. Returns where to resume each partition: the
        smallest cursor of the buckets it feeds, None where one has never been fed.

        Raises:
            StoreUnavailable: Nothing is owned; try again.
        """
        bases = {self.settings.topic(base): base for base in INPUTS}
        self.buckets = {}
        opened: dict[int, Bucket] = {}
        self.partitions = partitions
        self.assigned = {tp: bases[tp.topic] for tp in assigned}
        everything = self.store.heads(range(self.settings.buckets))
        resume: dict[TopicPartition, int | None] = {}
        for tp, base in self.assigned.items():
            source = source_name(base, tp.partition)
            home = set(self.home(tp.partition))
            cursors = [
                head.cursors.get(source)
                for head in everything
                if head.bucket in home or source in head.cursors
            ]
            known = [cursor for cursor in cursors if cursor is not None]
            self.replayed[source] = max(known, default=0)
            resume[tp] = min(known) if known and len(known) == len(cursors) else None
            fed = {head.bucket for head in everything if source in head.cursors}
            self._open_source(opened, sorted(home | fed), source)
        self._skip_rows(opened)
        self.buckets = opened
        return resume

    def open_foreign(self, wanted: Iterable[tuple[int, str]]) -> None:
        """Open buckets that a source feeds for the first time; ``(bucket, source)`` pairs."""
        by_source: dict[str, list[int]] = {}
        for bucket, source in wanted:
            by_source.setdefault(source, []).append(bucket)
        opened = self.buckets.copy()
        for source, buckets in by_source.items():
            self._open_source(opened, sorted(set(buckets)), source)
            self._skip_rows(buckets)
        self.buckets = opened

    def is_open(self, bucket: int, source: str) -> bool:
        """Say whether *source* may feed *bucket* now."""
        opened = self.buckets.get(bucket)
        return opened is not None and source in opened.epochs

    def plan_of(self, partition: int) -> Plan:
        """Return the plan that the next record of *partition* is admitted under.

        After a crash some home buckets may have taken an edition that others are about to:
        the one that is furthest behind tells where reading has resumed.
        """
        source = source_name("controls", partition)
        home = [self.buckets[number] for number in self.home(partition) if number in self.buckets]
        last = min(home, key=lambda bucket: bucket.cursors.get(source, 0), default=None)
        return self.scorer.plan if last is None else last.scorer.plan

    def unswept(self) -> list[Bucket]:
        """Return the buckets at home here in which not everyone stands under the newest edition."""
        return [bucket for bucket in self.at_home() if not bucket.in_force.swept]

    def at_home(self) -> list[Bucket]:
        """Return the buckets whose home is a partition that this worker reads."""
        numbers = {tp.partition for tp in self.assigned}
        return [b for b in self.buckets.values() if b.number % self.partitions in numbers]

    def leave(self) -> None:
        """Forget everything; nothing may be committed until the next `open`."""
        self.buckets = {}
        self.assigned = {}

    def trim(self, limit: int) -> int:
        """Forget customers where more than *limit* are cached; return how many still are.

        Of the fullest buckets those go who came first: that costs less than keeping an order of
        use for every record. A few at a time, as letting go of very many would hold up the rest.
        """
        cached = sum(len(bucket.customers) for bucket in self.buckets.values())
        if cached <= limit:
            return cached
        going = max(cached - limit, _FORGOTTEN_AT_ONCE)
        for bucket in sorted(self.buckets.values(), key=lambda b: -len(b.customers)):
            first = list(islice(bucket.customers, going))
            for customer_id in first:
                del bucket.customers[customer_id]
            going -= len(first)
            cached -= len(first)
            if not going:
                break
        return cached

    def _open_source(self, opened: dict[int, Bucket], buckets: list[int], source: str) -> None:
        for head in self.store.open(buckets, source):
            bucket = opened.get(head.bucket)
            if bucket is None:
                bucket = Bucket(head, self.scorer, self.settings.dedup, self.first)
                opened[head.bucket] = bucket
            bucket.epochs[source] = head.epoch

    def _skip_rows(self, buckets: Iterable[int]) -> None:
        """Give rows new numbers from here on, in case the store has gone back in time.

        The relay knows by number what it has published. The clock, in microseconds, is ahead
        of all numbers given before: nobody writes a million rows a second into one bucket.
        """
        self.store.skip_rows(sorted(buckets), self.store.server_info().clock_ms * 1000)
