"""Sending a control about one customer to where that customer's records are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from agents import kafka
from agents.replay.reading import partitions_of

if TYPE_CHECKING:
    from agents.settings import Settings

CONTROLS: Final = "controls"


class Sent(NamedTuple):
    """Where a control is now."""

    topic: str
    partition: int
    offset: int


async def send_control(settings: Settings, customer_id: str, value: bytes) -> Sent:
    """Send *value*, a control about a customer, and return once the broker has it.

    It goes where Java's partitioner puts the customer's orders.

    Raises:
        MissingTopicError: There is no topic for controls.
        aiokafka.errors.KafkaError: The broker cannot be reached, or refuses.
    """
    topic, key = settings.topic(CONTROLS), customer_id.encode()
    counts = await partitions_of(settings, [topic])
    client = kafka.producer(settings)
    await client.start()
    try:
        partition = kafka.partition_of(key, counts[topic])
        written = await client.send_and_wait(topic, value, key=key, partition=partition)
        return Sent(topic, partition, written.offset)
    finally:
        await client.stop()
