"""A server with something to show, without Kafka and Redis: buckets folded into memory.

What a worker would commit goes into a `MemoryStore`, what the relay would publish into a
`Board`. So a test can let more happen while the server runs.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

import uvicorn

from agents.replay.events_jsonl import DECODERS
from agents.settings import Settings
from agents.web.app import create_api
from agents.web.board import new_board
from agents.web.customers import Customers
from agents.web.desk import Desk
from agents.web.follow import Progress
from agents.web.guard import LOOPBACK
from agents.web.hooks import Webhooks
from agents.web.survey import SurveyService
from agents.web.tokens import Tokens
from stream.adapters.memory_store import MemoryStore
from stream.admission import admit
from stream.bucket import Bucket
from stream.editions import first_edition
from stream.fold import Scorer
from stream.outbox import CUSTOMER_TIERS, TIER_CHANGES, TIER_FORECASTS, decode_row
from stream.partition import bucket_of
from stream.projection.survey import amount_measure
from stream.seen import DedupWindow
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from agents.replay.log import LogRecord
    from schemas.api.simulation import Simulation
    from stream.arrivals import Arrival
    from stream.outbox import Row
    from stream.plan import Plan

BUCKETS = 4
PARTITIONS = 2
NOWHERE = "redis://127.0.0.1:1/0"
_EVERYTHING = DedupWindow(age_ms=1 << 62, events=1 << 62)


class Town:
    """An installation in memory.

    Attributes:
        board: What the server shows.
        desk: What its routes work with.
        store: Where its customers are.
    """

    def __init__(
        self,
        plan: Plan,
        tokens: Tokens | None = None,
        simulation: Simulation | None = None,
        redis: str = NOWHERE,
    ) -> None:
        self.plan = plan
        self.store = MemoryStore()
        self.board = new_board(
            plan, [0] * PARTITIONS, plan.shape.days, amount_measure(plan.document)
        )
        settings = Settings(kafka="127.0.0.1:1", redis=redis, clock="stream", buckets=BUCKETS)
        self.desk = Desk(
            settings,
            self.board,
            Customers(self.store, BUCKETS, plan),
            Progress(),
            tokens or Tokens(),
            Webhooks(settings),
            simulation,
        )
        self._scorer = Scorer(plan)
        self._first = first_edition(plan.document)
        self._offsets = [0] * PARTITIONS

    def play(self, log: Iterable[LogRecord], as_of_ms: int) -> None:
        """Let *log* happen, and then time pass for everyone up to *as_of_ms*."""
        shares: dict[int, dict[str, list[Arrival]]] = defaultdict(lambda: defaultdict(list))
        for record in log:
            event = DECODERS[record.topic](record.value)
            arrival = admit(event, record.record_ms, record.value, self.plan, record)
            number = bucket_of(event.customer_id, BUCKETS)
            shares[number][event.customer_id].append(arrival)
        for number in range(BUCKETS):
            (head,) = self.store.heads([number])
            bucket = Bucket(head, self._scorer, _EVERYTHING, self._first)
            everyone = dict(self.store.scan_states(number))
            for customer_id in {**everyone, **shares[number]}:
                bucket.adopt(customer_id, everyone.get(customer_id))
                if arrivals := shares[number].get(customer_id):
                    bucket.apply_to(customer_id, arrivals)
                bucket.visit(customer_id, as_of_ms)
            bucket.finish()
            commit = bucket.commit({}, as_of_ms)
            self.store.commit([commit])
            for row in map(decode_row, commit.outbox):
                self.announce(row)
        self.board.wake()

    def announce(self, row: Row) -> None:
        """Let the board read one published record."""
        if row.topic == CUSTOMER_TIERS:
            self.board.take_tiers(row.key, row.value)
        elif row.topic == TIER_CHANGES and row.value is not None and row.key is not None:
            partition = bucket_of(row.key.decode(), PARTITIONS)
            self.board.take_change(partition, self._offsets[partition], row.value)
            self._offsets[partition] += 1
        elif row.topic == TIER_FORECASTS and row.value is not None:
            self.board.take_forecast(row.value)

    async def survey(self) -> None:
        """Look at everyone once."""
        await SurveyService(self.store, BUCKETS, self.plan, self.board).look_at_everyone()

    def open(self) -> Self:
        """Be ready to be asked: everything is read and surveyed."""
        self.board.catch_up()
        with ThreadPoolExecutor(1) as pool:  # Playwright has a loop running in this thread
            pool.submit(lambda: asyncio.run(self.survey())).result()
        return self


class Served:
    """A town behind a real server on a free loopback port, in a thread of its own."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self._server = uvicorn.Server(
            uvicorn.Config(
                create_api(town.desk, LOOPBACK),
                port=0,
                log_config=None,
                access_log=False,
                ws="none",
                lifespan="off",
                timeout_graceful_shutdown=2,
            )
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="server")

    @property
    def url(self) -> str:
        """Where it is."""
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def play(self, log: Iterable[LogRecord], as_of_ms: int) -> None:
        """Let more happen while the server runs."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self.town.play, list(log), as_of_ms)

    def __enter__(self) -> Self:
        self._thread.start()
        wait_for(lambda: self._server.started, "the server to listen")
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self.town.board.close)
        self._server.should_exit = True
        self._thread.join(30)
        self.town.desk.customers.close()
        self.town.desk.webhooks.close()

    def _run(self) -> None:
        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            await self._server.serve()

        asyncio.run(main())
