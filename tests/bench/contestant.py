"""tierstream itself: one worker process as users start it, watched from outside.

Nothing is added to the worker. What it has done is read from Redis; what it took, from the
kernel and from its own metrics.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

import redis
from prometheus_client.parser import text_string_to_metric_families

from agents.embedded.server import free_port
from schemas.policy import load_policy
from stream.adapters.redis_store.wire import Keys
from stream.customer import decode
from stream.partition import bucket_of
from stream.plan import compile_policy
from tests.bench.arena import await_quiet
from tests.bench.processes import Machine, cpu_s, main_thread_cpu_s
from tests.bench.trial import Trial
from tests.bench.workload import PARTITIONS, POLICY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from agents.settings import Settings
    from tests.bench.arena import Arena
    from tests.bench.workload import Order

_POLL_S = 0.1
_POLL_NEAR_THE_END_S = 0.01
_GIVE_UP_S = 600.0
_FIRST_WORDS = 4_000  # what follows the first error is of little use
_KINDS = ("meta", "states", "due", "outbox", "marks", "orders")


class BenchError(Exception):
    """The run cannot be trusted: the worker ended, hung, or has the wrong totals."""


@dataclass(frozen=True, slots=True)
class Ends:
    """When each bucket is done, with the warm-up and with everything.

    Attributes:
        warm: By bucket, the offset after its last record of the warm-up.
        done: By bucket, the offset after its last record.
        starts: By partition, where the timed part begins.
        records: Of the whole topic.
    """

    warm: dict[int, int]
    done: dict[int, int]
    starts: list[int]
    records: int

    @classmethod
    def of(cls, orders: Sequence[Order], warmup: int, buckets: int) -> Ends:
        """Find them from the records, which `Arena.fill` writes in this order."""
        offsets = [0] * PARTITIONS
        after: dict[int, int] = {}
        known = {key: bucket_of(key.decode(), buckets) for key in {o.key for o in orders}}

        def pass_over(some: Iterable[Order]) -> dict[int, int]:
            for order in some:
                offsets[order.partition] += 1
                after[known[order.key]] = offsets[order.partition]
            return dict(after)

        warm = pass_over(islice(orders, warmup))
        # The end of a transaction takes an offset of its own.
        offsets = [offset + 1 for offset in offsets]
        starts = list(offsets)
        return cls(warm, pass_over(islice(orders, warmup, None)), starts, len(orders))


@dataclass(slots=True)
class Progress:
    """What Redis says of how far the worker has come; one request for all buckets."""

    client: redis.Redis
    settings: Settings
    ends: Ends
    _keys: Keys = field(init=False)

    def __post_init__(self) -> None:
        self._keys = Keys(self.settings.key_prefix)

    def _ask(self, command: str, place: int, *rest: str) -> list[Any]:
        pipe = self.client.pipeline(transaction=False)
        for bucket in self.ends.done:
            words = [word.format(bucket % PARTITIONS) for word in rest]
            pipe.execute_command(command, self._keys.bucket(bucket)[place], *words)  # type: ignore[no-untyped-call]
        return pipe.execute()

    def share(self, ends: dict[int, int]) -> float:
        """Return the share of buckets that have been committed up to *ends*; 1.0 is all."""
        cursors = [int(reply or 0) for reply in self._ask("HGET", 0, "cursor:orders/{}")]
        pairs = zip(self.ends.done, cursors, strict=True)
        return sum(cursor >= ends.get(bucket, 0) for bucket, cursor in pairs) / len(self.ends.done)

    def outbox_rows(self) -> int:
        """Return how many rows wait to be published."""
        return sum(self._ask("XLEN", 3))

    def bytes_by_kind(self) -> dict[str, int]:
        """Return the memory of all keys by what they hold."""
        found: Counter[str] = Counter()
        names = list(self.client.scan_iter(count=1_000))
        for first in range(0, len(names), 1_000):
            some = names[first : first + 1_000]
            pipe = self.client.pipeline(transaction=False)
            for name in some:
                pipe.memory_usage(name, samples=0)
            for name, size in zip(some, pipe.execute(), strict=True):
                kind = next((k for k in _KINDS if f":{k}" in name.decode()), "other")
                found[kind] += size or 0
        return dict(found)

    def customers(self, policy: Path) -> int:
        """Check that every record was applied exactly once; return the number of customers."""
        shape = compile_policy(load_policy(policy)).shape
        customers = orders = 0
        for bucket in self.ends.done:
            stored: dict[bytes, bytes] = self.client.hgetall(self._keys.bucket(bucket)[1])  # type: ignore[assignment]
            for name, state in stored.items():
                orders += decode(name.decode(), state, shape).orders.totals.count
            customers += len(stored)
        if orders != self.ends.records:
            raise BenchError(f"the states count {orders} orders, the topic {self.ends.records}")
        return customers


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that is read at the start and at the end of the timed part."""

    at_s: float
    cpu_s: float
    main_cpu_s: float
    redis_cpu_s: float
    broker_cpu_s: float
    own_cpu_s: float
    machine: Machine
    metrics: dict[str, float]

    @classmethod
    def take(cls, place: Arena, pid: int, port: int) -> Reading:
        """Read; asks the worker for its metrics first."""
        metrics = _metrics(port)
        return cls(
            at_s=time.perf_counter(),
            cpu_s=cpu_s(pid),
            main_cpu_s=main_thread_cpu_s(pid),
            redis_cpu_s=cpu_s(place.redis.pid),
            broker_cpu_s=cpu_s(place.broker.pid),
            own_cpu_s=time.process_time(),
            machine=Machine.now(),
            metrics=metrics,
        )


