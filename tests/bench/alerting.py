"""From a crossing to its alert: how long until a chat's webhook has it, beside live traffic.

One worker with all roles (or, with --apart, another one for alerts), a broker and Redis on this
machine; orders come in at a steady rate, and a share of them takes a new customer across a
threshold. A local HTTP server stands for the chat's webhook; beside it another channel, of the
same alerts, that hangs. Printed is the time from sending the order to the arrival of its alert,
once everybody else has a grade::

    python -m tests.bench.alerting [--rate 1000] [--crossings 10] [--seconds 30]
        [--apart] [--broker embedded|apache]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
import uuid
from pathlib import Path

from agents.embedded import EmbeddedBroker, EmbeddedRedis
from agents.kafka import producer
from tests.brokers.apache_kafka import ApacheKafka
from tests.integration.receiver import Receiver
from tests.integration.system import POLICY, System, order
from tests.waiting import wait_for_async

_TICK_S = 0.02
_REGULARS = 2_000
ROUTES = """
routes:
  channels: {chat: {}, stuck: {}}
  rules: [{gradings: [value], to: [gold], channels: [chat, stuck]}]
"""


class Clocked(Receiver):
    """A receiver that notes when each customer's alert came."""

    def __init__(self) -> None:
        super().__init__()
        self.at_s: dict[str, float] = {}

    def noted(self, body: bytes) -> None:
        """Take the time of one alert."""
        who = json.loads(body)["title"].split()[1].rstrip(":")
        self.at_s.setdefault(who, time.time())


async def traffic(system: System, arguments: argparse.Namespace) -> dict[str, float]:
    """Send orders at the rate; return when each crossing one was sent, by customer."""
    sent_s: dict[str, float] = {}
    client = producer(system.settings, linger_ms=1)
    await client.start()
    topic = system.settings.topic("orders")
    started_s, number = time.monotonic(), 0
    try:
        while (passed_s := time.monotonic() - started_s) < arguments.seconds:
            while number < passed_s * arguments.rate:
                now_s = time.time()
                crosses = number % (arguments.rate // arguments.crossings) == 0
                who = f"new{number}" if crosses else f"c{number % _REGULARS}"
                cents = 40_000 if crosses else 1
                event, at_ms = order(number, who, int(now_s * 1000), cents)
                await client.send(
                    topic,
                    json.dumps(event).encode(),
                    who.encode(),
                    partition=system.place(who),
                    timestamp_ms=at_ms,
                )
                if crosses and number > 2 * _REGULARS:
                    sent_s[who] = now_s
                number += 1
            await asyncio.sleep(_TICK_S)
    finally:
        await client.stop()
    print(f"{number:,} orders in {time.monotonic() - started_s:.0f} s")
    return sent_s


async def measure(broker: str, redis: str, folder: Path, arguments: argparse.Namespace) -> None:
    """Run the experiment and print its figures."""
    with Clocked() as chat, Receiver(hangs=True) as stuck:
        env = {
            "report_ms": "0",
            "audit": "off",
            "channel_chat": chat.address,
            "channel_stuck": stuck.address,
        }
        namespace = f"bench{uuid.uuid4().hex[:6]}"
        async with System(broker, redis, namespace, folder, POLICY + ROUTES, env=env) as system:
            if arguments.apart:
                await system.started(alerts="off")
                await system.started("alerts")
            else:
                await system.started()
            sent_s = await traffic(system, arguments)
            await wait_for_async(lambda: sent_s.keys() <= chat.at_s.keys(), "every alert", 120)
        took_s = [chat.at_s[who] - at_s for who, at_s in sent_s.items()]
    cuts = statistics.quantiles(took_s, n=100)
    print(
        f"crossing to alert: {len(took_s)} alerts beside a channel that hangs, "
        f"p50 {cuts[49] * 1000:,.0f} ms, p99 {cuts[98] * 1000:,.0f} ms, "
        f"max {max(took_s) * 1000:,.0f} ms; {len(chat.got) - len(chat.at_s)} came twice"
    )


def main() -> None:
    """Start the servers, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.bench.alerting")
    parser.add_argument("--rate", type=int, default=1_000, help="orders a second")
    parser.add_argument("--crossings", type=int, default=10, help="of them, that cross")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--apart", action="store_true", help="alerts in a worker of their own")
    parser.add_argument("--broker", choices=["embedded", "apache"], default="embedded")
    arguments = parser.parse_args()
    broker = EmbeddedBroker() if arguments.broker == "embedded" else ApacheKafka()
    with broker, EmbeddedRedis() as redis, tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(broker.address, redis.url, Path(folder), arguments))


if __name__ == "__main__":
    main()
