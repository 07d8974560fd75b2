"""What one customer costs a sweep, stage by stage: processor time, so a busy machine will do.

Everything but Kafka: a Redis of its own is filled, a policy begins, and everybody is brought to
it as a worker does it, page by page. Says where `tests.bench.calm` spends what it spends::

    python -m tests.bench.visits [--customers 16000] [--page 1000]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from agents import garbage
from agents.embedded import EmbeddedRedis
from agents.sweeping import Sweep
from schemas.policy import load_policy
from stream.adapters.redis_store import RedisStore
from stream.bucket import Bucket
from stream.editions import first_edition, policy_published
from stream.fold import Scorer
from stream.plan import compile_policy
from stream.seen import DedupWindow
from tests.bench.calm import SECOND, load_text
from tests.bench.crowd import BUCKETS, Share, cuts_among, fill, now_ms
from tests.bench.shares import look

STAGES = ("scan", "load", "adopt", "judge", "close", "send")
PREFIX = "visits"


def sweep(redis: str, policy: str, folder: Path, page: int) -> tuple[list[list[float]], int, int]:
    """Bring everybody to another policy.

    Returns processor µs of each stage for each customer looked at, per page; how many were, and
    rows to announce.
    """
    document = load_policy(policy)
    scorer, first = Scorer(compile_policy(document)), first_edition(document)
    store, second = RedisStore(redis, prefix=PREFIX), RedisStore(redis, prefix=PREFIX)
    heads = store.heads(range(BUCKETS))
    buckets = [Bucket(head, scorer, DedupWindow(), first) for head in heads]
    instant_ms = now_ms()
    begin = policy_published(load_text(folder, SECOND, 400), instant_ms, "second")
    for bucket in buckets:
        bucket.begin(begin)
    store.commit([bucket.commit({}, instant_ms) for bucket in buckets])
    walk = Sweep(second)
    spent_us: list[list[float]] = []
    looked_at = rows = 0
    while not all(walk.ended(bucket) for bucket in buckets):
        marks = [time.process_time()]
        spared = walk.spared
        visits = walk.next(buckets, page, start=True)
        marks.append(time.process_time())
        states = store.load_states(visits)
        marks.append(time.process_time())
        for number, customers in visits.items():
            for customer_id in customers:
                buckets[number].adopt(customer_id, states.get(customer_id))
        marks.append(time.process_time())
        for number, customers in visits.items():
            for customer_id in customers:
                buckets[number].visit(customer_id, instant_ms)
        marks.append(time.process_time())
        commits = [buckets[number].commit({}, instant_ms) for number in visits]
        marks.append(time.process_time())
        store.commit(commits)
        marks.append(time.process_time())
        for number in visits:
            buckets[number].customers.clear()
        count = walk.spared - spared + sum(map(len, visits.values()))
        steps = [after - before for before, after in pairwise(marks)]
        if count:
            spent_us.append([step_s / count * 1e6 for step_s in steps])
        looked_at += count
        rows += sum(len(commit.outbox) for commit in commits)
    store.close()
    second.close()
    print(f"{walk.spared:,} of {looked_at:,} were left where they were")
    return spent_us, looked_at, rows


def main() -> None:
    """Fill, sweep, and print what a visit cost."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.bench.visits")
    parser.add_argument("--customers", type=int, default=16_000)
    parser.add_argument("--page", type=int, default=1_000)
    arguments = parser.parse_args()
    with EmbeddedRedis() as redis, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        load_text(folder, 1, 500)
        policy = str(folder / "calm-1.yaml")
        cuts, everyone = cuts_among(policy, arguments.customers), range(arguments.customers)
        fill(Share(redis.url, PREFIX, policy, cuts, everyone, None, now_ms()))
        garbage.begin()
        before = look({"redis": redis.pid})
        spent_us, looked_at, rows = sweep(redis.url, policy, folder, arguments.page)
        after = look({"redis": redis.pid})
        medians = [statistics.median(column) for column in zip(*spent_us, strict=True)]
        told = ", ".join(f"{s} {us:.1f}" for s, us in zip(STAGES, medians, strict=True))
        redis_us = (after.spent_s["redis"] - before.spent_s["redis"]) / looked_at * 1e6
        print(f"{rows / looked_at:.2f} rows to announce for each of them")
        print(f"processor µs for each, median over pages: {told}; together {sum(medians):.1f}")
        print(f"Redis: {redis_us:.1f} µs")


if __name__ == "__main__":
    main()