def run_worker(
    place: Arena, ends: Ends, profile: Path | None = None, policy: Path = POLICY
) -> Trial:
    """Run one worker over the whole topic and return what its timed part took.

    The worker first has the warm-up alone, and is left until all of it is committed and
    published. Then the timed part is made visible, and the clock runs until every bucket is
    committed up to its last record and the outboxes are empty. With *profile*, py-spy (which
    must be on the PATH) samples the timed part and writes collapsed stacks there; that costs
    some speed.

    Raises:
        BenchError: The worker ended, hung, or counted wrong.
    """
    with (
        TemporaryFile() as log,
        redis.Redis(port=place.redis.port) as client,
        _worker(place, log, policy) as (process, port),
    ):
        progress = Progress(client, place.settings, ends)
        empty = int(client.info("memory")["used_memory"])
        deadline = time.monotonic() + _GIVE_UP_S

        def until(done: Callable[[], bool], every_s: float = _POLL_S) -> float:
            while not done():
                time.sleep(every_s)
                ended = process.poll()
                if ended is not None or time.monotonic() > deadline:
                    log.seek(0)
                    said = log.read()[:_FIRST_WORDS].decode(errors="replace")
                    raise BenchError(f"the worker ended ({ended}) or hung; it said:\n{said}")
            return time.perf_counter()

        until(lambda: progress.share(ends.warm) == 1)
        until(lambda: not progress.outbox_rows())
        await_quiet(place.broker)
        first = Reading.take(place, process.pid, port)
        with _sampled(process.pid, profile):
            place.reveal()
            until(lambda: progress.share(ends.done) > 0)
            committed_s = until(lambda: progress.share(ends.done) == 1, _POLL_NEAR_THE_END_S)
            stages = _metrics(port)
            ended_s = until(lambda: not progress.outbox_rows(), _POLL_NEAR_THE_END_S)
        last = Reading.take(place, process.pid, port)
        trial = _difference(first, last, stages)
        trial.events = ends.records - sum(ends.starts) + PARTITIONS
        trial.wall_s = ended_s - first.at_s
        trial.committed_s = committed_s - first.at_s
        trial.used_memory = int(client.info("memory")["used_memory"]) - empty
        trial.redis_bytes = progress.bytes_by_kind()
        trial.customers = progress.customers(policy)
        return trial


@contextmanager
def _worker(
    place: Arena, log: IO[bytes], policy: Path
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start a worker the way users do; settings in the environment are passed on."""
    port = free_port()
    environment = {
        **os.environ,
        "TIERSTREAM_KAFKA": place.settings.kafka,
        "TIERSTREAM_REDIS": place.settings.redis,
        "TIERSTREAM_POLICY": str(policy),
        "TIERSTREAM_WEB_PORT": str(port),
        # Reading one's own changes back is an audit, not part of scoring and publishing.
        "TIERSTREAM_AUDIT": "off",
    }
    command = [sys.executable, "-m", "agents.cli.main", "worker", "--role", "all"]
    with subprocess.Popen(  # noqa: S603 - our own
        command, env=environment, stdout=log, stderr=subprocess.STDOUT
    ) as process:
        try:
            yield process, port
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def _sampled(pid: int, profile: Path | None) -> Iterator[None]:
    if profile is None:
        yield
        return
    options = ["--format", "raw", "--threads", "--rate", "200", "--nonblocking"]
    command = ["py-spy", "record", "--pid", str(pid), "--output", str(profile), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as sampler:  # noqa: S603 - a tool
        try:
            yield
        finally:
            sampler.send_signal(signal.SIGINT)  # makes it write what it has


def _metrics(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    found: Counter[str] = Counter()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            stage = sample.labels.get("stage")
            found[f"{sample.name} {stage}" if stage else sample.name] += sample.value  # type: ignore[assignment]
    return dict(found)


def _difference(first: Reading, last: Reading, stages: dict[str, float]) -> Trial:
    def grew(name: str, metrics: dict[str, float] = last.metrics) -> float:
        return metrics.get(name, 0.0) - first.metrics.get(name, 0.0)

    stage = "tierstream_stage_seconds_total "
    trial = Trial(
        events=0,
        wall_s=last.at_s - first.at_s,
        cpu_s=last.cpu_s - first.cpu_s,
        main_cpu_s=last.main_cpu_s - first.main_cpu_s,
        redis_cpu_s=last.redis_cpu_s - first.redis_cpu_s,
        broker_cpu_s=last.broker_cpu_s - first.broker_cpu_s,
        steal=last.machine.steal_since(first.machine),
        stages_s={n.removeprefix(stage): grew(n, stages) for n in stages if n.startswith(stage)},
        changes=round(grew("tierstream_tier_changes_total")),
        published=round(grew("tierstream_published_records_total")),
    )
    ours_s = trial.cpu_s + trial.redis_cpu_s + trial.broker_cpu_s
    ours_s += last.own_cpu_s - first.own_cpu_s
    trial.others = last.machine.others_since(first.machine, ours_s)
    return trial
