"""Windows that were never kept: facts from the whole log, in the place of those in Redis."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from agents.preflight import check_partitions
from agents.rebuilding.errors import RebuildError
from agents.rebuilding.past import check_kept, read_past
from agents.rebuilding.refold import Refold
from agents.replay.reading import partitions_of
from agents.settings import INPUTS
from stream.bucket import Bucket
from stream.bucket.restoring import complete
from stream.editions import Edition, decode_book, scorer_of
from stream.store import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agents.merge import Run
    from agents.rebuilding.watch import Watch
    from agents.settings import Settings
    from stream.store import BucketCommit, BucketHead, Store

_SOURCE = "orders"
_MOST_TRIES = 20
_LEDGER_PAGE = 5_000


class Refilled(NamedTuple):
    """What the whole log has added.

    Attributes:
        customers: Who had facts that were not kept.
        changes: Tier changes that this has led to.
        records: Read from the input topics.
    """

    customers: int = 0
    changes: int = 0
    records: int = 0


async def refill(settings: Settings, store: Store, first: Edition, watch: Watch) -> Refilled:
    """Let everyone have the facts that the policy in force had kept, had it always been in force.

    Grades, sequences, pins, warnings and histories stay, and go on from there: who has other
    facts is judged at the clock of its bucket, with the cause ``policy_changed``. Workers go on.
    Each bucket is one commit; it can be interrupted and run again.

    Args:
        settings: Where Kafka is.
        store: Which is to be refilled.
        first: The policy that the workers were started with, as an edition.
        watch: Told what goes on.

    Raises:
        RebuildError: The log does not hold everything, or live traffic leaves no gap.
        StoreError: The store does not answer, or refuses.
        MissingTopicError: A topic is missing.
        aiokafka.errors.KafkaError: The broker does not answer.
    """
    counts = await partitions_of(settings, [settings.topic(base) for base in INPUTS])
    partitions = check_partitions(settings, counts)
    offsets = await check_kept(settings, counts)
    watch.total(offsets)
    settings = replace(settings, clock="wall")  # cursors say how far to go, not promises
    done = Refilled()
    for number in range(partitions):
        one = _Refill(settings, store, first, number, partitions)
        found = await one.run(watch)
        done = Refilled(*(sum(pair) for pair in zip(done, found, strict=True)))
    return done


class _Refill:
    """The buckets whose home is one partition number."""

    def __init__(
        self, settings: Settings, store: Store, first: Edition, number: int, partitions: int
    ) -> None:
        self._settings = settings
        self._store = store
        self._first = first
        self._number = number
        self._partitions = partitions
        self._home = range(number, settings.buckets, partitions)
        self._positions: Mapping[str, int] = {}
        self._tail: list[Run] = []

    async def run(self, watch: Watch) -> Refilled:
        heads = [head for head in self._store.heads(self._home) if head.version]
        if not heads:
            return Refilled()
        self._policy = _edition(heads[0], self._first)
        if scorer_of(self._policy).plan.shape.groups:
            raise RebuildError(
                "groups: what members have told reaches back no further than it was kept; "
                "windows are refilled for policies without groups only"
            )
        self._refold = Refold(self._settings, self._policy, self._number, self._partitions)
        past = await read_past(self._settings, self._number, watch.read)
        self._positions = past.positions
        common = _common(heads)
        topics = {self._settings.topic(s.rpartition("/")[0]): at for s, at in common.items()}
        before, self._tail = _parted(past.runs, topics)
        # Nearly all of it, while the workers go on; what is left is folded while they pause.
        everyone = {bucket: _known(common, head) for head in heads for bucket in [head.bucket]}
        self._refold.advance(before, everyone)
        watch.folded(past.records)
        customers = changes = 0
        left = [head.bucket for head in heads]
        for _ in range(_MOST_TRIES):
            written = await self._try(left)
            customers += sum(found.customers for found in written.values())
            changes += sum(found.changes for found in written.values())
            left = [bucket for bucket in left if bucket not in written]
            if not left:
                return Refilled(customers, changes, past.records)
            await asyncio.sleep(0)
        raise RebuildError(f"{len(left)} buckets are written to all the time: run it again")

    async def _try(self, buckets: Sequence[int]) -> dict[int, Refilled]:
        """Fence the workers, fold what they have applied, and write; return what was written."""
        heads = self._store.open(buckets, f"{_SOURCE}/{self._number}")
        more = await read_past(self._settings, self._number, start=self._positions)
        self._positions = more.positions
        self._tail += more.runs
        self._refold.advance(self._tail, {head.bucket: head.cursors for head in heads})
        self._see_that_nobody_is_merged(buckets)
        written = {}
        for head in heads:
            if _edition(head, self._first).policy != self._policy.policy:
                raise RebuildError("another policy came into force meanwhile: run it again")
            commit, found = self._refilled(head)
            (result,) = self._store.commit([commit])
            if result.outcome is Outcome.OK:
                written[head.bucket] = found
        return written

    def _see_that_nobody_is_merged(self, buckets: Sequence[int]) -> None:
        for bucket in buckets:
            for customer_id, customer in self._refold.customers(bucket).items():
                if customer.identity is not None and customer.identity.is_shared:
                    raise RebuildError(
                        f"customer {customer_id!r} is one of several ids of a customer: what they "
                        "have told each other reaches back no further than it was kept; "
                        "windows are refilled where nobody is merged only"
                    )

    def _refilled(self, head: BucketHead) -> tuple[BucketCommit, Refilled]:
        bucket = Bucket(head, scorer_of(self._first), self._settings.dedup, self._first)
        bucket.epochs[f"{_SOURCE}/{self._number}"] = head.epoch
        facts = self._refold.customers(head.bucket)
        customers = 0
        for customer_id, stored in dict(self._store.scan_states(head.bucket)).items():
            bucket.adopt(customer_id, stored)
            if customer_id not in facts:
                raise RebuildError(f"the log holds nothing of customer {customer_id!r}")
            customers += complete(bucket, customer_id, facts[customer_id], head.clock_ms or 0)
        found = Refilled(customers, len(bucket.tally.changes))
        bucket.in_force.reach_again()
        commit = bucket.commit({}, None)
        missing = self._missing_orders(head.bucket, commit.drop_periods)
        return replace(commit, orders=missing), found

    def _missing_orders(self, bucket: int, dropped: Sequence[int]) -> dict[int, dict[str, bytes]]:
        """Return the ledger's entries that are not in the store as they should be."""
        folded = self._refold.store
        places = [at for at in folded.scan_orders(bucket, "") if at[0] not in dropped]
        missing: dict[int, dict[str, bytes]] = {}
        for start in range(0, len(places), _LEDGER_PAGE):
            page = {bucket: places[start : start + _LEDGER_PAGE]}
            known = self._store.load_orders(page)
            for (period, key), entry in folded.load_orders(page).items():
                if known.get((period, key)) != entry:
                    missing.setdefault(period, {})[key] = entry
        return missing


def _edition(head: BucketHead, first: Edition) -> Edition:
    book = decode_book(head.editions)
    return book.editions[-1] if book.editions else first


def _common(heads: Sequence[BucketHead]) -> dict[str, int]:
    """Return how far all of *heads* are, by source."""
    sources = set.intersection(*(set(head.cursors) for head in heads))
    return {source: min(head.cursors[source] for head in heads) for source in sources}


def _known(common: Mapping[str, int], head: BucketHead) -> dict[str, int]:
    return {source: at for source, at in common.items() if source in head.cursors}


def _parted(runs: Sequence[Run], limits: Mapping[str, int]) -> tuple[list[Run], list[Run]]:
    """Part *runs* into what lies before the offset of its topic, and the rest."""
    before: list[Run] = []
    after: list[Run] = []
    for tp, records in runs:
        limit = limits.get(tp.topic, 0)
        count = next((i for i, r in enumerate(records) if r.offset >= limit), len(records))
        if count:
            before.append((tp, records[:count]))
        if count < len(records):
            after.append((tp, records[count:]))
    return before, after
