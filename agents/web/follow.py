"""Reading the output topics from their beginning, for as long as the server runs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from aiokafka.errors import KafkaError

from agents.replay.reading import partitions_of, reader, spans
from stream.outbox import CUSTOMER_TIERS, ERASURE_RECEIPTS, TIER_CHANGES, TIER_FORECASTS

if TYPE_CHECKING:
    from aiokafka.structs import TopicPartition

    from agents.replay.reading import Span
    from agents.settings import Settings
    from agents.web.board import Board

log = structlog.get_logger(__name__)

CONTROLS = "controls"
FOLLOWED = (CUSTOMER_TIERS, TIER_CHANGES, TIER_FORECASTS, ERASURE_RECEIPTS, CONTROLS)
_FETCH_MS = 20
_PAUSE_S = 0.05
_RETRY_S = 2.0
_AT_ONCE = 2_000


@dataclass(slots=True)
class Progress:
    """How far each partition has been read, and where it ends: for the health page."""

    read: dict[TopicPartition, int] = field(default_factory=dict)
    ends: dict[TopicPartition, int] = field(default_factory=dict)

    def behind(self, topic: str) -> tuple[int, int]:
        """Return the number of partitions of a topic, and how many offsets it is behind."""
        here = [tp for tp in self.read if tp.topic == topic]
        return len(here), sum(max(0, self.ends.get(tp, 0) - self.read[tp]) for tp in here)


async def held_now(settings: Settings) -> dict[TopicPartition, Span]:
    """Return what the followed topics hold now; of `controls` only one partition, they are alike.

    Raises:
        MissingTopicError: A topic is missing.
        aiokafka.errors.KafkaError: The broker cannot be reached, or refuses.
    """
    counts = await partitions_of(settings, [settings.topic(base) for base in FOLLOWED])
    counts[settings.topic(CONTROLS)] = 1
    async with reader(settings) as client:
        return await spans(client, counts)


async def follow(
    settings: Settings, board: Board, held: dict[TopicPartition, Span], progress: Progress
) -> None:
    """Feed *board* from what is *held*, and then from what comes. Runs until it is cancelled."""
    follower = _Follower(settings, board, held, progress)
    while True:
        try:
            async with reader(settings) as client:
                await follower.run(client)
        except KafkaError as exc:
            log.warning("kafka_unavailable", kafka=settings.kafka, error=str(exc) or repr(exc))
        await asyncio.sleep(_RETRY_S)


class _Follower:
    def __init__(
        self,
        settings: Settings,
        board: Board,
        held: dict[TopicPartition, Span],
        progress: Progress,
    ) -> None:
        self._board = board
        self._wanted = {tp: end for tp, (first, end) in held.items() if first < end}
        self._progress = progress
        progress.read = {tp: first for tp, (first, _) in held.items()}
        progress.ends = {tp: end for tp, (_, end) in held.items()}
        self._bases = {settings.topic(base): base for base in FOLLOWED}

    async def run(self, client: Any) -> None:  # noqa: ANN401 - aiokafka is typed in part
        read = self._progress.read
        client.assign(list(read))
        for tp, offset in read.items():
            client.seek(tp, offset)
        while True:
            # The embedded broker answers an empty fetch at once, however long it was asked to
            # wait: left alone, the client would ask thousands of times a second.
            client.resume(*read)
            fetched = await client.getmany(timeout_ms=_FETCH_MS, max_records=_AT_ONCE)
            client.pause(*read)
            for tp, records in fetched.items():
                for record in records:
                    self._take(self._bases[tp.topic], record)
            await self._note(client)
            if fetched:
                self._board.wake()
            await asyncio.sleep(0 if fetched else _PAUSE_S)

    def _take(self, base: str, record: Any) -> None:  # noqa: ANN401 - aiokafka is typed in part
        board = self._board
        try:
            if base == CUSTOMER_TIERS:
                board.take_tiers(record.key, record.value)
            elif base == TIER_CHANGES:
                board.take_change(record.partition, record.offset, record.value)
            elif base == TIER_FORECASTS:
                board.take_forecast(record.value)
            elif base == ERASURE_RECEIPTS:
                board.take_receipt(record.key, record.value)
            else:
                board.take_control(record.timestamp, record.value)
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as exc:
            # Anybody who may write there can: what is not ours is passed over.
            log.warning(
                "record_unreadable",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                error=type(exc).__name__,
            )

    async def _note(self, client: Any) -> None:  # noqa: ANN401 - aiokafka is typed in part
        """Note where we are: past the marks of transactions, which are offsets without a record."""
        progress, board = self._progress, self._board
        for tp in progress.read:
            position = await client.position(tp)
            progress.read[tp] = position
            progress.ends[tp] = max(progress.ends[tp], client.highwater(tp) or 0)
            if self._bases[tp.topic] == TIER_CHANGES:
                board.recent.passed(tp.partition, position)
            if position >= self._wanted.get(tp, position + 1):
                del self._wanted[tp]
        if not self._wanted and not board.caught_up:
            board.catch_up()
            log.info("caught_up", customers=len(board.population))
