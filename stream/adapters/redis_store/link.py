"""How commands reach the server: one connection, or a cluster client. No store semantics here.

Neither link ever sends a command twice on its own, with one exception that is safe by definition:
a server that does not know a script (NOSCRIPT) has not run it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from redis import exceptions
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.connection import ConnectionPool
from redis.retry import Retry

from stream.adapters.redis_store import scripts
from stream.adapters.redis_store.errors import translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stream.adapters.redis_store.wire import Command

_FAILURES: Final = (exceptions.RedisError, exceptions.RedisClusterException, OSError)


class Link(Protocol):
    """Sends commands in order and returns their replies."""

    def call(self, commands: Sequence[Command], *, writes: bool) -> list[Any]:
        """Return one reply per command; an error reply is returned, not raised.

        Args:
            commands: Sent in order, in one go where the server allows.
            writes: Whether a lost answer leaves the outcome open.

        Raises:
            StoreUnavailable: No connection, or it was lost with answers outstanding.
            StoreMismatch: The server refuses this user.
        """

    def close(self) -> None:
        """Give up the connections."""


def connect(url: str, *, timeout_s: float) -> Link:
    """Return the link for *url*. Nothing is connected before the first call.

    Raises:
        ValueError: The URL's scheme is not one of redis, rediss, unix, redis+cluster and
            rediss+cluster.
    """
    scheme = urlsplit(url).scheme
    if scheme.endswith("+cluster"):
        return ClusterLink(url.replace("+cluster", "", 1), timeout_s=timeout_s)
    return NodeLink(url, timeout_s=timeout_s)


def _options(timeout_s: float) -> dict[str, Any]:
    return {
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "decode_responses": False,
        # No CLIENT SETINFO: one more command that a user would need the right to.
        "driver_info": None,
    }


class NodeLink:
    """One connection to one server, used without redis-py's client and its retries."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        pool: Any = ConnectionPool.from_url(url, **_options(timeout_s))
        self._connection: Any = pool.make_connection()
        self._ready = False

    def call(self, commands: Sequence[Command], *, writes: bool) -> list[Any]:
        """See `Link.call`."""
        self._prepare()
        replies = self._exchange(commands, writes=writes)
        unknown = [i for i, r in enumerate(replies) if isinstance(r, exceptions.NoScriptError)]
        if unknown:
            self._load_scripts(writes=writes)
            again = self._exchange([commands[i] for i in unknown], writes=writes)
            for i, reply in zip(unknown, again, strict=True):
                replies[i] = reply
        return replies

    def close(self) -> None:
        """See `Link.close`."""
        self._ready = False
        self._connection.disconnect()

    def _prepare(self) -> None:
        """Have a live connection on which all scripts are known; nothing of the call is sent."""
        if self._ready and self._is_alive():
            return
        self.close()
        try:
            self._connection.connect()
        except _FAILURES as exc:
            raise translate(exc) from exc
        self._load_scripts(writes=False)
        self._ready = True

    def _is_alive(self) -> bool:
        """Tell a connection the server has closed meanwhile from one that is merely idle."""
        try:
            return not self._connection.can_read(0)
        except _FAILURES:
            return False

    def _load_scripts(self, *, writes: bool) -> None:
        replies = self._exchange(
            [("SCRIPT", "LOAD", script.source) for script in scripts.ALL], writes=writes
        )
        for reply in replies:
            if isinstance(reply, Exception):
                raise translate(reply, outcome_unknown=writes) from reply

    def _exchange(self, commands: Iterable[Command], *, writes: bool) -> list[Any]:
        connection = self._connection
        packed = connection.pack_commands(commands)
        replies: list[Any] = []
        try:
            # One write to the socket: redis-py would make one for each large command.
            connection.send_packed_command([b"".join(packed)], check_health=False)
            for _ in commands:
                try:
                    replies.append(connection.read_response())
                except exceptions.ResponseError as exc:
                    replies.append(exc)
        except _FAILURES as exc:
            self.close()
            raise translate(exc, outcome_unknown=writes) from exc
        except BaseException:
            # Interrupted half-way: the next reply on this connection would be a stranger's.
            self.close()
            raise
        return replies


class ClusterLink:
    """A cluster client with its retries off; commands go one by one to the owner of their key."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._client: Any = None

    def call(self, commands: Sequence[Command], *, writes: bool) -> list[Any]:
        """See `Link.call`."""
        client = self._connected()
        replies: list[Any] = []
        for command in commands:
            try:
                replies.append(self._run(client, command))
            except exceptions.ResponseError as exc:
                replies.append(exc)
            except _FAILURES as exc:
                raise translate(exc, outcome_unknown=writes) from exc
        return replies

    def close(self) -> None:
        """See `Link.close`."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connected(self) -> Any:  # noqa: ANN401 - redis-py's cluster client is barely typed
        if self._client is None:
            try:
                self._client = RedisCluster.from_url(self._url, **_options(self._timeout_s))
            except _FAILURES as exc:
                raise translate(exc) from exc
        return self._client

    @staticmethod
    def _run(client: Any, command: Command) -> Any:  # noqa: ANN401 - as above
        try:
            return client.execute_command(*command)
        except exceptions.NoScriptError:
            for script in scripts.ALL:
                client.script_load(script.source)
            return client.execute_command(*command)
