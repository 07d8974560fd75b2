"""Live orders at an even pace, from a process of its own: what it takes is not its readers'.

One in ten is a new customer's first: its tier change tells how long an order took. Started by
`tests.bench.calm`; ends, and prints how many it has sent, once its standard input is closed::

    python -m tests.bench.live_orders --kafka HOST:PORT --topic NAME --partitions 8 --rate 5000
        --known 1000000
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time

from agents.kafka import partition_of, producer
from agents.settings import Settings
from tests.integration.system import order

NEW = "new"
NEW_EVERY = 10
_TICK_S = 0.02
_LARGEST = 1_000_000
_STEP = 7919


async def send(arguments: argparse.Namespace, done: asyncio.Event) -> int:
    """Send until told to stop; return how many."""
    client = producer(Settings(kafka=arguments.kafka), linger_ms=0, max_batch_size=_LARGEST)
    await client.start()
    started_s, sent = time.monotonic(), 0
    try:
        while not done.is_set():
            wanted = int((time.monotonic() - started_s) * arguments.rate)
            builders = [client.create_batch() for _ in range(arguments.partitions)]
            now_ms = time.time_ns() // 1_000_000
            for number in range(sent, wanted):
                key = _key(number, arguments.known)
                event, _ = order(10_000_000 + number, key, now_ms)
                builder = builders[partition_of(key.encode(), arguments.partitions)]
                value = json.dumps(event).encode()
                taken = builder.append(key=key.encode(), value=value, timestamp=now_ms, headers=[])
                assert taken, "the machine is too busy for this: a batch is full"
            sent = max(sent, wanted)
            for place, builder in enumerate(builders):
                if builder.record_count():
                    await client.send_batch(builder, arguments.topic, partition=place)
            await asyncio.sleep(_TICK_S)
        await client.flush()
    finally:
        await client.stop()
    return sent


def _key(number: int, known: int) -> str:
    if number % NEW_EVERY == 0:
        return f"{NEW}{number}"
    return f"c{known - 1 - number * _STEP % (known // 2)}"


async def main() -> None:
    """Send until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kafka", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--partitions", type=int, required=True)
    parser.add_argument("--rate", type=int, required=True)
    parser.add_argument("--known", type=int, required=True)
    arguments = parser.parse_args()
    done = asyncio.Event()
    sending = asyncio.create_task(send(arguments, done))
    await asyncio.to_thread(sys.stdin.read)
    done.set()
    sys.stdout.write(f"{await sending}\n")


if __name__ == "__main__":
    asyncio.run(main())
