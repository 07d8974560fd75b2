"""What `tierstream doctor` asks of Kafka."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import ApiVersionRequest

from agents import kafka
from agents.cli.errors import one_line
from agents.cli.findings import Finding, fail, ok, warn
from agents.reach import RefusedError, knock
from agents.replay.reading import read, reader, spans
from agents.replay.retention import RETENTION, topic_configs
from agents.rights import lacking
from agents.settings import INPUTS, OUTBOX, OUTPUTS, SettingsError
from agents.topics import COMPACTED
from stream.calendar import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from agents.rights import Right
    from agents.settings import Settings

_FETCH_API = 1
_TRANSACTION_APIS = {
    22: "InitProducerId",
    24: "AddPartitionsToTxn",
    26: "EndTxn",
    28: "TxnOffsetCommit",
}
# https://kafka.apache.org/protocol: the release in which each version of Fetch appeared.
_RELEASES = {11: "2.3", 12: "2.7", 13: "3.1", 15: "3.5", 16: "3.7", 17: "3.9", 18: "4.1"}
_FIRST_WITHOUT_OLD_FETCH = 4


@dataclass(slots=True)
class Sample:
    """What the newest records of `orders` say about who writes them.

    Attributes:
        records: Records with a key that were looked at.
        misplaced: Those on another partition than Java's partitioner chooses.
        keyless: Records without a key.
        strangers: Those whose key is not their event's customer_id.
    """

    records: int = 0
    misplaced: int = 0
    keyless: int = 0
    strangers: int = 0


class _Owner(msgspec.Struct):
    customer_id: str


_owner = msgspec.json.Decoder(_Owner)


async def check_kafka(settings: Settings, sample: int) -> list[Finding]:
    """Look at the broker, the topics and at most *sample* records per partition of `orders`."""
    try:
        await knock(settings)
        lacked = await lacking(settings, "all")
        findings = [await _broker(settings), _rights(lacked)]
        partitions = await _partitions(settings)
        findings += _topics(settings, partitions, {right.name for right in lacked})
        if partitions:
            findings += await _configs(settings, partitions)
        orders = settings.topic("orders")
        if orders in partitions and sample:
            seen = await sample_orders(settings, partitions[orders], sample)
            findings += judge_sample(seen, orders)
    except (RefusedError, SettingsError) as exc:
        remedy = "see TIERSTREAM_KAFKA_PROTOCOL, _MECHANISM, _USERNAME, _PASSWORD and _CA_FILE"
        return [fail("broker", one_line(exc), remedy)]
    except (KafkaError, OSError) as exc:
        remedy = "check --kafka (TIERSTREAM_KAFKA), the network and TIERSTREAM_KAFKA_PROTOCOL"
        return [fail("broker", f"{settings.kafka}: {one_line(exc)}", remedy)]
    return findings


async def _broker(settings: Settings) -> Finding:
    client = AIOKafkaClient(**kafka.connection(settings))
    await client.bootstrap()
    try:
        node = client.get_random_node()
        answer: Any = await client.send(node, ApiVersionRequest())
        brokers = len(client.cluster.brokers())
    finally:
        await client.close()
    apis = {key: (low, high) for key, low, high in answer.api_versions}
    lacking = [name for key, name in _TRANSACTION_APIS.items() if key not in apis]
    if lacking:
        return fail(
            "broker",
            f"{settings.kafka} has no {', '.join(lacking)}",
            "use a broker with transactions, such as Apache Kafka 2.5 or newer",
        )
    return ok(
        "broker",
        f"{settings.kafka}: {brokers} {'broker' if brokers == 1 else 'brokers'}, "
        f"speaks what Apache Kafka {release(*apis[_FETCH_API])} speaks",
    )


def release(low: int, high: int) -> str:
    """Return the first release that offered these versions of Fetch.

    >>> release(0, 11), release(0, 17), release(4, 17), release(4, 18)
    ('2.3', '3.9', '4.0', '4.1')
    """
    known = [version for version in _RELEASES if version <= high]
    if not known:
        return "before 2.3"
    found = _RELEASES[max(known)]
    return "4.0" if low >= _FIRST_WITHOUT_OLD_FETCH and found < "4" else found


def _rights(lacked: Sequence[Right]) -> Finding:
    if not lacked:
        return ok("rights", "this user may do all that a worker does")
    missing = "; ".join(str(right) for right in lacked)
    return fail("rights", f"this user lacks: {missing}", "grant what docs/security.md lists")


async def _partitions(settings: Settings) -> dict[str, int]:
    """Return the number of partitions of each of our topics that exists."""
    names = [settings.topic(base) for base in (*INPUTS, *OUTPUTS, OUTBOX)]
    admin = kafka.admin(settings)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        ours = [name for name in names if name in existing]
        described = await admin.describe_topics(ours) if ours else []
    finally:
        await admin.close()
    return {topic["topic"]: len(topic["partitions"]) for topic in described}


def _topics(
    settings: Settings, partitions: dict[str, int], hidden: Collection[str]
) -> Iterator[Finding]:
    """Say what is missing; of *hidden* topics only their owner can tell."""
    names = [settings.topic(base) for base in (*INPUTS, *OUTPUTS, OUTBOX)]
    missing = [name for name in names if name not in partitions and name not in hidden]
    if missing:
        yield fail("topics", "missing: " + ", ".join(missing), "run: tierstream topics create")
    elif all(name in partitions for name in names):
        yield ok("topics", f"all {len(names)} exist")
    inputs = {settings.topic(base): partitions.get(settings.topic(base)) for base in INPUTS}
    counts = {count for count in inputs.values() if count is not None}
    said = ", ".join(f"{name} {count}" for name, count in inputs.items() if count is not None)
    if len(counts) > 1:
        yield fail(
            "partitions",
            f"the inputs differ: {said}",
            "a customer's records must meet in one worker: give all inputs the same number",
        )
    elif counts:
        (count,) = counts
        if settings.buckets % count:
            yield fail(
                "partitions",
                f"{count} does not divide {settings.buckets} buckets",
                f"use a divisor of {settings.buckets}, such as {_divisor(settings.buckets, count)}",
            )
        else:
            yield ok("partitions", f"{count} of each input, for {settings.buckets} buckets")


def _divisor(buckets: int, at_least: int) -> int:
    return next((n for n in range(at_least, buckets + 1) if buckets % n == 0), buckets)


async def _configs(settings: Settings, topics: Iterable[str]) -> list[Finding]:
    """Look at what the topics forget."""
    try:
        configs = await topic_configs(settings, topics)
    except KafkaError:
        return [warn("retention", "not readable", "let this user describe topic configurations")]
    return [
        finding for name in topics for finding in _retention(settings, name, configs.get(name, {}))
    ]


def _retention(settings: Settings, name: str, config: dict[str, str]) -> Iterator[Finding]:
    compacted = "compact" in config.get("cleanup.policy", "delete")
    wants = any(name == settings.topic(base) for base in COMPACTED)
    if compacted != wants and config:
        wanted = "delete" if compacted else "compact"
        yield warn(
            name,
            "is compacted" if compacted else "is not compacted",
            f"set cleanup.policy={wanted}",
        )
    kept_ms = int(config.get(RETENTION, -1))
    if not compacted and kept_ms >= 0 and name == settings.topic("orders"):
        yield warn(
            "retention",
            f"{name} forgets records whose timestamp is older than {kept_ms / DAY_MS:g} days",
            "for a replay of old records, run: tierstream topics create --retention forever",
        )


async def sample_orders(settings: Settings, partitions: int, most: int) -> Sample:
    """Read the newest records of each partition of `orders`, at most *most* of each."""
    name = settings.topic("orders")
    seen = Sample()
    async with reader(settings) as client:
        held = await spans(client, {name: partitions})
        newest = {tp: (max(first, end - most), end) for tp, (first, end) in held.items()}
        async for record in read(client, newest):
            _look(record, partitions, seen)
    return seen


def _look(record: Any, partitions: int, seen: Sample) -> None:  # noqa: ANN401 - aiokafka is untyped
    if record.key is None:
        seen.keyless += 1
        return
    seen.records += 1
    seen.misplaced += kafka.partition_of(record.key, partitions) != record.partition
    try:
        owner = _owner.decode(record.value or b"").customer_id
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return  # a dead letter, not a matter of keys
    seen.strangers += owner.encode() != record.key


def judge_sample(seen: Sample, topic: str) -> Iterator[Finding]:
    """Say what a sample means."""
    if not seen.records and not seen.keyless:
        yield ok("partitioner", f"{topic} is empty: nothing to compare yet")
        return
    if seen.keyless:
        yield fail(
            "keys",
            f"{seen.keyless:,} of {seen.keyless + seen.records:,} sampled records have no key",
            "producers must use customer_id as the record key",
        )
    if seen.strangers:
        yield fail(
            "keys",
            f"{seen.strangers:,} of {seen.records:,} sampled keys are not their customer_id",
            "producers must use customer_id as the record key, in UTF-8",
        )
    elif seen.records:
        yield ok("keys", f"{seen.records:,} sampled records are keyed by customer_id")
    if seen.misplaced:
        share = 100 * seen.misplaced / seen.records
        yield warn(
            "partitioner",
            f"{share:.0f} % of {seen.records:,} sampled records are on another partition than "
            "Java's partitioner chooses",
            'set partitioner=murmur2_random in librdkafka clients, or "murmur2" in others',
        )
    elif seen.records:
        yield ok("partitioner", f"{seen.records:,} sampled records are where murmur2 puts them")
