"""Sending an endpoint again what was published since an instant, or from a sequence on."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from agents.replay.reading import partitions_of, read, reader, spans
from agents.webhooks.service import entry_for
from stream.erasure import ended_by
from stream.outbox import ERASURE_RECEIPTS

if TYPE_CHECKING:
    from aiokafka.structs import TopicPartition

    from agents.settings import Settings
    from stream.adapters.redis_endpoints import RedisEndpoints
    from stream.adapters.redis_queue import Entry
    from stream.webhooks import Endpoint

_AT_ONCE = 200


async def replay(
    settings: Settings,
    store: RedisEndpoints,
    endpoint: Endpoint,
    since_ms: int,
    *,
    customer_id: str | None = None,
    from_sequence: int = 0,
) -> int:
    """Put into the queue of *endpoint* what was published from *since_ms* up to now.

    Args:
        settings: Where Kafka is.
        store: Has the queue.
        endpoint: What it is not subscribed to it is not sent.
        since_ms: By the time of the records.
        customer_id: Events of this customer only.
        from_sequence: Events with this sequence, or a later one, only.

    Returns how many. Messages have the ids that they had before. What waits is not put twice,
    and nothing of a customer who was erased since: receipts are read first, as Redis may have
    been lost, and the worker that follows them be behind or away.

    Raises:
        MissingTopicError: A topic does not exist.
        StoreUnavailable: The store does not answer; doing it again is safe.
    """
    receipts = settings.topic(ERASURE_RECEIPTS)
    names = {settings.topic(base): base for base in (*endpoint.topics, ERASURE_RECEIPTS)}
    counts = await partitions_of(settings, names)
    waiting: list[Entry] = []
    sent = 0

    async def put() -> int:
        put_now, waiting[:] = list(waiting), []
        await asyncio.to_thread(partial(store.post, put_now))
        return len(put_now)

    async with reader(settings) as client:
        held = await spans(client, counts)
        proofs = {tp: held.pop(tp) for tp in list(held) if tp.topic == receipts}
        ended = ended_by([record.value async for record in read(client, proofs) if record.value])
        await asyncio.to_thread(store.erase, ended)
        starts = await client.offsets_for_times(dict.fromkeys(held, max(0, since_ms)))
        stretches = {tp: (_first(starts, tp, end), end) for tp, (_, end) in held.items()}
        async for record in read(client, stretches):
            key = (record.key or b"").decode()
            sequence = int(dict(record.headers).get("ce_sequence", b"0"))
            if customer_id not in {None, key} or sequence < from_sequence:
                continue
            entry = entry_for(endpoint, names[record.topic], record)
            if entry is not None:
                waiting.append(entry)
            if len(waiting) >= _AT_ONCE:
                sent += await put()
    return sent + (await put() if waiting else 0)


def _first(starts: dict[TopicPartition, object], tp: TopicPartition, end: int) -> int:
    """Return the offset of the first record from the instant on; *end* where there is none."""
    found = starts.get(tp)
    return end if found is None else int(found.offset)  # type: ignore[attr-defined]
