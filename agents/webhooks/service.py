"""The webhook service: puts what is published into a durable queue for each endpoint, and sends it.

It reads with a consumer of its own, not a Faust agent: offsets are committed once everything is in
the queue, and only what was committed by the relay is seen.
"""

from __future__ import annotations

import asyncio
import http.client
import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from aiokafka.errors import KafkaError
from mode import Service

from agents.attempts import Attempts
from agents.dispatch import Dispatcher, UndeliveredError, now_ms
from agents.kafka import consumer, stop_quietly
from agents.store_thread import StoreThread
from agents.webhooks.managing import UnknownEndpointError, disable
from agents.webhooks.posting import GONE, UrlError, is_taken, post, signed
from schemas.base import instant_ms, parse_instant
from stream.adapters.redis_queue import Entry
from stream.erasure import ended_by, pseudonym
from stream.outbox import ERASURE_RECEIPTS
from stream.store import StoreUnavailable
from stream.webhooks import DISABLED_AFTER_MS, SCHEDULE_MS, TOPICS, body, retry_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aiokafka.structs import ConsumerRecord

    from agents.metrics import Metrics
    from agents.settings import Settings
    from stream.adapters.redis_endpoints import RedisEndpoints
    from stream.adapters.redis_queue import Claimed
    from stream.webhooks import Endpoint

    Record = ConsumerRecord[bytes, bytes]

log = structlog.get_logger(__name__)
T = TypeVar("T")

_TIMEOUT_S = 15.0
_LEASE_MS = 30_000
_WAIT_MS = 200
_MOST_RECORDS = 500
_RETRY_S = 0.5
_REFRESH_EVERY_S = 1.0


def entry_for(endpoint: Endpoint, topic: str, record: Record) -> Entry | None:
    """Return what *endpoint* is sent of a *record* of *topic*; None where it is nothing.

    The id is that of the event: sent again, by mistake or by a replay, it is the same.
    """
    headers = dict(record.headers)
    if record.value is None or "ce_id" not in headers or topic not in endpoint.topics:
        return None
    instant = headers["ce_time"].decode()
    return Entry(
        endpoint.id,
        f"{endpoint.id}/{headers['ce_id'].decode()}",
        body(topic, instant, record.value),
        now_ms(),
        pseudonym((record.key or b"").decode()),
        instant_ms(parse_instant(instant)),
    )


