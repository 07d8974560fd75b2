"""The two ends of the demo: the replay that is fed in, and the tier changes that come out."""

from __future__ import annotations

import asyncio
import contextlib
import time
from bisect import bisect_left
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec
from aiokafka.structs import TopicPartition

from agents.cli.summary import ChangeNote, read_note
from agents.replay.producer import Watcher
from agents.replay.reading import reader
from schemas.base import instant_ms, parse_instant
from stream.outbox import TIER_CHANGES

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.settings import Settings

_STEPS_AHEAD = 3
_LONGEST_WAIT_S = 5.0
_POLL_MS = 20
_PAUSE_S = 0.05
_MOST_AT_ONCE = 5_000
_SHOWN_PER_S = 8


class _When(msgspec.Struct):
    instant: str


_when = msgspec.json.Decoder(_When)


class Feeder(Watcher):
    """Holds the replay a few steps ahead of what came out, and remembers when it was sent.

    So the latency that is shown is that of the system, not of a queue that we filled.

    Attributes:
        sent: Records sent.
        clock_ms: How far time has come.
    """

    def __init__(self, seen: Changes, progress: Callable[[int, int], None]) -> None:
        self.sent = 0
        self.clock_ms = 0
        self._seen = seen
        self._progress = progress
        self._ahead: deque[int] = deque(maxlen=_STEPS_AHEAD)

    async def before(self, clock_ms: int) -> None:
        """Wait until the changes of some steps ago are out, but not forever: there may be none."""
        del clock_ms
        if len(self._ahead) < _STEPS_AHEAD:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_WAIT_S):
                await self._seen.reach(self._ahead[0])

    def after(self, records: int, clock_ms: int) -> None:
        """See `Watcher.after`."""
        self._ahead.append(self.clock_ms)
        self.sent += records
        self.clock_ms = clock_ms
        self._seen.promised(clock_ms)
        self._progress(self.sent, clock_ms)


class Changes:
    """Every tier change that comes out of Kafka, counted; some of them shown.

    Attributes:
        notes: What summaries count, one for each change.
        latencies_s: Per change, the time from the broker's receipt of the promise that time
            has come past its instant, to its arrival here.
        newest_ms: Newest instant that changes of every partition have come to.
        first_s: When the first one came, as `time.monotonic` says.
        last_s: When the last one came.
    """

    def __init__(self, settings: Settings, partitions: int, show: Callable[[bytes], None]) -> None:
        self.notes: list[ChangeNote] = []
        self.latencies_s: list[float] = []
        self.newest_ms = 0
        self.first_s = self.last_s = 0.0
        self._topic = settings.topic(TIER_CHANGES)
        self._settings = settings
        self._partitions = partitions
        self._show = show
        self._newest = dict.fromkeys(range(partitions), 0)
        self._promises: tuple[list[int], list[float]] = ([], [])
        self._moved = asyncio.Event()
        self._allowance = 1.0
        self._allowed_s = time.monotonic()

    def promised(self, clock_ms: int) -> None:
        """Note that the log now says that time has come to *clock_ms*."""
        self._promises[0].append(clock_ms)
        self._promises[1].append(time.monotonic())

    async def reach(self, target_ms: int) -> None:
        """Return once changes of every partition have come to *target_ms*."""
        while self.newest_ms < target_ms:
            self._moved.clear()
            await self._moved.wait()

    async def follow(self, finish: asyncio.Event) -> None:
        """Read changes until *finish* is set and all that were there then have been read."""
        partitions = [TopicPartition(self._topic, n) for n in range(self._partitions)]
        async with reader(self._settings) as client:
            client.assign(partitions)
            await client.seek_to_beginning(*partitions)
            while not finish.is_set():
                await self._poll(client)
            ends = await client.end_offsets(partitions)
            while any([await client.position(tp) < ends[tp] for tp in partitions]):
                await self._poll(client)

    async def _poll(self, client: Any) -> None:  # noqa: ANN401 - aiokafka is untyped
        # The embedded broker answers an empty fetch at once, however long it was asked to wait:
        # left alone, the client would ask thousands of times a second.
        client.resume(*client.assignment())
        fetched = await client.getmany(timeout_ms=_POLL_MS, max_records=_MOST_AT_ONCE)
        client.pause(*client.assignment())
        now_s = time.monotonic()
        for tp, records in fetched.items():
            for record in records:
                self._take(record.value, tp.partition, now_s)
        if fetched:
            self.first_s = self.first_s or now_s
            self.last_s = now_s
            self.newest_ms = min(self._newest.values())
            self._moved.set()
        await asyncio.sleep(_PAUSE_S)

    def _take(self, value: bytes, partition: int, now_s: float) -> None:
        note = read_note(value)
        self.notes.append(note)
        at_ms = instant_ms(parse_instant(_when.decode(value).instant))
        self._newest[partition] = max(self._newest[partition], at_ms)
        clocks, sent = self._promises
        step = bisect_left(clocks, at_ms)
        if step < len(sent):
            self.latencies_s.append(max(now_s - sent[step], 0.0))
        if self._may_show(note, now_s):
            self._show(value)

    def _may_show(self, note: ChangeNote, now_s: float) -> bool:
        """Let a few pass a second: tiers first, and what is not just a first grade."""
        self._allowance = min(
            self._allowance + (now_s - self._allowed_s) * _SHOWN_PER_S, float(_SHOWN_PER_S)
        )
        self._allowed_s = now_s
        dull = note.direction in {"first", "lateral"}
        if self._allowance < (_SHOWN_PER_S / 2 if dull and len(self.notes) > _SHOWN_PER_S else 1.0):
            return False
        self._allowance -= 1.0
        return True
