"""Alerts: hears of changes, decides who is told what and when, and gets it across.

Faust agents bring the records (see `agents.app`). Everything that must not be lost is in Redis
before a record counts as done: threads, paces, and the queue of messages to be delivered.
"""

from __future__ import annotations

import asyncio
import os
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from mode import Service
from msgspec import MsgspecError
from msgspec.structs import replace

from agents.alerts.words import AlertWords
from agents.dispatch import Dispatcher, UndeliveredError, now_ms
from agents.store_thread import StoreThread
from stream.adapters.redis_queue import Entry
from stream.alerting.message import decode, encode
from stream.alerting.notices import READERS
from stream.alerting.threads import Pace, Step, Thread, hear, thread_key, wake
from stream.erasure import read_receipt
from stream.outbox import ERASURE_RECEIPTS
from stream.store import StoreUnavailable
from stream.tracing import traceparent_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from faust.types import StreamT

    from agents.alerts.courier import Courier
    from agents.alerts.directory import Directory
    from agents.metrics import Metrics
    from agents.tracing import Tracer
    from stream.adapters.redis_desk import RedisDesk
    from stream.adapters.redis_queue import Claimed
    from stream.alerting.notices import Notice
    from stream.alerting.routing import Channel, Routes, Rule
    from stream.alerting.threads import Send
    from stream.erasure import Receipt

log = structlog.get_logger(__name__)

EXIT_HELD = 71
_HOUR_MS = 3_600_000
_GIVE_UP_MS = 24 * _HOUR_MS
_FIRST_RETRY_MS, _LONGEST_RETRY_MS = 1_000, 300_000
_RETRY_S = 0.5
_WAKE_EVERY_S = 0.25
_REFRESH_EVERY_S = 2.0
_DUE_AT_ONCE = 200
_FINISH_WITHIN_S = 5.0
_LEASE_MARGIN_MS = 10_000


