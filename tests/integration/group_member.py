"""A member of a consumer group as a process of its own, to be killed by a test.

usage: python group_member.py BOOTSTRAP GROUP TOPIC...
"""

from __future__ import annotations

import asyncio
import sys

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor


async def main(bootstrap: str, group: str, *topics: str) -> None:
    """Join, say so, and stay."""
    client = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=bootstrap,
        group_id=group,
        partition_assignment_strategy=(RangePartitionAssignor,),
        session_timeout_ms=6_000,
        enable_auto_commit=False,
        heartbeat_interval_ms=200,
    )
    await client.start()
    sys.stdout.write("joined\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
