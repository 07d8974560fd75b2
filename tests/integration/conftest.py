"""A running tierstream on the servers that the tests share."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.integration.system import System

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def system(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path, *, on_apache_kafka: bool
) -> AsyncIterator[System]:
    """An installation without workers, under a namespace that no other test uses."""
    namespace = f"t{uuid.uuid4().hex[:8]}"
    # The embedded broker answers a commit during a rebalance with ILLEGAL_GENERATION, and aiokafka
    # then joins as someone new; the old member is never put out, and the group waits for it.
    env = {} if on_apache_kafka else {"report_ms": "0", "audit": "off"}
    async with System(kafka_bootstrap, redis_url, namespace, tmp_path, env=env) as running:
        yield running
