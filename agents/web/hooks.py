"""Managing webhook endpoints for the API: one thread asks Redis, and replays wait in line."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

import structlog
from aiokafka.errors import KafkaError

from agents.replay.reading import MissingTopicError
from agents.store_thread import StoreThread
from agents.web.problems import ProblemError
from agents.webhooks.managing import UnknownEndpointError, find
from agents.webhooks.posting import UrlError
from agents.webhooks.replaying import replay
from stream.adapters.redis_endpoints import RedisEndpoints

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.settings import Settings

    T = TypeVar("T")

log = structlog.get_logger(__name__)

_TIMEOUT_S = 5.0


class Webhooks:
    """What the routes do with endpoints: the same as `tierstream webhooks`.

    Every method raises `ProblemError` where there is no such endpoint (404), its URL is not
    allowed (422) or Kafka does not answer (503), and `StoreError` where Redis does not.

    Args:
        settings: Where Kafka and Redis are; nothing is connected before the first call.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._thread = StoreThread(self._connected(), "endpoints")
        self._replaying = asyncio.Lock()

    @property
    def private(self) -> bool:
        """Whether plain http, and addresses that are not public, are allowed."""
        return self._settings.webhook_private

    def close(self) -> None:
        """End the thread."""
        self._thread.close()
        self._thread.store.close()

    async def run(self, work: Callable[[RedisEndpoints], T]) -> T:
        """Return what *work* makes of the store, in the one thread that may use it."""
        try:
            return await self._thread.run(lambda: work(self._thread.store))
        except UnknownEndpointError as exc:
            raise ProblemError(404, "there is no such endpoint") from exc
        except UrlError as exc:
            raise ProblemError(422, f"body.url: not allowed; allowed: {exc}") from exc

    async def replay(
        self, endpoint_id: str, since_ms: int, customer_id: str | None, from_sequence: int
    ) -> int:
        """Send again what was published; return how many messages. One replay after the other."""
        endpoint = await self.run(lambda store: find(store, endpoint_id))
        async with self._replaying:
            with closing(self._connected()) as store:
                try:
                    return await replay(
                        self._settings,
                        store,
                        endpoint,
                        since_ms,
                        customer_id=customer_id,
                        from_sequence=from_sequence,
                    )
                except (KafkaError, MissingTopicError) as exc:
                    log.warning("replay_failed", endpoint=endpoint_id, error=repr(exc))
                    raise ProblemError(503, "Kafka does not answer; try again") from exc

    def _connected(self) -> RedisEndpoints:
        settings = self._settings
        return RedisEndpoints(
            settings.redis, prefix=settings.key_prefix, area="webhooks", timeout_s=_TIMEOUT_S
        )
