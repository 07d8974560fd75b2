"""A replay through the broker, Redis and workers says, byte for byte, what the pure core says."""

from __future__ import annotations

import asyncio
import csv
import json
import random
import sys
import uuid
from collections import defaultdict
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from agents.kafka import producer
from agents.replay.cdnow import data_file, read_cdnow
from agents.replay.export import FILES
from stream.calendar import DAY_MS, format_instant
from tests.integration.system import ROOT, System

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

HEADER = ["customer_id", "order_id", "kind", "occurred_at", "amount", "currency", "cost"]
START_MS = 852_076_800_000  # 1997-01-01T00:00:00Z
END_OF_TABLE = "1997-09-30"
POLICY = (ROOT / "deploy" / "policies" / "cdnow.yaml").read_text()
TABLE_POLICY = """
policy: table
version: 1
time_zone: UTC
currency: USD
measures:
  purchases: {count: orders}
  since_last: {days_since: last_order}
  since_first: {days_since: first_order}
  spent: {sum: revenue}
  first_spent: {first: gross}
gradings:
  known: {type: bands, measure: purchases, tiers: [{tier: repeat, enter: 2}, {tier: once}]}
"""


def unique() -> str:
    """Return a namespace that no other test uses."""
    return f"t{uuid.uuid4().hex[:8]}"


