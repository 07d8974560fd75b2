"""A running tierstream for the tests: topics, worker processes, and ways to ask what they did.

Workers are processes of their own, ended by their process id. No claims here.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aiokafka import TopicPartition

from agents.embedded.server import free_port
from agents.kafka import consumer, partition_of, producer
from agents.replay.retention import FOREVER, set_retention
from agents.settings import KafkaSecurity, Settings
from agents.topics import TopicPlan, create_topics
from schemas.policy import load_policy
from stream.adapters.redis_store import RedisStore
from stream.calendar import format_instant
from stream.customer import Customer, decode
from stream.plan import Plan, compile_policy
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType

    from aiokafka.structs import ConsumerRecord

ROOT = Path(__file__).parents[2]
DAY_MS = 86_400_000
END_WITHIN_S = 40.0

POLICY = """
policy: shop
version: 1
time_zone: UTC
currency: USD
rates: {EUR: "1.08"}
measures:
  revenue_30d: {sum: revenue, window: 30d}
  orders_7d:   {count: orders, window: 7d}
  orders:      {count: orders}
  complaints:  {count: complaint, window: 30d}
  recency:     {days_since: last_order}
  industry:    {attribute: industry, type: text}
gradings:
  value:
    type: bands
    measure: revenue_30d
    minimum_evidence: {measure: orders, at_least: 1}
    tiers: [{tier: gold, enter: 300, exit: 200}, {tier: silver, enter: 50, exit: 40}, {tier: basic}]
  rhythm:
    type: bands
    measure: orders_7d
    tiers: [{tier: often, enter: 3, exit: 2}, {tier: seldom}]
  care:
    type: conditions
    levels:
      - level: rescue
        when: {all: [{measure: complaints, at_least: 1}, {grading: value, is: [gold]}]}
      - {level: industrial, when: {measure: industry, is: [steel]}}
      - {level: standard}
"""


class Worker:
    """One worker process."""

    def __init__(self, env: Mapping[str, str], role: str, log_path: Path) -> None:
        self.port = free_port()
        self.role = role
        self.log_path = log_path
        with log_path.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 -- our own interpreter and code
                [sys.executable, "-m", "agents.worker", "--role", role, "--log-json"],
                env={**env, "TIERSTREAM_WEB_PORT": str(self.port)},
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self.process.poll() is None

    def get(self, page: str) -> tuple[int, str]:
        """Return the status and body of a page; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{page}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as exc:
            with exc:
                return exc.code, exc.read().decode()
        except OSError:
            return 0, ""

    def ready(self) -> bool:
        """Whether every part has its partitions and its store."""
        assert self.running, self.last_words()
        return self.get("/readyz")[0] == 200

    def metric(self, name: str) -> float:
        """Return the sum of a metric over its labels; 0 where it has never been set."""
        lines = self.get("/metrics")[1].splitlines()
        found = [line for line in lines if line.split("{")[0].split(" ")[0] == name]
        return sum(float(line.rpartition(" ")[2]) for line in found)

    async def counts(self, name: str, value: float) -> None:
        """Wait until a metric is exactly *value*: what is done is counted a little later."""
        try:
            await wait_for_async(lambda: self.metric(name) == value, name, 30)
        except AssertionError:
            msg = f"{name} is {self.metric(name):g}, not {value:g}"
            raise AssertionError(msg) from None

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait(END_WITHIN_S)

    def stop(self) -> int:
        """End it in order and return its exit code."""
        self.send(signal.SIGCONT)
        self.process.terminate()
        try:
            return self.process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            msg = f"the worker did not end within {END_WITHIN_S:g} s: {self.last_words()}"
            raise AssertionError(msg) from None

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def last_words(self, lines: int = 30) -> str:
        """Return the end of its log."""
        said = self.log_path.read_text(errors="replace").splitlines()
        return f"{self.log_path}:\n" + "\n".join(said[-lines:])


