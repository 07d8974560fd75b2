"""Print the current tier of every customer, from one topic of tierstream alone.

    python current_tiers.py BROKER:PORT customer-tiers|tier-changes

Needs nothing but aiokafka. Reads up to where the topic ends now, and stops.
"""

import asyncio
import json
import sys

from aiokafka import AIOKafkaConsumer


async def current_tiers(broker: str, topic: str) -> dict[str, dict[str, str | None]]:
    """Return the tier in each grading, by customer; None: not graded."""
    tiers: dict[str, dict[str, str | None]] = {}
    # Without a group all partitions are ours. Committed records only: then each event is there
    # once, whatever was restarted.
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=broker,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        partitions = consumer.assignment()
        if not partitions:
            sys.exit(f"{topic}: no such topic")
        ends = await consumer.end_offsets(partitions)
        while [tp for tp in partitions if await consumer.position(tp) < ends[tp]]:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    take(tiers, (record.key or b"").decode(), record.value)
    finally:
        await consumer.stop()
    return tiers


def take(tiers: dict[str, dict[str, str | None]], customer: str, value: bytes | None) -> None:
    """Bring *tiers* up to one more record, of either topic."""
    if value is None:  # only in customer-tiers: the customer was erased
        tiers.pop(customer, None)
        return
    told = json.loads(value)
    if "grades" in told:  # customer-tiers: all grades at once
        tiers[customer] = told["grades"]
    else:  # tier-changes: one step in one grading
        tiers.setdefault(customer, {})[told["grading"]] = told["to"]


def main() -> None:
    """Run the command."""
    if len(sys.argv) != 3:  # noqa: PLR2004 - the command and its two arguments
        sys.exit("usage: python current_tiers.py BROKER:PORT TOPIC")
    tiers = asyncio.run(current_tiers(*sys.argv[1:]))
    for customer in sorted(tiers):
        sys.stdout.write(json.dumps({"customer_id": customer, "grades": tiers[customer]}) + "\n")


if __name__ == "__main__":
    main()
