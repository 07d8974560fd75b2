"""The commands of docs/operations.md that need neither Docker nor a cluster."""

from __future__ import annotations

import os
import shutil
import sys
import uuid
from pathlib import Path

import pytest

from tests.documented import run_documented

pytestmark = pytest.mark.integration


@pytest.fixture
def installation(kafka_bootstrap: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment that the page takes for granted."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("TIERSTREAM_KAFKA", kafka_bootstrap)
    monkeypatch.setenv("TIERSTREAM_REDIS", redis_url)
    monkeypatch.setenv("TIERSTREAM_NAMESPACE", f"t{uuid.uuid4().hex[:8]}")


@pytest.mark.usefixtures("installation")
def test_topics_are_created_again_without_harm(tmp_path: Path) -> None:
    """The first time, and at every upgrade after it."""
    run_documented("operations.md", "install", tmp_path)
    run_documented("operations.md", "install", tmp_path)


@pytest.mark.usefixtures("installation")
@pytest.mark.skipif(shutil.which("redis-cli") is None, reason="redis-cli is not on the PATH")
def test_a_backup_is_a_file_that_redis_can_read(tmp_path: Path) -> None:
    """Taken from a running Redis."""
    run_documented("operations.md", "backup", tmp_path)
    assert (tmp_path / "tierstream.rdb").read_bytes().startswith((b"REDIS", b"VALKEY"))
