"""The topics tierstream uses: what they are, and creating them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaTimeoutError, TopicAlreadyExistsError, for_code

from agents.kafka import admin
from agents.settings import INPUTS, OUTBOX, OUTPUTS

if TYPE_CHECKING:
    from aiokafka.admin import AIOKafkaAdminClient

    from agents.settings import Settings

_LOOKS = 150
_LOOK_EVERY_S = 0.1
_PARTITIONS_PER_SHARD = 4
_BUCKETS_PER_SHARD = 256

COMPACTED = frozenset({"customer-tiers", "tier-differences", "erasure-receipts"})


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """How topics are created.

    Attributes:
        partitions: Of every topic but `outbox`; must divide the number of buckets.
        replication: Copies of each partition.
    """

    partitions: int = 8
    replication: int = 1

    def shards(self, buckets: int) -> int:
        """Return the partitions of `outbox`: so many delivery workers can share the work.

        Each shard costs the broker a transaction ten times a second, however few rows it has.
        The marker of one holds up to about 500 buckets, see docs/design.md.

        >>> [TopicPlan(partitions).shards(256) for partitions in (1, 4, 8, 64)]
        [1, 1, 2, 16]
        >>> TopicPlan(8).shards(2_048)
        8
        """
        fewest = -(-buckets // _BUCKETS_PER_SHARD)
        return min(self.partitions, max(1, fewest, self.partitions // _PARTITIONS_PER_SHARD))


async def _await_leaders(client: AIOKafkaAdminClient, topics: list[str]) -> None:
    """Wait until new topics can be used: a broker learns of them only after the answer."""
    for _ in range(_LOOKS):
        existing = set(await client.list_topics())
        if existing.issuperset(topics):
            described = await client.describe_topics(topics)
            if not any(
                topic["error_code"] or any(p["leader"] < 0 for p in topic["partitions"])
                for topic in described
            ):
                return
        await asyncio.sleep(_LOOK_EVERY_S)
    raise KafkaTimeoutError(f"topics are not ready: {', '.join(topics)}")


async def create_topics(settings: Settings, plan: TopicPlan) -> dict[str, bool]:
    """Create what is missing; return each topic's full name and whether it was created.

    Topics that exist are left as they are: `tierstream doctor` says if they do not fit.

    Raises:
        aiokafka.errors.KafkaError: The broker refused one of them.
    """
    names = {settings.topic(base): base for base in (*INPUTS, *OUTPUTS, OUTBOX)}
    shards = plan.shards(settings.buckets)
    client = admin(settings)
    await client.start()
    try:
        existing = set(await client.list_topics())
        missing = [name for name in names if name not in existing]
        if missing:
            answer = await client.create_topics(
                [
                    NewTopic(
                        name,
                        shards if names[name] == OUTBOX else plan.partitions,
                        plan.replication,
                        topic_configs={
                            "cleanup.policy": "compact" if names[name] in COMPACTED else "delete"
                        },
                    )
                    for name in missing
                ]
            )
            for name, code, *_ in answer.topic_errors:  # type: ignore[attr-defined]
                error = for_code(code)
                if code and error is not TopicAlreadyExistsError:
                    raise error(name)
            await _await_leaders(client, missing)
        return {name: name in missing for name in names}
    finally:
        await client.close()
