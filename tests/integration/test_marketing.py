"""What others read: CloudEvents by the official SDK, and tiers rebuilt from a topic alone."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from agents.web.server import Serving, serve
from schemas.catalog import TOPICS
from schemas.cloud_events import CloudEventHeaders
from stream.calendar import DAY_MS
from tests.documented import documented
from tests.integration.system import event, order
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from aiokafka.structs import ConsumerRecord
    from cloudevents.core.base import BaseCloudEvent

    from tests.integration.system import System

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "docs" / "samples"
NODE_MODULES = ROOT / "tests" / "node" / "node_modules"
TYPES = {
    "tier-changes": "tierstream.tier.changed.v1",
    "customer-tiers": "tierstream.customer.tiers.v1",
    "tier-forecasts": "tierstream.tier.forecast.v1",
}


def warn_of_falls(policy: Path) -> None:
    """Let a policy tell of falls two weeks ahead."""
    text = policy.read_text()
    policy.write_text(text.replace("measures:", "forecasts: {lead_days: 14}\nmeasures:", 1))


@pytest.fixture
async def told(system: System) -> System:
    """Customers who rose and fell, were warned of a fall, and were erased: all announced."""
    warn_of_falls(Path(system.settings.policy))
    await system.started()
    at_ms = time.time_ns() // 1_000_000 - 60_000
    recent = [order(n, f"c{n % 20}", at_ms + n, 900 * (1 + n % 7)) for n in range(60)]
    waning = [order(100 + n, f"w{n}", at_ms - 20 * DAY_MS, 40_000) for n in range(5)]
    await system.send("orders", sorted(waning + recent, key=lambda sent: sent[1]))
    refunds = [
        event(
            "order.refunded", f"r{n}", f"c{n % 20}", at_ms + 100 + n,
            order_id=f"o{n}", amount_minor=900, currency="USD",
        )
        for n in range(10)
    ]  # fmt: skip
    await system.send("orders", refunds)
    await wait_for_async(lambda: system.applied() == 75, "all orders", 60)
    erase = event("customer.erase", "x1", "c3", at_ms + 1_000, reason="asked for")
    await system.send("controls", [erase])

    async def erased() -> list[Any]:
        return await system.read("erasure-receipts")

    await wait_for_async(erased, "the receipt", 60)
    await wait_for_async(lambda: system.waiting_rows() == 0, "an empty outbox", 60)
    return system


def as_event(record: ConsumerRecord[bytes, bytes]) -> BaseCloudEvent:
    """Read a record as a consumer with the SDK would."""
    assert record.value is not None
    message = KafkaMessage(headers=dict(record.headers), key=record.key, value=record.value)
    return from_binary(message, JSONFormat(), CloudEvent)


async def test_the_official_sdk_reads_what_is_published_as_cloud_events(told: System) -> None:
    """All attributes are there, agree with the record, and order the events of a customer."""
    seen: dict[tuple[str, str], str] = {}
    ids = set()
    for topic, kind in TYPES.items():
        records = [record for record in await told.read(topic) if record.value is not None]
        assert records
        for record in records:
            CloudEventHeaders.model_validate_strings(
                {name: text.decode() for name, text in record.headers}
            )
            found, value = as_event(record), json.loads(record.value or b"")
            TOPICS[topic].contract.validate_json(record.value or b"")
            assert found.get_data() == value
            assert found.get_type() == kind
            assert found.get_source() == "/tierstream/shop"
            assert found.get_datacontenttype() == "application/json"
            customer = value["customer_id"]
            assert found.get_extension("partitionkey") == customer == (record.key or b"").decode()
            assert found.get_subject() == value.get("grading", customer)
            moment = found.get_time()
            assert moment is not None
            said = value.get("instant") or value["issued_at"]
            assert moment == datetime.fromisoformat(said)
            assert value.get("id", found.get_id()) == found.get_id()
            assert found.get_id() not in ids
            ids.add(found.get_id())
            sequence = found.get_extension("sequence")
            chain = topic, f"{customer} {found.get_subject()}"
            assert seen.get(chain, "") < sequence
            seen[chain] = sequence


@asynccontextmanager
async def api(system: System) -> AsyncIterator[str]:
    """Serve the API in this process, over the same Kafka and Redis; give its address."""
    told: asyncio.Queue[str] = asyncio.Queue()
    serving = asyncio.create_task(
        serve(system.settings, Serving(port=0), system.plan, told.put_nowait)
    )
    serving.add_done_callback(lambda _: told.put_nowait(""))
    try:
        url = await told.get()
        if not url:
            await serving  # which says why it ended
        yield url
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def answered_tiers(url: str, customer_ids: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the grades that the API answers with; customers whom it does not know are left out."""
    told = {}
    with requests.Session() as session:
        for customer_id in customer_ids:
            card = session.post(
                f"{url}/v1/customers/card", json={"customer_id": customer_id}, timeout=60
            )
            assert card.status_code in {200, 404}
            if card.ok:
                gradings = card.json()["gradings"]
                told[customer_id] = {
                    name: one["tier"] for name, one in gradings.items() if one["tier"]
                }
    return told


async def rebuilt(*command: str, cwd: Path | None = None) -> dict[str, dict[str, str]]:
    """Run a sample and return what it prints, without grades that are not given."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    lines = [json.loads(line) for line in out.decode().splitlines()]
    return {
        line["customer_id"]: {name: tier for name, tier in line["grades"].items() if tier}
        for line in lines
    }


async def check_sample(system: System, *command: str, cwd: Path | None = None) -> None:
    """Check that a sample sees what the API answers for everybody, from either topic."""
    everybody = [*(f"c{n}" for n in range(20)), *(f"w{n}" for n in range(5))]
    async with api(system) as url:
        answered = await asyncio.to_thread(answered_tiers, url, everybody)
    assert answered.keys() == set(everybody) - {"c3"} == system.customers().keys()
    broker, topic = system.settings.kafka, system.settings.topic
    current = await rebuilt(*command, broker, topic("customer-tiers"), cwd=cwd)
    assert current == answered
    history = await rebuilt(*command, broker, topic("tier-changes"), cwd=cwd)
    assert history.pop("c3"), "the history holds what was told of an erased customer"
    assert history == answered


def documented_sample(number: int) -> list[str]:
    """Return a command of the samples' page without what comes after the program."""
    return documented("samples/README.md", "samples").splitlines()[number].split()[:2]


async def test_the_python_sample_rebuilds_every_tier_from_one_topic(told: System) -> None:
    """aiokafka, `customer-tiers` alone and `tier-changes` alone: equal to the API."""
    python, program = documented_sample(0)
    assert python == "python"
    await check_sample(told, sys.executable, program, cwd=SAMPLES)


@pytest.mark.skipif(
    shutil.which("node") is None or not (NODE_MODULES / "kafkajs").is_dir(),
    reason="needs Node and kafkajs: make env-node",
)
async def test_the_node_sample_rebuilds_every_tier_from_one_topic(
    told: System, tmp_path: Path
) -> None:
    """The same with kafkajs."""
    node, program = documented_sample(1)
    shutil.copy(SAMPLES / program, tmp_path)
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    await check_sample(told, node, program, cwd=tmp_path)
