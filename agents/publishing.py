"""Publishing a policy to the workers, and reading back what was published before."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from aiokafka.structs import TopicPartition

from agents import kafka
from agents.controls import CONTROLS
from agents.replay.reading import partitions_of, read, reader, spans
from schemas.decode import Rejected, decode_control
from schemas.policy import PolicyFileError
from schemas.policy.load import policy_from_data
from schemas.records import PolicyPublished, ShadowEnded, ShadowStarted
from stream.calendar import format_instant
from stream.outbox import TIER_DIFFERENCES

if TYPE_CHECKING:
    from agents.settings import Settings
    from schemas.policy import PolicyDocument

_TRANSACTION_MS = 10_000


@dataclass(frozen=True, slots=True)
class Published:
    """A policy that was published, or runs beside the one in force, or does no longer.

    Attributes:
        event_id: Of the control: the cause that tier changes name.
        instant_ms: From when on that holds.
        partitions: Partitions of `controls` that hold it.
    """

    event_id: str
    instant_ms: int
    partitions: int


async def publish(settings: Settings, document: PolicyDocument) -> Published:
    """Send *document* to every partition of `controls`: to all of them or to none.

    All carry the same record time, so that it takes effect everywhere at one instant.

    Raises:
        MissingTopicError: There is no such topic.
        aiokafka.errors.KafkaError: The broker cannot be reached, or refuses.
    """
    return await _send(settings, PolicyPublished.kind, policy=document.model_dump(mode="json"))


async def start_shadow(settings: Settings, document: PolicyDocument) -> Published:
    """Let *document* run beside the policy in force; as `publish` in all else."""
    # Rows for a topic that is missing would hold up all others.
    await partitions_of(settings, [settings.topic(TIER_DIFFERENCES)])
    return await _send(settings, ShadowStarted.kind, policy=document.model_dump(mode="json"))


async def end_shadow(settings: Settings) -> Published:
    """Let no policy run beside the one in force any more; as `publish` in all else."""
    return await _send(settings, ShadowEnded.kind)


async def _send(settings: Settings, kind: str, **more: object) -> Published:
    event_id = f"policy:{uuid.uuid4()}"
    instant_ms = time.time_ns() // 1_000_000
    event = {
        "schema_version": 1,
        "event_id": event_id,
        "occurred_at": format_instant(instant_ms),
        "kind": kind,
        **more,
    }
    writer = f"publish-{uuid.uuid4()}"
    partitions = await announce(settings, msgspec.json.encode(event), instant_ms, writer)
    return Published(event_id, instant_ms, partitions)


async def announce(settings: Settings, control: bytes, instant_ms: int, writer: str) -> int:
    """Send a control to every partition of `controls`, or to none; return how many there are.

    All carry the same record time. Another who announces as the same *writer* fences this one.

    Raises:
        MissingTopicError: There is no such topic.
        aiokafka.errors.KafkaError: The broker cannot be reached, or refuses.
    """
    topic = settings.topic(CONTROLS)
    partitions = (await partitions_of(settings, [topic]))[topic]
    client = kafka.producer(
        settings,
        transactional_id=settings.group(writer),
        transaction_timeout_ms=_TRANSACTION_MS,
        max_request_size=settings.max_record_bytes * 2,
    )
    await client.start()
    try:
        async with client.transaction():
            for number in range(partitions):
                await client.send_and_wait(
                    topic, control, partition=number, timestamp_ms=instant_ms
                )
    finally:
        await client.stop()
    return partitions


async def published(settings: Settings) -> list[PolicyDocument]:
    """Return every policy that `controls` still holds, in the order of publication.

    Those that workers refuse are left out.
    """
    topic = settings.topic(CONTROLS)
    await partitions_of(settings, [topic])  # asking for a topic by name may create it
    found = []
    async with reader(settings) as client:
        stretch = (await spans(client, {topic: 1}))[TopicPartition(topic, 0)]
        async for record in read(client, {TopicPartition(topic, 0): stretch}):
            try:
                control = decode_control(record.value)
                if isinstance(control, PolicyPublished):
                    found.append(policy_from_data(control.policy, "policy"))
            except (Rejected, PolicyFileError):
                continue
    return found
