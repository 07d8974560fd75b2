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

COMPACTED = frozenset({"customer-tiers", "tier-differences", "erasure-receipts"})


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """How topics are created.

    Attributes:
        partitions: Of every topic; must divide the number of buckets.
        replication: Copies of each partition.
    """

    partitions: int = 8
    replication: int = 1


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
                        plan.partitions,
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
