"""The Faust application: built by a factory, never at import time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import faust

from agents.alerts.channels import read_addresses
from agents.alerts.courier import Courier
from agents.alerts.directory import Directory
from agents.alerts.service import AlertService
from agents.census import CensusService
from agents.feed import ChangeFeed
from agents.health import add_pages
from agents.kafka import heartbeat_ms, trust
from agents.metrics import Metrics
from agents.patience import be_patient
from agents.population import PopulationService
from agents.relay import Relay
from agents.scoring import ScoringService
from agents.settings import HEARD
from agents.tracing import open_tracer
from agents.version import version
from agents.watchdog import Watchdog
from agents.webhooks.service import WebhookService
from stream.adapters.redis_desk import RedisDesk
from stream.adapters.redis_endpoints import RedisEndpoints
from stream.adapters.redis_store import RedisStore
from stream.editions import scorer_of
from stream.outbox import ERASURE_RECEIPTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mode import ServiceT

    from agents.settings import Role, Settings
    from agents.tracing import Tracer
    from stream.editions import Edition


class TierstreamApp(faust.App):
    """A Faust app with the scoring and delivery services beside its agents.

    Attributes:
        parts: Services that start with the app and stop with it.
        metrics: What `/metrics` shows.
    """

    parts: Sequence[ServiceT[Any]] = ()
    metrics: Metrics

    def on_init_dependencies(self) -> Iterable[ServiceT[Any]]:
        """Start the parts after what Faust starts itself (see `app.service` in its docs)."""
        return [*super().on_init_dependencies(), *self.parts]

    def _create_directories(self) -> None:
        """Make none: they are for tables, and a worker leaves nothing where it is started."""


def create_app(settings: Settings, role: Role, first: Edition | None) -> TierstreamApp:
    """Return the application of one worker process.

    ``scoring`` reads the input topics and needs the *first* policy, ``delivery`` publishes what
    scoring found, ``alerts`` tells people of it by the policy, ``webhooks`` tells systems, ``all``
    does all of it. Any number of processes may run side by side.
    """
    be_patient()
    alerting = role == "alerts" or (role == "all" and settings.alerts)
    app = TierstreamApp(
        # Who tells people must see every partition of what they are told of: another group than
        # that of workers which only audit.
        settings.group("alerts" if alerting else "feed"),
        broker=_broker_url(settings.kafka),
        broker_credentials=_credentials(settings),
        broker_client_id="tierstream-feed",
        broker_session_timeout=settings.session_timeout_ms / 1000,
        broker_heartbeat_interval=heartbeat_ms(settings) / 1000,
        autodiscover=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_bind=settings.web_host,
        web_host=settings.web_host,
        web_port=settings.web_port,
        store="memory://",
        value_serializer="raw",
        key_serializer="raw",
    )
    metrics = Metrics()
    metrics.build.labels(version(), role).set(1)
    metrics.buckets.set(settings.buckets)
    tracer = open_tracer(settings)
    working: list[ScoringService | Relay | AlertService | WebhookService] = []
    counting: list[CensusService | PopulationService] = []
    if first is not None and role in {"scoring", "all"}:
        stores = open_store(settings), open_store(settings)
        scoring = ScoringService(settings, stores, first, metrics, tracer)
        working.append(scoring)
        counting.append(PopulationService(open_store(settings), scoring.at_home, metrics))
        if settings.clock == "wall":
            counting.append(CensusService(settings, open_store(settings), scoring, metrics))
    if role in {"delivery", "all"}:
        working.append(Relay(settings, open_store(settings), metrics, tracer))
    if first is not None and alerting:
        working.append(_alerts(app, settings, first, metrics, tracer))
    if role == "webhooks" or (role == "all" and settings.webhooks):
        endpoints = RedisEndpoints(settings.redis, prefix=settings.key_prefix, area="webhooks")
        working.append(WebhookService(settings, endpoints, metrics))
    if role in {"delivery", "all"} and settings.audit:
        feed = ChangeFeed(metrics)
        topic = app.topic(settings.topic("tier-changes"), value_type=bytes, key_type=bytes)
        app.agent(topic, name="tier-changes")(feed.follow)
    elif not alerting:
        # Faust's own consumer has nothing to read here.
        app.boot_strategy.enable_kafka_consumer = False
    app.metrics = metrics
    app.parts = [*working, *counting, Watchdog(settings, metrics, working)]
    add_pages(app, metrics, working)
    return app


def _alerts(
    app: TierstreamApp,
    settings: Settings,
    first: Edition,
    metrics: Metrics,
    tracer: Tracer | None,
) -> AlertService:
    """Return the service that tells people, with an agent on each topic it hears."""
    directory = Directory(open_store(settings), settings.buckets, first)
    service = AlertService(
        RedisDesk(settings.redis, prefix=settings.key_prefix, area="alerts"),
        directory,
        Courier(read_addresses(settings), settings.alert_timeout_ms / 1000),
        metrics,
        timeout_ms=settings.alert_timeout_ms,
        card_url=settings.card_url,
        tracer=tracer,
    )
    for base in (*heard(first), ERASURE_RECEIPTS):
        topic = app.topic(settings.topic(base), value_type=bytes, key_type=bytes)
        app.agent(topic, name=f"alerts-{base}")(service.follower(base))
    return service


def heard(first: Edition) -> list[str]:
    """Return what alerts listen to: interactions, of which there are many, only for complaints."""
    routes = scorer_of(first).plan.document.routes
    about = {rule.about for rule in routes.rules} if routes is not None else set()
    return [base for base in HEARD if base != "interactions" or "complaints" in about]


def open_store(settings: Settings) -> RedisStore:
    """Return the store; nothing is connected before its first call."""
    return RedisStore(settings.redis, prefix=settings.key_prefix)


def _broker_url(bootstrap: str) -> str:
    return ";".join(f"kafka://{server.strip()}" for server in bootstrap.split(","))


def _credentials(settings: Settings) -> Any:  # noqa: ANN401 - Faust has no common type
    security = settings.security
    context = trust(security) if security.protocol.endswith("SSL") else None
    if security.protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=security.username,
            password=security.password,
            mechanism=security.mechanism,
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context)