class WebhookService(Service):
    """Sends published events to every endpoint that asks for them.

    Guarantees: each committed event that is younger than the endpoint reaches it at least once,
    whatever is killed, unless the endpoint refuses it for as long as the schedule lasts. One
    endpoint at a time, the oldest first; a failed one is overtaken. What was published of a
    customer who was erased since is taken out of the queue, and not put into it again.

    Attributes:
        ready: Whether the group was joined and the store reached.
        progressed_s: When it last finished a turn, monotonic.
    """

    part = "webhooks"

    def __init__(
        self,
        settings: Settings,
        store: RedisEndpoints,
        metrics: Metrics,
        **more: Any,  # noqa: ANN401
    ) -> None:
        """Keep everything in *store*, which no other thread may use."""
        super().__init__(**more)
        self._settings = settings
        self._store = store
        self._metrics = metrics
        self._thread = StoreThread(store, "webhooks")
        self._attempts = Attempts(_TIMEOUT_S + 1)
        self._dispatcher = Dispatcher(self._thread, self, _LEASE_MS)
        self._endpoints: dict[str, Endpoint] = {}
        self._names = {settings.topic(base): base for base in (*TOPICS, ERASURE_RECEIPTS)}
        self.progressed_s = time.monotonic()
        self.ready = False

    # -- life -----------------------------------------------------------------

    async def on_start(self) -> None:
        """Join the group that spreads the partitions."""
        self._consumer = consumer(self._settings, self._settings.group("webhooks"))
        await self._consumer.start()
        self._consumer.subscribe(list(self._names))

    async def on_stop(self) -> None:
        """Stop sending; what is under way is sent again by whoever comes next."""
        self.ready = False
        await self._dispatcher.stop()
        await stop_quietly(self._consumer)
        self._thread.close()

    @Service.task
    async def _work(self) -> None:
        refreshed_s = 0.0
        while not self.should_stop:
            try:
                if time.monotonic() - refreshed_s >= _REFRESH_EVERY_S:
                    await self._refresh()
                    refreshed_s = time.monotonic()
                await self._turn()
                self.ready = bool(self._consumer.assignment()) or self.ready
            except StoreUnavailable:
                await self.sleep(_RETRY_S)
            except KafkaError as exc:
                log.warning("webhooks_not_committed", error=repr(exc))
                await self.sleep(_RETRY_S)
            self.progressed_s = time.monotonic()

    async def _refresh(self) -> None:
        """Look who there is to send to, and how much waits."""
        found = await self._thread.run(self._store.endpoints)
        self._endpoints = {one.id: one for one in found if one.status == "enabled"}
        self._dispatcher.serve_only(self._endpoints)
        backlog = await self._thread.run(
            partial(self._store.backlog, [endpoint.id for endpoint in found])
        )
        self._metrics.webhook_queue.set(sum(one.waiting for one in backlog.values()))
        for status in ("enabled", "disabled"):
            count = sum(one.status == status for one in found)
            self._metrics.webhook_endpoints.labels(status).set(count)

    # -- from the log into the queue ------------------------------------------

    async def _turn(self) -> None:
        """Put a batch of records into the queue, then count it as read."""
        fetched = await self._consumer.getmany(timeout_ms=_WAIT_MS, max_records=_MOST_RECORDS)
        if not fetched:
            return
        ended = ended_by(
            record.value
            for tp, records in fetched.items()
            for record in records
            if self._names[tp.topic] == ERASURE_RECEIPTS and record.value is not None
        )
        if ended:
            gone = await self._hold(partial(self._store.erase, ended))
            log.info("webhooks_erased", customers=len(ended), messages=gone)
        entries = [
            entry
            for records in fetched.values()
            for record in records
            for entry in self._entries(record)
        ]
        if entries:
            await self._hold(partial(self._store.post, entries))
            for target in {entry.target for entry in entries}:
                self._dispatcher.nudge(target)
        await self._consumer.commit()

    def _entries(self, record: Record) -> Iterable[Entry]:
        topic = self._names[record.topic]
        for endpoint in self._endpoints.values():
            if record.timestamp >= endpoint.created_ms:
                entry = entry_for(endpoint, topic, record)
                if entry is not None:
                    yield entry

    async def _hold(self, call: Callable[[], T]) -> T:
        """Do *call* until the store has done it: what was fetched is fetched only once."""
        while True:
            try:
                return await self._thread.run(call)
            except StoreUnavailable:
                await asyncio.sleep(_RETRY_S)

    # -- sending (see `agents.dispatch.Outgoing`) -----------------------------

    async def deliver(self, target: str, claimed: Claimed) -> None:
        """Send one message. Raises `UndeliveredError` where it was not taken."""
        endpoint = self._endpoints.get(target)
        if endpoint is None:
            raise UndeliveredError("the endpoint is gone or disabled")
        work = partial(
            send, endpoint, claimed.id, claimed.message, private=self._settings.webhook_private
        )
        try:
            await self._attempts.run(target, work)
        except UndeliveredError as exc:
            await self._failed(endpoint, str(exc))
            raise
        await self._thread.run(partial(self._store.succeeded, target))

    async def _failed(self, endpoint: Endpoint, why: str) -> None:
        """Disable an endpoint that is gone, or that has failed for too long."""
        at_ms = now_ms()
        since_ms = await self._thread.run(partial(self._store.failing_since, endpoint.id, at_ms))
        gone = why == _answered(GONE)
        if not gone and at_ms - since_ms < DISABLED_AFTER_MS:
            return
        try:
            await self._thread.run(partial(disable, self._store, endpoint.id, why))
        except UnknownEndpointError:
            return
        self._endpoints.pop(endpoint.id, None)
        self._metrics.webhooks_disabled.inc()
        log.error("webhook_disabled", endpoint=endpoint.id, failing_since_ms=since_ms, why=why)

    def again_ms(self, target: str, claimed: Claimed, now_ms: int) -> int | None:
        """Return when to try next, by the schedule of Standard Webhooks."""
        if target not in self._endpoints:
            return now_ms + SCHEDULE_MS[0]  # it waits until the endpoint is enabled again
        after_ms = retry_ms(claimed.tries)
        return None if after_ms is None else now_ms + after_ms

    def settled(self, target: str, claimed: Claimed, why: str | None, *, parked: bool) -> None:
        """Count what became of a message."""
        del target, claimed
        outcome = "delivered" if why is None else "parked" if parked else "failed"
        self._metrics.webhook_deliveries.labels(outcome).inc()


def send(endpoint: Endpoint, message_id: str, value: bytes, *, private: bool) -> str:
    """Send one message, signed as of now; return why it was not taken, or "". Blocks."""
    at_ms = now_ms()
    event_id = message_id.partition("/")[2]
    headers = signed(event_id, value, endpoint.signing(at_ms), at_ms)
    try:
        status = post(endpoint.url, value, headers, _TIMEOUT_S, private=private)
    except UrlError as exc:
        return f"the address is not allowed; allowed: {exc}"
    except (OSError, http.client.HTTPException) as exc:
        return f"not reached: {type(exc).__name__}"
    return "" if is_taken(status) else _answered(status)


def _answered(status: int) -> str:
    return f"answered {status}"