@dataclass(slots=True)
class System:
    """One installation: a namespace on a broker and a Redis, and its workers.

    Use it as an async context manager: topics are made at the start, workers ended at the end.
    *security* is of the tests' own clients; what workers need is in *env*. Fewer buckets than by
    default: what there is to see is the same, and most of what a test waits for is buckets.
    """

    kafka: str
    redis: str
    namespace: str
    folder: Path
    policy_text: str = POLICY
    partitions: int = 4
    buckets: int = 32
    env: dict[str, str] = field(default_factory=dict)
    security: KafkaSecurity = field(default_factory=KafkaSecurity)
    workers: list[Worker] = field(default_factory=list)
    plan: Plan = field(init=False)
    settings: Settings = field(init=False)
    store: RedisStore = field(init=False)

    async def __aenter__(self) -> Self:
        path = self.folder / "policy.yaml"
        path.write_text(self.policy_text)
        self.plan = compile_policy(load_policy(str(path)))
        self.settings = Settings(
            kafka=self.kafka,
            redis=self.redis,
            namespace=self.namespace,
            buckets=self.buckets,
            policy=str(path),
            security=self.security,
        )
        self.store = RedisStore(self.redis, prefix=self.settings.key_prefix)
        names = await create_topics(self.settings, TopicPlan(partitions=self.partitions))
        # Records of weeks ago are about to be written.
        await set_retention(self.settings, list(names), FOREVER)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for worker in self.workers:
            worker.send(signal.SIGCONT)
            worker.process.terminate()
        for worker in self.workers:
            try:
                worker.process.wait(END_WITHIN_S)
            except subprocess.TimeoutExpired:
                worker.kill()
        self.store.close()

    # -- workers --------------------------------------------------------------

    def start(self, role: str = "all", **more: str) -> Worker:
        """Start a worker; *more* are settings by their lower-case names."""
        settings = {**self.env, **more}
        env = {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "TIERSTREAM_KAFKA": self.kafka,
            "TIERSTREAM_REDIS": self.redis,
            "TIERSTREAM_NAMESPACE": self.namespace,
            "TIERSTREAM_BUCKETS": str(self.buckets),
            "TIERSTREAM_POLICY": self.settings.policy,
            **{f"TIERSTREAM_{name.upper()}": value for name, value in settings.items()},
        }
        worker = Worker(env, role, self.folder / f"worker-{len(self.workers)}-{role}.log")
        self.workers.append(worker)
        return worker

    async def started(self, role: str = "all", **more: str) -> Worker:
        """Start a worker and wait until it is ready."""
        worker = self.start(role, **more)
        await wait_for_async(worker.ready, f"a ready worker ({worker.log_path})")
        return worker

    # -- input ----------------------------------------------------------------

    async def send(
        self,
        topic: str,
        events: Iterable[tuple[Mapping[str, Any] | bytes | None, int]],
        place: Callable[[str], int] | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> list[tuple[int, int]]:
        """Produce (event, record time) pairs; bytes and None go as they are, under the key "x".

        *place* chooses the partition of a customer; without it, it is Java's choice. Each
        record gets *headers*. Returns where each record went, as (partition, offset).
        """
        name = self.settings.topic(topic)
        client = producer(self.settings, max_request_size=20_000_000)
        await client.start()
        try:
            sent = []
            for event, record_ms in events:
                known = isinstance(event, dict)
                customer = event["customer_id"] if isinstance(event, dict) else "x"
                value = json.dumps(event).encode() if known else event
                number = (place or self.place)(customer)
                sent.append(
                    await client.send(
                        name,
                        value,
                        customer.encode(),
                        partition=number,
                        timestamp_ms=record_ms,
                        headers=list(headers),
                    )
                )
            await client.flush()
            return [(at.partition, at.offset) for at in [await one for one in sent]]
        finally:
            await client.stop()

    def place(self, customer_id: str) -> int:
        """Return the partition of a customer by Java's partitioner."""
        return partition_of(customer_id.encode(), self.partitions)

    # -- output ---------------------------------------------------------------

    async def read(self, topic: str) -> list[ConsumerRecord[bytes, bytes]]:
        """Return every committed record of an output topic that is there now."""
        name = self.settings.topic(topic)
        client = consumer(self.settings)
        await client.start()
        try:
            partitions = [TopicPartition(name, number) for number in range(self.partitions)]
            client.assign(partitions)
            ends = await client.end_offsets(partitions)
            records: list[ConsumerRecord[bytes, bytes]] = []
            while True:
                positions = {tp: await client.position(tp) for tp in partitions}
                if all(positions[tp] >= end for tp, end in ends.items()):
                    return records
                for some in (await client.getmany(timeout_ms=200)).values():
                    records.extend(some)
        finally:
            await client.stop()

    async def changes(self) -> list[dict[str, Any]]:
        """Return every published tier change, in the order of each partition."""
        return [json.loads(record.value or b"") for record in await self.read("tier-changes")]

    async def published(self, count: int, timeout_s: float = 120.0) -> list[dict[str, Any]]:
        """Return the published changes once there are at least *count*."""

        async def enough() -> list[dict[str, Any]]:
            found = await self.changes()
            return found if len(found) >= count else []

        return await wait_for_async(enough, f"{count} tier changes", timeout_s)

    # -- the store ------------------------------------------------------------

    def customers(self) -> dict[str, Customer]:
        """Return every stored customer."""
        return {
            customer_id: decode(customer_id, stored, self.plan.shape)
            for bucket in range(self.settings.buckets)
            for customer_id, stored in self.store.scan_states(bucket)
        }

    def orders(self) -> int:
        """Return the number of orders applied, over all customers."""
        return sum(customer.orders.totals.count for customer in self.customers().values())

    def applied(self, source: str = "orders") -> int:
        """Return how many records of a topic every home bucket has applied."""
        heads = self.store.heads(range(self.settings.buckets))
        total = 0
        for number in range(self.partitions):
            home = range(number, self.settings.buckets, self.partitions)
            total += min(heads[bucket].cursors.get(f"{source}/{number}", 0) for bucket in home)
        return total

    def waiting_rows(self) -> int:
        """Return how many outbox rows are waiting to be published."""
        return sum(self.store.outbox_depth(range(self.settings.buckets)).values())


def order(
    number: int, customer_id: str, at_ms: int, amount_minor: int = 1000, **more: Any
) -> tuple[dict[str, Any], int]:
    """Return a paid order that happened, and was recorded, at *at_ms*."""
    return {
        "event_id": f"e{number}",
        "kind": "order.paid",
        "occurred_at": format_instant(at_ms),
        "customer_id": customer_id,
        "order_id": f"o{number}",
        "amount_minor": amount_minor,
        "currency": "USD",
        **more,
    }, at_ms


def event(
    kind: str, event_id: str, customer_id: str, at_ms: int, **more: Any
) -> tuple[dict[str, Any], int]:
    """Return any other event that happened, and was recorded, at *at_ms*."""
    return {
        "event_id": event_id,
        "kind": kind,
        "occurred_at": format_instant(at_ms),
        "customer_id": customer_id,
        **more,
    }, at_ms


def check_chains(changes: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], tuple[int, Any]]:
    """Check the chain rule, id by id; return the last (sequence, tier) per customer and grading."""
    ids = [change["id"] for change in changes]
    assert len(set(ids)) == len(ids), "a tier change was published twice"
    last: dict[tuple[str, str], tuple[int, Any]] = {}
    for change in changes:
        chain = change["customer_id"], change["grading"]
        sequence, tier = last.get(chain, (0, None))
        assert change["sequence"] == sequence + 1, (chain, sequence, change)
        if sequence:
            assert change["from"] == tier, (chain, tier, change)
        last[chain] = change["sequence"], change["to"]
    return last


def check_states(
    plan: Plan,
    customers: Mapping[str, Customer],
    last: Mapping[tuple[str, str], tuple[int, Any]],
) -> None:
    """Check that the last published change of every chain is the stored one: none is missing."""
    stored = {
        (customer_id, grading.name): (grade.sequence, grade.tier)
        for customer_id, customer in customers.items()
        for grading, grade in zip(plan.gradings, customer.grades, strict=True)
        if grade.sequence
    }
    assert stored == dict(last)
