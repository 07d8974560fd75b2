"""Running the API and the page: what has to be there, what runs beside, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
import uvicorn
from pydantic import ValidationError

from agents.settings import SettingsError
from agents.web.app import create_api
from agents.web.board import new_board
from agents.web.customers import Customers
from agents.web.desk import Desk
from agents.web.follow import Progress, follow, held_now
from agents.web.guard import LOOPBACK
from agents.web.hooks import Webhooks
from agents.web.survey import SurveyService
from agents.web.tokens import Tokens
from schemas.api.simulation import Simulation
from stream.adapters.redis_store import RedisStore
from stream.outbox import TIER_CHANGES
from stream.projection.survey import amount_measure

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path
    from types import FrameType

    from agents.settings import Settings
    from stream.plan import Plan

log = structlog.get_logger(__name__)

_END_WITHIN_S = 2
_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Serving:
    """How to serve.

    Attributes:
        host: Address to listen on.
        port: Port; 0 picks a free one.
        tokens: Who may ask, and who may manage.
        cert: Certificate, PEM, for TLS.
        key: Its key, PEM; None where `cert` holds it.
        amount: Measure of what a customer brings in; None for the usual one.
        simulation: File of a simulation to show beside the policy in force.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    tokens: Tokens = Tokens()  # noqa: RUF009 - holds nothing
    cert: Path | None = None
    key: Path | None = None
    amount: str | None = None
    simulation: Path | None = None


def read_simulation(file: Path) -> Simulation:
    """Return the simulation in *file*.

    Raises:
        SettingsError: It is not one.
    """
    try:
        return Simulation.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as exc:
        message = (
            f"--simulation: {file} is not allowed; allowed: a file that "
            "`tierstream policy simulate --json` has written"
        )
        raise SettingsError(message) from exc


def check(serving: Serving, plan: Plan) -> None:
    """See that it may be served so.

    Raises:
        SettingsError: It may not; says what is allowed.
    """
    if serving.host not in _LOOPBACK_HOSTS and not serving.tokens:
        message = (
            f"--host: {serving.host} is not allowed without tokens; allowed: 127.0.0.1, or "
            "--tokens FILE (TIERSTREAM_API_TOKENS_FILE, TIERSTREAM_API_TOKEN)"
        )
        raise SettingsError(message)
    if serving.key is not None and serving.cert is None:
        message = "--tls-key: not allowed alone; allowed: beside --tls-cert"
        raise SettingsError(message)
    if serving.cert is not None:
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(serving.cert, serving.key)
        except OSError as exc:
            message = (
                f"--tls-cert, --tls-key: {serving.cert} is not allowed ({exc.strerror or exc}); "
                "allowed: a certificate and its key, PEM"
            )
            raise SettingsError(message) from exc
    try:
        amount_measure(plan.document, serving.amount)
    except ValueError as exc:
        message = f"--amount: {serving.amount} is not allowed; allowed: {exc}"
        raise SettingsError(message) from exc


async def serve(
    settings: Settings, serving: Serving, plan: Plan, told: Callable[[str], None]
) -> None:
    """Serve until a signal ends it.

    Args:
        settings: Where Kafka and Redis are, with the number of buckets recorded there.
        serving: How.
        plan: The policy that the workers were started with.
        told: Is given the address as soon as it is listened on.

    Raises:
        MissingTopicError: A topic is missing.
        SettingsError: The address cannot be listened on.
        aiokafka.errors.KafkaError: The broker cannot be reached, or refuses.
    """
    simulation = None if serving.simulation is None else read_simulation(serving.simulation)
    listening = listen(serving)
    held = await held_now(settings)
    changes = {
        tp.partition: first
        for tp, (first, _) in held.items()
        if tp.topic == settings.topic(TIER_CHANGES)
    }
    firsts = [changes[number] for number in range(len(changes))]
    amount = amount_measure(plan.document, serving.amount)
    board = new_board(plan, firsts, plan.shape.days, amount)
    stores = [RedisStore(settings.redis, prefix=settings.key_prefix) for _ in range(2)]
    customers = Customers(stores[0], settings.buckets, plan)
    progress = Progress()
    webhooks = Webhooks(settings)
    desk = Desk(settings, board, customers, progress, serving.tokens, webhooks, simulation)
    survey = SurveyService(stores[1], settings.buckets, plan, board)
    server = _Server(serving, desk)
    tasks = [
        asyncio.create_task(follow(settings, board, held, progress)),
        asyncio.create_task(survey.run()),
    ]
    serving_task = asyncio.create_task(server.serve([listening]))
    told(url_of(serving, listening))
    try:
        await asyncio.wait([serving_task, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in (*tasks, serving_task):
            if task.done():
                await task  # which raises what went wrong
    finally:
        server.should_exit = True
        board.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(serving_task, *tasks, return_exceptions=True)
        customers.close()
        webhooks.close()
        for store in stores:
            store.close()


def listen(serving: Serving) -> socket.socket:
    """Return a socket that listens.

    Raises:
        SettingsError: The address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in serving.host else socket.AF_INET
    try:
        return socket.create_server((serving.host, serving.port), family=family)
    except OSError as exc:
        message = (
            f"--host, --port: {serving.host}:{serving.port} is not allowed "
            f"({exc.strerror or exc}); allowed: an address of this machine and a free port"
        )
        raise SettingsError(message) from exc


def url_of(serving: Serving, listening: socket.socket) -> str:
    """Return the address to open in a browser."""
    scheme = "http" if serving.cert is None else "https"
    host = f"[{serving.host}]" if ":" in serving.host else serving.host
    return f"{scheme}://{host}:{listening.getsockname()[1]}"


class _Server(uvicorn.Server):
    def __init__(self, serving: Serving, desk: Desk) -> None:
        super().__init__(
            uvicorn.Config(
                create_api(desk, None if serving.tokens else LOOPBACK),
                log_config=None,
                access_log=False,
                server_header=False,
                ws="none",
                lifespan="off",
                ssl_certfile=serving.cert,
                ssl_keyfile=serving.key,
                timeout_graceful_shutdown=_END_WITHIN_S,
            )
        )
        self._board = desk.board

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End streams first: they would keep their connections open."""
        self._board.close()
        super().handle_exit(sig, frame)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """End in order on a signal; uvicorn would raise it once more when all is done."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)
