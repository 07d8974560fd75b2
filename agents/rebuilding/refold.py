"""A worker's own parts, folding a whole log into a store in memory."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from aiokafka.structs import TopicPartition

from agents.folding import Folding
from agents.intake import Batch, Intake
from agents.metrics import Metrics
from agents.ownership import Ownership
from agents.rebuilding.errors import RebuildError
from agents.rebuilding.past import batches
from agents.settings import INPUTS
from stream.adapters.memory_store import MemoryStore
from stream.bucket.restoring import stand
from stream.editions import scorer_of
from stream.store import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from agents.merge import Run
    from agents.rebuilding.announced import Stands
    from agents.rebuilding.past import Past
    from agents.settings import Settings
    from stream.customer import Customer
    from stream.editions import Edition
    from stream.store import BucketCommit

_NO_LIMIT = 1 << 62


class _StandingStill:
    """Time stands still while records are folded: each wakes what was due before it."""

    def __init__(self, number: int) -> None:
        self._number = number

    def numbers(self) -> Iterable[int]:
        """See `agents.folding.Watermarks`."""
        return (self._number,)

    def watermark_ms(self, number: int) -> int | None:
        """See `agents.folding.Watermarks`."""
        del number
        return None


class Refold:
    """The buckets whose home is one partition number, folded from nothing.

    Does what a worker does with the same records, and keeps what it would have stored.

    Attributes:
        store: Where the buckets are.
    """

    def __init__(self, settings: Settings, first: Edition, number: int, partitions: int) -> None:
        """Fold under the *first* edition until another begins."""
        # Bad records have gone to the dead letters once, and halts were released.
        settings = replace(settings, bad_run_limit=_NO_LIMIT, bad_ratio_limit=_NO_LIMIT)
        self.store = MemoryStore()
        self._settings = settings
        self._controls = settings.topic("controls")
        self._ownership = Ownership(settings, self.store, scorer_of(first), first)
        self._folding = Folding(settings, self.store, self._ownership)
        self._intake = Intake(settings, Metrics(), self._ownership)
        self._time = _StandingStill(number)
        assigned = [TopicPartition(settings.topic(base), number) for base in INPUTS]
        self._ownership.open(assigned, partitions)

    def fold(self, past: Past, progress: Callable[[int], None] | None = None) -> None:
        """Fold all of it, then let time pass up to its end for everyone.

        *progress* is told how many records were folded since it was last called.

        Raises:
            RebuildError: A bucket is fed by more than one partition number.
        """
        for runs in batches(past.runs, self._controls):
            self._fold(runs)
            if progress is not None:
                progress(sum(len(records) for _, records in runs))
        self._close(past)

    def advance(self, runs: list[Run], upto: Mapping[int, Mapping[str, int]]) -> None:
        """Fold what lies before each bucket's cursors, and was not folded yet; and nothing else.

        The first edition stays in force, and time does not pass but with the records.

        Args:
            runs: Records in the order of processing.
            upto: Next offset to apply, by source, of the buckets that are to advance.

        Raises:
            RebuildError: A bucket is fed by more than one partition number.
        """
        # Only buckets tell what they have folded: each is as far as its own cursors say.
        self._ownership.replayed = dict.fromkeys(self._ownership.replayed, _NO_LIMIT)
        for some in batches(runs, self._controls):
            self._fold(some, upto)
        self._commit(
            [self._ownership.buckets[bucket].commit(at, None) for bucket, at in upto.items()]
        )

    def stand(self, bucket: int, stands: Mapping[str, Stands]) -> None:
        """Let customers of a bucket stand elsewhere, as of its clock, and judge them from there."""
        one = self._ownership.buckets[bucket]
        for customer_id, told in stands.items():
            if customer_id not in one.customers:
                raise RebuildError(f"the log holds nothing of customer {customer_id!r}")
            stand(one, customer_id, told, one.clock_ms or 0)
        self._commit([one.commit({}, None)])

    def customers(self, bucket: int) -> Mapping[str, Customer]:
        """Return the customers of a bucket as they were folded."""
        return self._ownership.buckets[bucket].customers

    def _fold(
        self, runs: Sequence[Run], upto: Mapping[int, Mapping[str, int]] | None = None
    ) -> None:
        batch = Batch()
        self._intake.sort(runs, time.time_ns() // 1_000_000, batch)
        self._intake.place(batch)
        if upto is not None:
            self._cut(batch, upto)
        if batch.foreign:
            sources = sorted({source for fed in batch.foreign.values() for source in fed})
            raise RebuildError(
                f"{', '.join(sources)}: some customers are not where Java's partitioner puts them; "
                "allowed: producers with that partitioner"
            )
        wanted = self._folding.wanted(batch, {}, {}, careful=True)
        if any(wanted):
            self._folding.load(wanted)()
        self._folding.apply(batch, {}, {}, self._time)
        places = set(self._folding.refused(batch))
        refused = {
            place: record
            for tp, records in runs
            for record in records
            if (place := (tp, record.offset)) in places
        }
        closed = self._folding.close(batch, self._time, refused, swept=False)
        self._commit([one.commit for one in closed])

    def _cut(self, batch: Batch, upto: Mapping[int, Mapping[str, int]]) -> None:
        """Leave in *batch* what lies before the cursors of its bucket."""
        batch.positions.clear()
        batch.editions.clear()
        batch.letters.clear()
        for number, by_customer in batch.arrivals.items():
            limits = {self._topic(source): at for source, at in upto.get(number, {}).items()}
            for customer_id, arrivals in by_customer.items():
                by_customer[customer_id] = [
                    arrival
                    for arrival in arrivals
                    for tp, offset in [batch.place_of(arrival)]
                    if offset < limits.get(tp.topic, 0)
                ]

    def _topic(self, source: str) -> str:
        return self._settings.topic(source.rpartition("/")[0])

    def _close(self, past: Past) -> None:
        commits = []
        for bucket in self._ownership.buckets.values():
            for customer_id in list(bucket.customers):
                bucket.visit(customer_id, past.until_ms or 0)
            bucket.finish()
            commits.append(bucket.commit(past.positions, past.until_ms))
        self._commit(commits)

    def _commit(self, commits: Sequence[BucketCommit]) -> None:
        refused = [r for r in self.store.commit(commits) if r.outcome is not Outcome.OK]
        if refused:
            raise RuntimeError(refused)
