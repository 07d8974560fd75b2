"""A wholesaler with a hundred customers, and the page and the API that show it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from agents.replay.log import LogRecord, sorted_log
from agents.replay.wholesale import wholesale_records
from agents.report.payload import payload
from agents.simulation.run import simulate
from agents.simulation.shard import Job
from agents.web.tokens import Tokens
from schemas.api.simulation import Simulation
from schemas.policy import load_policy
from schemas.policy.load import policy_from_data
from stream.plan import Plan, compile_policy
from stream.simulation.comparison import Rules
from tests.web.town import NOWHERE, Served, Town

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

POLICY = Path(__file__).parents[2] / "deploy" / "policies" / "wholesale.yaml"
CUSTOMERS = 100
TOKEN = "a-token-for-the-tests-only"  # noqa: S105 - opens nothing else
MANAGING = "a-token-of-a-manager-for-the-tests"


@lru_cache
def wholesale_log() -> Sequence[LogRecord]:
    """Return what happens to the wholesaler."""
    return sorted_log(wholesale_records(CUSTOMERS))


@lru_cache
def wholesale_plan() -> Plan:
    """Return its policy."""
    return compile_policy(load_policy(str(POLICY)))


@lru_cache
def simulated() -> Simulation:
    """Return what a stricter pyramid would do, as the command tells it."""
    old = wholesale_plan().document
    new = load_policy(str(POLICY)).model_dump(mode="json")
    new["version"] = 2
    new["gradings"]["value"]["tiers"][0] |= {"enter": "200000", "exit": "150000"}
    log = wholesale_log()
    rules = Rules(log[-1].record_ms, 20, 3, 365)
    job = Job(old, policy_from_data(new, "new"), rules, ({}, {}))
    found = simulate(log, job, processes=1)
    return Simulation.model_validate_json(msgspec.json.encode(payload(found, found.comparisons)))


def under(policy: str) -> Town:
    """Return the same wholesaler under another of the shipped policies."""
    town = Town(compile_policy(load_policy(str(POLICY.with_name(policy)))))
    log = wholesale_log()
    town.play(log, log[-1].record_ms)
    return town.open()


def wholesaler(
    tokens: Tokens | None = None, simulation: Simulation | None = None, redis: str = NOWHERE
) -> Town:
    """Return a wholesaler at the end of its two years."""
    town = Town(wholesale_plan(), tokens, simulation, redis)
    log = wholesale_log()
    town.play(log, log[-1].record_ms)
    return town.open()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """The wholesaler behind a server; nothing that a test does may change it."""
    with Served(wholesaler(simulation=simulated())) as running:
        yield running


@pytest.fixture(scope="module")
def guarded(redis_url: str) -> Iterator[Served]:
    """The same behind tokens: with `TOKEN` one may ask, with `MANAGING` manage as well."""
    tokens = Tokens({"tests": TOKEN, "boss": MANAGING}, {"boss"})
    with Served(wholesaler(tokens, redis=redis_url)) as running:
        yield running