class AlertService(Service):
    """Tells people what the policy's routes say.

    Guarantees: what has come in is told at least once per channel that it concerns, whatever is
    killed. Texts carry the id of what they tell, by which a repeat is known. What waits to be
    told of a customer who was erased is forgotten, and not taken in again.

    Attributes:
        ready: Whether the store was reached.
        progressed_s: When it last looked for what is due, monotonic.
    """

    part = "alerts"

    def __init__(
        self,
        desk: RedisDesk,
        directory: Directory,
        courier: Courier,
        metrics: Metrics,
        *,
        timeout_ms: int,
        card_url: str = "",
        tracer: Tracer | None = None,
        **more: Any,  # noqa: ANN401
    ) -> None:
        """Keep what is remembered at *desk*, which no other thread may use."""
        super().__init__(**more)
        self._desk = desk
        self._directory = directory
        self._courier = courier
        self._metrics = metrics
        self._card_url = card_url
        self._tracer = tracer
        self._thread = StoreThread(desk, "alerts")
        self._dispatcher = Dispatcher(self._thread, self, timeout_ms + _LEASE_MARGIN_MS)
        self._words: dict[tuple[int, str], AlertWords] = {}
        self._began_ms = 0
        self.progressed_s = time.monotonic()
        self.ready = False

    # -- life -----------------------------------------------------------------

    async def on_start(self) -> None:
        """Get ready to deliver."""
        await self._courier.prepare()

    async def on_stop(self) -> None:
        """Stop delivering; what is under way is delivered again by whoever comes next."""
        self.ready = False
        await self._dispatcher.stop()
        self._thread.close()

    @Service.task
    async def _work(self) -> None:
        refreshed_s = 0.0
        while not self.should_stop:
            try:
                if time.monotonic() - refreshed_s >= _REFRESH_EVERY_S:
                    await self._refresh()
                    refreshed_s = time.monotonic()
                self._nudge(await self._thread.run(self._wake))
                self.ready = True
            except StoreUnavailable:
                pass  # see `StoreThread`, which says so
            self.progressed_s = time.monotonic()
            await self.sleep(_WAKE_EVERY_S)

    async def _refresh(self) -> None:
        """Look what is in force, and how much waits."""
        await self._thread.run(self._begin)
        await self._thread.run(self._directory.refresh)
        routes = self._directory.routes
        names = [] if routes is None else list(routes.channels)
        for name in names:
            self._dispatcher.serve(name)
        backlog = await self._thread.run(partial(self._desk.backlog, names))
        for name, waiting in backlog.items():
            self._metrics.alert_queue.labels(name).set(waiting.waiting)
        self._metrics.alerts_parked.set(await self._thread.run(self._desk.parked_count))

    def _begin(self) -> None:
        self._began_ms = self._desk.began_ms(now_ms())

    # -- hearing --------------------------------------------------------------

    def follower(self, topic: str) -> Callable[[StreamT[bytes | None]], Awaitable[None]]:
        """Return the agent for the records of *topic*."""

        async def follow(stream: StreamT[bytes | None]) -> None:
            async for event in stream.events():
                if event.value is not None:
                    await self.hear(topic, event.value, traceparent_of(event.headers.items()))

        return follow

    async def hear(self, topic: str, value: bytes, trace: bytes | None = None) -> None:
        """Take one record of what alerts are about, or a receipt, in; return when that is stored.

        Never raises: Faust would count the record as done. It also does so when it is stopped
        with a record in hand; if that cannot be stored then either, the process ends on the
        spot, with nothing committed, and the record comes again.
        """
        try:
            if topic == ERASURE_RECEIPTS:
                work = partial(self._erase, read_receipt(value))
            elif (notice := READERS[topic](value)) is not None:
                notice = replace(notice, trace=(trace or b"").decode())
                work = partial(self._tell, notice)
            else:
                return
        except MsgspecError:
            self._metrics.alerts_heard.labels(topic, "unreadable").inc()
            return
        holding = asyncio.create_task(self._hold(topic, work))
        try:
            await asyncio.shield(holding)
        except asyncio.CancelledError:
            await asyncio.wait({holding}, timeout=_FINISH_WITHIN_S)
            if not holding.done():
                log.critical("ended_with_a_record_in_hand", topic=topic)
                os._exit(EXIT_HELD)
            raise

    async def _hold(self, topic: str, work: Callable[[], Awaitable[str]]) -> None:
        while True:
            try:
                verdict = await work()
            except StoreUnavailable:
                await asyncio.sleep(_RETRY_S)
                continue
            self._metrics.alerts_heard.labels(topic, verdict).inc()
            return

    async def _tell(self, notice: Notice) -> str:
        if not self._began_ms:
            await self._thread.run(self._begin)
        began_ns = time.time_ns()
        verdict = self._verdict(notice)
        if verdict == "told":
            self._nudge(await self._thread.run(partial(self._take, notice)))
        if self._tracer is not None:
            self._tracer.note_one("hear", began_ns, notice.trace, verdict=verdict)
        return verdict

    async def _erase(self, receipt: Receipt) -> str:
        ended = {receipt.subject: receipt.until_ms}
        gone = await self._thread.run(partial(self._desk.erase, ended))
        log.info("alerts_erased", subject=receipt.subject, removed=gone)
        return "erased"

    def _verdict(self, notice: Notice) -> str:
        """Say what to do with a notice: what is older than the first alerts is history."""
        if notice.instant_ms < self._began_ms:
            return "history"
        routes = self._directory.routes
        return "told" if routes is not None and routes.concerns(notice) else "unrouted"

    # -- deciding (in the desk's thread) --------------------------------------

    def _take(self, notice: Notice) -> list[str]:
        """Fold a notice into every channel that it concerns; return who has something to get."""
        routes = self._directory.routes
        if routes is None:
            return []
        at_ms = now_ms()
        facts = self._directory.look_up(notice.customer_id, at_ms)
        notice = replace(notice, facts=facts)
        sends: list[Send] = []
        for channel, rule in routes.to(notice):
            key = thread_key(channel.name, notice)
            fold = partial(self._heard, routes, channel, rule, notice, at_ms)
            sends += self._desk.step(channel.name, [key], fold, notice).sends
        return self._counted(sends)

    def _heard(
        self,
        routes: Routes,
        channel: Channel,
        rule: Rule,
        notice: Notice,
        at_ms: int,
        threads: dict[str, Thread],
        pace: Pace,
    ) -> tuple[Step, list[Entry]]:
        thread = threads.get(thread_key(channel.name, notice))
        step = hear(channel, rule, routes.merge_ms, thread, pace, notice, at_ms)
        return step, self._entries(routes, step.sends, at_ms)

    def _wake(self) -> list[str]:
        """Do what is due; return who has something to get."""
        routes = self._directory.routes
        at_ms = now_ms()
        by_channel: dict[str, list[str]] = {}
        for key in self._desk.due(at_ms, _DUE_AT_ONCE):
            by_channel.setdefault(key.partition("\x1f")[0], []).append(key)
        sends: list[Send] = []
        for name, keys in by_channel.items():
            channel = None if routes is None else routes.channels.get(name)
            if channel is None or routes is None:
                log.warning("channel_gone", channel=name, threads=len(keys))
                for key in keys:
                    self._desk.drop_thread(key)
                continue
            fold = partial(self._woken, routes, channel, at_ms)
            sends += self._desk.step(name, keys, fold).sends
        return self._counted(sends)

    def _woken(
        self, routes: Routes, channel: Channel, at_ms: int, threads: dict[str, Thread], pace: Pace
    ) -> tuple[Step, list[Entry]]:
        step = wake(channel, threads, pace, at_ms)
        return step, self._entries(routes, step.sends, at_ms)

    def _entries(self, routes: Routes, sends: Iterable[Send], at_ms: int) -> list[Entry]:
        return [
            Entry(
                send.channel,
                send.key,
                encode(self._say(routes.channels[send.channel]).message(send, at_ms)),
                at_ms,
            )
            for send in sends
        ]

    def _say(self, channel: Channel) -> AlertWords:
        place = self._directory.version, channel.name
        if place not in self._words:
            self._words = {key: words for key, words in self._words.items() if key[0] == place[0]}
            self._words[place] = AlertWords(self._directory.document, channel, self._card_url)
        return self._words[place]

    def _counted(self, sends: Iterable[Send]) -> list[str]:
        targets = []
        for send in sends:
            self._metrics.alerts_made.labels(send.channel, send.kind).inc()
            targets.append(send.channel)
        return targets

    # -- delivering (see `agents.dispatch.Outgoing`) --------------------------

    async def deliver(self, target: str, claimed: Claimed) -> None:
        """Deliver one message. Raises `UndeliveredError` where it was not taken."""
        del target
        try:
            message = decode(claimed.message)
        except MsgspecError as exc:
            raise UndeliveredError("it cannot be read", hopeless=True) from exc
        began_ns = time.time_ns()
        await self._courier.deliver(message)
        if self._tracer is not None:
            self._tracer.note_one("deliver", began_ns, message.trace, attempts=claimed.tries)
        if message.kind == "alert":
            self._metrics.alert_latency.observe(max(0, now_ms() - message.instant_ms) / 1000)

    def again_ms(self, target: str, claimed: Claimed, now_ms: int) -> int | None:
        """Return when to try next: 1, 2, 4 ... 300 s later; None a day after it was written."""
        del target
        if now_ms - decode(claimed.message).written_ms >= _GIVE_UP_MS:
            return None
        return now_ms + min(_LONGEST_RETRY_MS, _FIRST_RETRY_MS << min(claimed.tries - 1, 20))

    def settled(self, target: str, claimed: Claimed, why: str | None, *, parked: bool) -> None:
        """Count what became of a message."""
        del claimed
        outcome = "delivered" if why is None else "parked" if parked else "failed"
        self._metrics.alert_deliveries.labels(target, outcome).inc()

    def _nudge(self, targets: Iterable[str]) -> None:
        for target in targets:
            self._dispatcher.serve(target)
            self._dispatcher.nudge(target)
