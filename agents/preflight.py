"""What a worker looks at before it starts: a broker that answers, and topics that fit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from aiokafka.errors import KafkaError

from agents.kafka import admin
from agents.reach import knock
from agents.rights import lacking, needed
from agents.settings import INPUTS, SettingsError
from stream.store import StoreUnavailable

if TYPE_CHECKING:
    from agents.settings import Role, Settings
    from stream.store import Store

log = structlog.get_logger(__name__)
_RETRY_S = 2.0


async def await_kafka(settings: Settings, role: Role) -> None:
    """Wait until the broker answers, has the topics of *role* and grants what it needs.

    Says meanwhile what is missing.

    Raises:
        RefusedError: Trust, user or password are wrong; waiting would not help.
        SettingsError: The topics are there and do not fit; waiting would not help.
    """
    while True:
        try:
            await knock(settings)
            refused = await lacking(settings, role)
            counts = {} if refused else await _partition_counts(settings, role)
        except (KafkaError, OSError) as exc:
            log.warning("kafka_unavailable", kafka=settings.kafka, error=str(exc) or repr(exc))
        else:
            if refused:
                log.warning("rights_missing", lacking=[str(right) for right in refused])
                await asyncio.sleep(_RETRY_S)
                continue
            missing = sorted(name for name, count in counts.items() if not count)
            if not missing:
                if role in {"scoring", "all"}:
                    check_partitions(settings, counts)
                return
            log.warning("topics_missing", topics=missing, remedy="tierstream topics create")
        await asyncio.sleep(_RETRY_S)


def check_store(store: Store, buckets: int, role: Role) -> None:
    """Look whether the store is ours to use; one that does not answer is waited for later.

    Raises:
        StoreMismatch: It refuses us, or is another installation's; waiting would not help.
    """
    try:
        if role in {"delivery", "alerts", "webhooks"}:
            store.ping()
        else:
            store.install(buckets)
    except StoreUnavailable as exc:
        log.warning("store_unavailable", error=str(exc))


def check_partitions(settings: Settings, counts: dict[str, int]) -> int:
    """Return the number of partitions of the input topics.

    Raises:
        SettingsError: They differ, or do not divide the number of buckets.
    """
    inputs = {settings.topic(base): counts.get(settings.topic(base), 0) for base in INPUTS}
    distinct = sorted(set(inputs.values()))
    if len(distinct) != 1 or not distinct[0] or settings.buckets % distinct[0]:
        said = ", ".join(f"{topic} {count}" for topic, count in inputs.items())
        message = (
            f"partitions: {said} are not allowed; allowed: the same number for all, "
            f"which divides {settings.buckets} buckets (see `tierstream doctor`)"
        )
        raise SettingsError(message)
    return distinct[0]


async def _partition_counts(settings: Settings, role: Role) -> dict[str, int]:
    """Return the partitions of the topics that *role* uses: of others it may not know."""
    names = sorted({right.name for right in needed(settings, role) if right.kind == "topic"})
    client = admin(settings)
    try:
        await client.start()
        existing = set(await client.list_topics())
        described = await client.describe_topics([name for name in names if name in existing])
    finally:
        await client.close()
    counts = dict.fromkeys(names, 0)
    for topic in described:
        counts[topic["topic"]] = len(topic["partitions"])
    return counts
