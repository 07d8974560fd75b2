"""Webhook endpoints and the queue of what they are sent, on Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stream.adapters.redis_queue import RedisQueue, Rest
from stream.erasure import has_ended
from stream.webhooks import Endpoint, read_body

if TYPE_CHECKING:
    from collections.abc import Mapping

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Endpoint).decode


class RedisEndpoints(RedisQueue):
    """Every endpoint by its id, since when each has been failing, and the messages."""

    def endpoints(self) -> list[Endpoint]:
        """Return every endpoint, the oldest first."""
        (flat,) = self._call([("HGETALL", self.key("endpoints"))])
        found = [_decode(stored) for stored in flat[1::2]]
        return sorted(found, key=lambda one: (one.created_ms, one.id))

    def put(self, endpoint: Endpoint) -> None:
        """Keep an endpoint, in place of what was kept under its id; it counts as not failing."""
        self._call(
            [
                ("HSET", self.key("endpoints"), endpoint.id, _encode(endpoint)),
                ("HDEL", self.key("failing"), endpoint.id),
            ],
            writes=True,
        )

    def remove(self, endpoint_id: str) -> bool:
        """Forget an endpoint and everything that waits for it; return whether there was one."""
        gone, _ = self._call(
            [
                ("HDEL", self.key("endpoints"), endpoint_id),
                ("HDEL", self.key("failing"), endpoint_id),
            ],
            writes=True,
        )
        (ids,) = self._call([("ZRANGE", self.key(f"queue:{endpoint_id}"), 0, -1)])
        parked = [one.id for one in self.parked() if one.id.startswith(f"{endpoint_id}/")]
        for name in [*(one.decode() for one in ids), *parked]:
            self.settle(endpoint_id, name, "drop")
        return bool(gone)

    def failing_since(self, endpoint_id: str, now_ms: int) -> int:
        """Take note of a failure at *now_ms*; return since when there was no success."""
        key = self.key("failing")
        ((since,),) = self._call([("HMGET", key, endpoint_id)])
        if since is not None:
            return int(since)
        self._call([("HSET", key, endpoint_id, now_ms)], writes=True)
        return now_ms

    def succeeded(self, endpoint_id: str) -> None:
        """Take note of a success."""
        self._call([("HDEL", self.key("failing"), endpoint_id)], writes=True)

    def _rest(self, message_id: str, message: bytes, ended: Mapping[str, int]) -> Rest:
        target = message_id.partition("/")[0]
        try:
            about = read_body(message)
        except msgspec.MsgspecError:
            return Rest(target, message)
        gone = has_ended(ended, about.customer_id, about.instant_ms)
        return Rest(target, None if gone else message)
