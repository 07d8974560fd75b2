"""One customer's own records, read again from the input topics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.kafka import partition_of
from agents.replay.events_jsonl import DECODERS
from agents.replay.log import LogRecord, sorted_log
from agents.replay.reading import partitions_of, read, reader, spans
from schemas.decode import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agents.settings import Settings

_TELL_EVERY = 20_000


async def read_own(
    settings: Settings,
    customer_id: str,
    upto_ms: int,
    *,
    everywhere: bool = False,
    everyone: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Sequence[LogRecord]:
    """Return the customer's records up to an instant, in the order in which they are replayed.

    Reads what the partitions hold when it starts: the customer's partition of every input
    topic, as Java's partitioner places keys, or every partition. What the broker no longer
    keeps is not there, and records that a worker would refuse to decode are left out.

    Args:
        settings: Where Kafka is.
        customer_id: Whose.
        upto_ms: Record time of the last record that may count.
        everywhere: Read every partition.
        everyone: Return the records of all customers: where they count for one another.
        progress: Told now and then how many records were seen.

    Raises:
        MissingTopicError: A topic does not exist.
        KafkaError: The broker does not answer.
    """
    topics = {settings.topic(base): base for base in DECODERS}
    counts = await partitions_of(settings, topics)
    key = customer_id.encode()
    own: list[tuple[int, LogRecord]] = []
    seen = 0
    async with reader(settings) as client:
        wanted = {
            tp: span
            for tp, span in (await spans(client, counts)).items()
            if everywhere or everyone or tp.partition == partition_of(key, counts[tp.topic])
        }
        async for record in read(client, wanted):
            seen += 1
            if progress is not None and seen % _TELL_EVERY == 0:
                progress(seen)
            if record.timestamp > upto_ms or not record.key or record.value is None:
                continue
            if everyone or record.key == key:
                base = topics[record.topic]
                kept = LogRecord(base, record.key, record.value, record.timestamp)
                if _decodes(kept):
                    own.append((record.offset, kept))
    own.sort(key=lambda pair: pair[0])
    return sorted_log(record for _, record in own)


def _decodes(record: LogRecord) -> bool:
    """Say whether a worker would take the record: it decodes, and its key is the customer's."""
    try:
        return DECODERS[record.topic](record.value).customer_id.encode() == record.key
    except Rejected:
        return False
