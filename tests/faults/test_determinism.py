r"""A log in which everything happens, replayed by workers that are killed: the same bytes.

The full experiment, with its digests, is ``python -m tests.bench.determinism``.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.faults.everything import Story, policy
from tests.faults.replays import Replay, Servers, play_live, play_offline

if TYPE_CHECKING:
    from pathlib import Path

    from agents.embedded import EmbeddedRedis
    from tests.faults.conftest import Size

# Apache Kafka: the embedded broker never puts a killed member out of its group.
pytestmark = [pytest.mark.faults_heavy, pytest.mark.kafka, pytest.mark.timeout(600)]

EVENTS = 1_000
DAYS = 35
STORY = 3
"""Of this one every kind of cause has changed somebody's tier."""


async def test_a_replay_whose_workers_are_killed_tells_the_history_of_the_pure_core(
    kafka_bootstrap: str, durable_redis: EmbeddedRedis, tmp_path: Path, size: Size
) -> None:
    """In sweeps and at censuses too; pins, consent, erasures and three policies are in the log."""
    story = Story(EVENTS, DAYS, STORY)
    story.write(tmp_path / "log.jsonl")
    replay = Replay(tmp_path / "log.jsonl", policy(1), story.as_of_ms)
    offline = play_offline(replay, tmp_path / "offline")
    servers = Servers(kafka_bootstrap, durable_redis.url)
    chance = random.Random(size.seed)
    live = await play_live(servers, replay, tmp_path / "live", kills=size.kills, chance=chance)
    assert live.kills
    assert live.digests() == offline.digests()
    written = (offline.folder / "changes.jsonl").read_text()
    changes = [json.loads(line) for line in written.splitlines()]
    causes = Counter(change["cause"]["kind"] for change in changes)
    wanted = {"order", "time", "refund", "consent", "pinned", "boundary_moved", "policy_changed"}
    assert wanted <= causes.keys()
