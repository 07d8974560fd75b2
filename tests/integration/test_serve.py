"""`tierstream serve` on a running system: current, equal to the command, and resumed exactly."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Self

import pytest
import requests

from tests.integration.system import ROOT, System, order
from tests.integration.test_replay_live import tierstream
from tests.waiting import wait_for, wait_for_async
from tests.web.sse import events

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

WITHIN_S = 60


class Serve:
    """One process of the command, on a free port.

    *options* and *env* (settings by their lower-case names) are what it is told besides.
    """

    def __init__(self, system: System, log: Path, *options: str, **env: str) -> None:
        self.log = log
        settings = system.settings
        told = {
            "kafka": settings.kafka,
            "redis": settings.redis,
            "namespace": settings.namespace,
            "policy": settings.policy,
            **env,
        }
        command = [sys.executable, "-m", "agents.cli.main", "serve", "--port", "0", *options]
        with log.open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                env={**os.environ, **{f"TIERSTREAM_{k.upper()}": v for k, v in told.items()}},
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.url = wait_for(self._address, f"an address in {log}")

    def _address(self) -> str:
        assert self.process.poll() is None, self.log.read_text()
        line, end, _ = self.log.read_text().partition("\n")
        return line if end and line.startswith("http") else ""

    def get(self, path: str) -> requests.Response:
        """Ask for a path."""
        return requests.get(self.url + path, timeout=WITHIN_S)

    def card(self, customer_id: str) -> Any:
        """Return the card of a customer."""
        body = {"customer_id": customer_id}
        return requests.post(f"{self.url}/v1/customers/card", json=body, timeout=WITHIN_S).json()

    def ready(self) -> bool:
        """Whether the topics have been read."""
        return self.get("/readyz").ok

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0, self.log.read_text()


def orders(first: int, count: int) -> list[tuple[dict[str, Any], int]]:
    """Return orders of now, of which many change a tier."""
    now_ms = time.time_ns() // 1_000_000 - 60_000
    return [
        order(n, f"c{n % 40}", now_ms + n, 2_000 + 900 * (n % 7))
        for n in range(first, first + count)
    ]


def seen(serve: Serve, last: str | None, count: int) -> list[tuple[str, dict[str, Any]]]:
    """Return the next *count* events."""
    found = []
    for event_id, data in events(serve.url, last):
        found.append((event_id, json.loads(data)))
        if len(found) == count:
            break
    return found


async def test_a_stream_is_resumed_exactly_where_it_was_when_the_server_starts_again(
    system: System, tmp_path: Path
) -> None:
    """Also what was published while no server ran; and what it tells equals the command."""
    await system.started()
    await system.send("orders", orders(0, 120))
    await system.published(100)
    nothing = ".".join(["0"] * system.partitions)
    with Serve(system, tmp_path / "first.log") as serve:
        await wait_for_async(lambda: asyncio.to_thread(serve.ready), "a ready server")
        first = await asyncio.to_thread(seen, serve, nothing, 60)
    await system.send("orders", orders(120, 120))
    await wait_for_async(lambda: system.orders() == 240, "every order to be scored")
    await wait_for_async(lambda: system.waiting_rows() == 0, "every change to be published")
    published = await system.changes()
    with Serve(system, tmp_path / "second.log") as serve:
        await wait_for_async(lambda: asyncio.to_thread(serve.ready), "a ready server")
        rest = await asyncio.to_thread(seen, serve, first[-1][0], len(published) - len(first))
        told = [change["id"] for _, change in (*first, *rest)]
        assert sorted(told) == sorted(change["id"] for change in published)

        live = asyncio.create_task(asyncio.to_thread(seen, serve, rest[-1][0], 1))
        await system.send("orders", orders(240, 1) + orders(300, 30))
        ((_, change),) = await live
        assert change["id"] not in told

        gradings = (await asyncio.to_thread(serve.get, "/v1/gradings")).json()
        await equals_the_store(system, gradings)
        await equals_the_command(system, serve)


async def equals_the_store(system: System, gradings: dict[str, Any]) -> None:
    """Everyone counted in the tier that the store has."""
    assert gradings["customers"] == len(system.customers())


async def equals_the_command(system: System, serve: Serve) -> None:
    """The card is what `tierstream explain --json` prints."""
    await wait_for_async(lambda: system.orders() == 271, "every order to be scored")
    told = await asyncio.to_thread(serve.card, "c1")
    printed = json.loads(await tierstream(system, "explain", "c1", "--json"))
    # The clock of the bucket may have moved between the two.
    for one in (told, printed):
        del one["as_of"]
    assert told == printed