async def tierstream(system: System, *arguments: str) -> str:
    """Run the command against *system* and return what it printed; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "agents.cli.main",
        *arguments,
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "TIERSTREAM_KAFKA": system.kafka,
            "TIERSTREAM_REDIS": system.redis,
            "TIERSTREAM_NAMESPACE": system.namespace,
            "TIERSTREAM_BUCKETS": str(system.buckets),
            "TIERSTREAM_POLICY": system.settings.policy,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


def write_csv(path: Path, rows: Iterable[list[Any]]) -> Path:
    """Write an order history."""
    with path.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(HEADER)
        writer.writerows(rows)
    return path


def history(customers: int, orders: int) -> list[list[Any]]:
    """Return a seeded history with refunds, over-refunds and cancellations, over 500 days."""
    chance = random.Random(7)
    rows: list[list[Any]] = []
    for number in range(orders):
        customer_id = f"c{chance.randrange(customers)}"
        at_ms = START_MS + chance.randrange(500 * DAY_MS)
        cents = chance.randrange(100, 30_000)
        paid = [customer_id, f"o{number}", "paid", format_instant(at_ms), cents / 100, "USD", ""]
        rows.append(paid)
        later = format_instant(at_ms + chance.randrange(1, 60 * DAY_MS))
        fate = chance.random()
        if fate < 0.1:
            given_back = f"{cents * chance.choice([0.5, 1, 2]) / 100:.2f}"
            rows.append([customer_id, f"o{number}", "refunded", later, given_back, "USD", ""])
        elif fate < 0.15:
            rows.append([customer_id, f"o{number}", "cancelled", later, "", "USD", ""])
    return rows


async def test_the_live_system_and_the_pure_core_write_the_same_bytes(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """Two workers share the partitions; refunds, cancellations and silence are in the log."""
    orders = write_csv(tmp_path / "orders.csv", history(customers=60, orders=1_500))
    until = "1998-12-31T00:00:00Z"
    async with System(
        kafka_bootstrap, redis_url, unique(), tmp_path, POLICY, env={"clock": "stream"}
    ) as system:
        await system.started()
        await system.started()
        live, offline = tmp_path / "live", tmp_path / "offline"
        common = ["--as-of", until, "--export"]
        await tierstream(system, "replay", str(orders), *common, str(live))
        await tierstream(system, "replay", str(orders), "--offline", *common, str(offline))
        for name in FILES:
            assert (live / name).read_bytes() == (offline / name).read_bytes(), name
        told = [
            await tierstream(system, "explain", "c7", "--at", "1997-09-30", *where)
            for where in (["--reread"], ["--all-partitions"], ["--offline", str(orders)])
        ]
        assert told[0] == told[1] == told[2] + "From the input topics, read again.\n"
        assert "1997-09-30" in told[0]
        assert "客户 c7" in await tierstream(system, "explain", "c7", "--lang", "zh")
        changes = [json.loads(line) for line in (live / "changes.jsonl").read_text().splitlines()]
        kept = json.loads(await tierstream(system, "history", "c7", "--json"))["transitions"]
        announced = {
            (change["instant"], change["grading"], change["sequence"], change["to"])
            for change in changes
            if change["customer_id"] == "c7"
        }
        last = [(t["instant"], t["grading"], t["sequence"], t["to"]) for t in kept]
        assert len(last) == 10 < len(announced)
        assert set(last) < announced
        assert max(last)[0] == max(announced)[0]
        assert "c7" in await tierstream(system, "history", "c7", "--lang", "zh")
        assert {change["cause"]["kind"] for change in changes} == {"order", "refund", "time"}


async def test_what_transactions_leave_behind_the_last_record_is_not_waited_for(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """Marks, and records of a transaction that was given up, have offsets as well."""
    orders = write_csv(tmp_path / "orders.csv", history(customers=5, orders=20))
    until = "1998-12-31T00:00:00Z"
    async with System(
        kafka_bootstrap, redis_url, unique(), tmp_path, POLICY, env={"clock": "stream"}
    ) as system:
        await system.started()
        await tierstream(system, "replay", str(orders), "--as-of", until)
        client = producer(system.settings, transactional_id=system.namespace)
        await client.start()
        try:
            await client.begin_transaction()
            for partition in range(system.partitions):
                await client.send_and_wait(
                    system.settings.topic("orders"), b"given up", partition=partition
                )
            await client.abort_transaction()
        finally:
            await client.stop()
        await tierstream(system, "export", str(tmp_path / "out"), "--as-of", until)
        assert (tmp_path / "out" / "customers.jsonl").read_text().count("\n") == 5


async def test_the_published_table_of_cdnow_comes_out_of_broker_and_redis(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """2,357 of 2,357 customers of Fader and Hardie's table, one purchase at a time.

    What a customer spends on one day is one purchase (see `tests.oracle.test_cdnow`, which
    states the table's other conventions).
    """
    spent: dict[tuple[int, str], int] = defaultdict(int)
    for row in read_cdnow("cdnow-sample"):
        spent[row.occurred_ms, row.customer_id] += row.amount_minor
    rows = [
        [
            customer_id,
            f"{customer_id}-{at_ms}",
            "paid",
            format_instant(at_ms),
            cents / 100,
            "USD",
            "",
        ]
        for (at_ms, customer_id), cents in sorted(spent.items())
    ]
    orders = write_csv(tmp_path / "orders.csv", rows)
    async with System(
        kafka_bootstrap, redis_url, unique(), tmp_path, TABLE_POLICY, env={"clock": "stream"}
    ) as system:
        await system.started()
        out = tmp_path / "out"
        await tierstream(
            system, "replay", str(orders), "--as-of", END_OF_TABLE, "--export", str(out)
        )
    computed = {}
    for text in (out / "customers.jsonl").read_text().splitlines():
        customer = json.loads(text)
        computed[str(int(customer["customer_id"]))] = table_row(customer["measures"])
    with data_file("cdnow_customers_summary_with_transactions.csv").open() as lines:
        published = list(csv.DictReader(lines))
    assert len(published) == len(computed) == 2_357
    for line in published:
        expected = int(line["x"]), *(Fraction(line[name]) for name in ("t_x", "T", "zbar"))
        assert computed[line["ID"]] == expected, line


def table_row(measures: dict[str, int]) -> tuple[int, Fraction, Fraction, Fraction]:
    """Return (x, t_x, T, zbar) from a customer's measures."""
    repeats = measures["purchases"] - 1
    age, silent = measures["since_first"], measures["since_last"]
    repeat_spend = Fraction(measures["spent"] - measures["first_spent"], 100)
    mean = repeat_spend / repeats if repeats else Fraction(0)
    return repeats, half_up(Fraction(age - silent, 7)), half_up(Fraction(age, 7)), half_up(mean)


def half_up(number: Fraction) -> Fraction:
    """Round to two decimals, halves up."""
    return Fraction(int(number * 100 + Fraction(1, 2)), 100)
