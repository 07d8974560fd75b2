"""Micro-benchmark of the scoring path without broker and Redis: CPU µs per event and stage.

For the loop of changing something and looking again. Everything runs in this process, one
stage after the other, so the figures do not contain fetching, waiting or the store's answer::

    python -m tests.bench.fold [--events N] [--batch N] [--policy FILE] [--profile FILE] [--gc MODE]
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from aiokafka.structs import ConsumerRecord, TopicPartition

from agents.intake import Batch, Intake
from agents.metrics import Metrics
from agents.ownership import Ownership
from agents.settings import Settings
from schemas.decode import decode_order
from schemas.policy import load_policy
from stream.adapters.memory_store import MemoryStore
from stream.adapters.redis_store.wire import Keys, commit_command
from stream.fold import Scorer
from stream.plan import compile_policy
from tests.bench.workload import PARTITIONS, POLICY, Workload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.intake import Run

STAGES = {
    "decode alone": "schemas.decode.decode_order, once more, on its own",
    "intake": "Intake.sort: decode, admit, find the customer",
    "load": "look for customers that are not cached",
    "fold": "Bucket.apply_to, customer by customer",
    "commit": "Bucket.commit: encode states, rows and marks",
    "wire": "the commit script's arguments, as the store's thread makes them",
}
_NOT_SUMMED = "decode alone"


def batches_of(workload: Workload, size: int) -> list[list[Run]]:
    """Return the records as a consumer hands them out: runs of one partition each."""
    partitions = [TopicPartition("orders", number) for number in range(PARTITIONS)]
    offsets = [0] * PARTITIONS
    batches: list[list[Run]] = []
    runs: dict[int, list[Any]] = {}
    for count, order in enumerate(workload.orders(), 1):
        number = order.partition
        record = ConsumerRecord(
            topic="orders",
            partition=number,
            offset=offsets[number],
            timestamp=order.record_ms,
            timestamp_type=0,
            key=order.key,
            value=order.value,
            checksum=None,
            serialized_key_size=len(order.key),
            serialized_value_size=len(order.value),
            headers=(),
        )
        offsets[number] += 1
        runs.setdefault(number, []).append(record)
        if count % size == 0 or count == workload.warmup:
            batches.append([(partitions[n], records) for n, records in sorted(runs.items())])
            runs = {}
    if runs:
        batches.append([(partitions[n], records) for n, records in sorted(runs.items())])
    return batches


class Bench:
    """A worker's parts, put together without Kafka and Redis.

    Attributes:
        spent: CPU seconds per stage since the last `Bench.reset`.
        found: Events, changes, states, bytes and commits since then.
    """

    def __init__(self, policy: str) -> None:
        self._settings = Settings()
        self._scorer = Scorer(compile_policy(load_policy(policy)))
        store = MemoryStore()
        store.install(self._settings.buckets)
        self._owned = Ownership(self._settings, store, self._scorer)
        partitions = [TopicPartition("orders", number) for number in range(PARTITIONS)]
        self._owned.open(partitions, PARTITIONS)
        self._intake = Intake(self._settings, Metrics(), self._owned)
        self._keys = Keys("bench")
        self.reset()

    def reset(self) -> None:
        """Forget what was measured; the customers stay."""
        self.spent: Counter[str] = Counter()
        self.found: Counter[str] = Counter()

    def decode_alone(self, runs: Sequence[Run]) -> None:
        """Decode every record and drop it."""
        started = time.process_time()
        for _, records in runs:
            for record in records:
                decode_order(record.value)
        self.spent["decode alone"] += time.process_time() - started  # type: ignore[assignment]

    def turn(self, runs: Sequence[Run]) -> None:
        """Do with one micro-batch what the scoring service does."""
        clock = time.process_time
        buckets = self._owned.buckets
        t0 = clock()
        batch = Batch()
        self._intake.sort(runs, time.time_ns() // 1_000_000, batch)
        self._intake.place(batch)
        t1 = clock()
        for number, customers in batch.arrivals.items():
            for customer_id in customers.keys() - buckets[number].customers.keys():
                buckets[number].adopt(customer_id, None)
        t2 = clock()
        for number, customers in batch.arrivals.items():
            for customer_id, arrivals in customers.items():
                buckets[number].apply_to(customer_id, arrivals)
        t3 = clock()
        dirty = [bucket for bucket in buckets.values() if bucket.is_dirty]
        self.found["changes"] += sum(len(bucket.tally.changes) for bucket in dirty)
        commits = [bucket.commit(batch.positions, None) for bucket in dirty]
        t4 = clock()
        commands = [commit_command(self._keys, commit) for commit in commits]
        t5 = clock()
        names = ("intake", "load", "fold", "commit", "wire")
        for name, spent in zip(names, (t1 - t0, t2 - t1, t3 - t2, t4 - t3, t5 - t4), strict=True):
            self.spent[name] += spent  # type: ignore[assignment]
        self.found["events"] += batch.records
        self.found["states"] += sum(len(commit.states) for commit in commits)
        self.found["commits"] += len(commits)
        self.found["bytes"] += sum(
            len(part) for command in commands for part in command if isinstance(part, bytes)
        )

    def report(self) -> None:
        """Print µs per event by stage."""
        events = self.found["events"]
        total = 0.0
        for name, text in STAGES.items():
            cost = self.spent[name] / events * 1e6
            print(f"{name:>13} {cost:6.2f}  {text}")
            total += 0 if name == _NOT_SUMMED else cost
        print(f"{'sum':>13} {total:6.2f}  CPU µs per event, without '{_NOT_SUMMED}'")
        told = {
            name: round(self.found[name] / events, 4) for name in ("states", "commits", "bytes")
        }
        print(f"{events} events, {self.found['changes']} changes; per event: {told}")


def main() -> None:
    """Warm up, then measure."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.bench.fold")
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--warmup", type=int, default=700_000)
    parser.add_argument("--batch", type=int, default=20_000, help="records in a micro-batch")
    parser.add_argument("--policy", metavar="FILE", default=str(POLICY))
    parser.add_argument("--profile", metavar="FILE", help="cProfile of the timed part")
    parser.add_argument("--gc", choices=["default", "freeze", "off"], default="default")
    arguments = parser.parse_args()
    workload = Workload(
        events=arguments.events,
        warmup=max(arguments.warmup, arguments.customers),
        customers=arguments.customers,
        ends_ms=time.time_ns() // 1_000_000,
    )
    batches = batches_of(workload, arguments.batch)
    # The records stand for the log: a worker would not hold them, so neither must the
    # collector look at them again and again.
    gc.collect()
    gc.freeze()
    bench = Bench(arguments.policy)
    warm = -(-workload.warmup // arguments.batch)
    for runs in batches[:warm]:
        bench.turn(runs)
    bench.reset()
    if arguments.gc == "freeze":
        gc.collect()
        gc.freeze()
    elif arguments.gc == "off":
        gc.disable()
    profile = cProfile.Profile() if arguments.profile else None
    for runs in batches[warm:]:
        bench.decode_alone(runs)
        if profile:
            profile.enable()
        bench.turn(runs)
        if profile:
            profile.disable()
    bench.report()
    if profile:
        profile.dump_stats(arguments.profile)
        pstats.Stats(profile).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    main()
