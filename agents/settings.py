"""Settings of every process: where Kafka and Redis are, how names are built, how it scores.

Read once from the environment (``TIERSTREAM_*``) or from the command line; passed on as a
frozen value. Nothing here connects to anything.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import parse_qsl, urlsplit

from stream.groups.member_rows import GROUP_MEMBERS
from stream.seen import DedupWindow

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "TIERSTREAM_"
# The last is our own: what buckets tell each other about members of groups.
INPUTS = ("orders", "interactions", "profiles", "controls", GROUP_MEMBERS)
OUTPUTS = (
    "tier-changes",
    "customer-tiers",
    "tier-forecasts",
    "tier-differences",
    "dead-letters",
    "erasure-receipts",
)
OUTBOX = "outbox"
HEARD = ("tier-changes", "tier-forecasts", "interactions")
"""What alerts are about."""

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
REDIS_SCHEMES = ("redis", "rediss", "unix", "redis+cluster", "rediss+cluster")

Clock = Literal["wall", "stream"]
Logs = Literal["console", "json"]
Tracing = Literal["off", "otlp"]
Role = Literal["scoring", "delivery", "alerts", "webhooks", "all"]


class SettingsError(ValueError):
    """A setting cannot be used; the message is one line that says what is allowed."""


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """How to talk to a broker that asks for it; the defaults are a plain local connection.

    Attributes:
        protocol: ``PLAINTEXT``, ``SSL``, ``SASL_PLAINTEXT`` or ``SASL_SSL``.
        mechanism: ``PLAIN``, ``SCRAM-SHA-256`` or ``SCRAM-SHA-512``.
        username: SASL user.
        password: SASL password; never shown.
        ca_file: Certificates to trust, PEM.
        cert_file: Own certificate, PEM, for mutual TLS.
        key_file: Its key, PEM.
    """

    protocol: str = "PLAINTEXT"
    mechanism: str = "PLAIN"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


_PLAIN = KafkaSecurity()
_DEDUP = DedupWindow()


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a process needs to know before it starts.

    Attributes:
        kafka: Bootstrap servers, ``host:port`` separated by commas.
        redis: ``redis://``, ``rediss://`` or ``redis+cluster://`` URL.
        namespace: Prefix of topics, consumer groups and Redis keys; "" for none.
        policy: Path of the policy file.
        buckets: Number of buckets, fixed at install.
        clock: ``wall`` for live runs; ``stream`` for replays, where time is what the
            records say.
        batch_records: Most records in one micro-batch.
        batch_wait_ms: How long a fetch waits for the first record.
        clock_slack_ms: How far behind the wall clock deadlines are fired, so that a
            record on its way is not overtaken by a deadline after it.
        sweep_limit: Most deadlines fired with one micro-batch; an eighth where live records
            wait for it.
        visit_limit: Most customers that a sweep looks at with one micro-batch, for a new policy or
            moved boundaries; an eighth where live records wait for it. One that has to be
            brought there counts as four.
        cached_customers: Customers kept in memory.
        flush_ms: How often cursors of quiet buckets are written.
        report_ms: How often offsets are written to Kafka, for lag monitors; 0 for never.
        dedup: How far back repeated events are recognised.
        bad_run_limit: Consecutive bad records of a partition that halt it.
        bad_ratio_limit: Share of bad records among the last 1,000 that halts it.
        max_record_bytes: Larger values are dead-lettered as oversized.
        session_timeout_ms: How long a worker may be silent before its partitions go to others.
        audit: Whether delivery workers read the published changes back and check the
            chain rule on them.
        alerts: Whether workers of the role ``all`` tell people, where the policy has routes.
        channels_file: YAML file of channels and their addresses; those in the environment
            (``TIERSTREAM_CHANNEL_<NAME>``) stand before it.
        card_url: Page that shows a customer, whose id is put behind it as a fragment; "": none.
        alert_timeout_ms: How long a channel may take to accept a message.
        webhooks: Whether workers of the role ``all`` send webhooks.
        webhook_private: Whether webhooks may go to addresses that are not public, and over
            plain http.
        web_host: Address of the health and metrics endpoints.
        web_port: Their port; 0 picks a free one.
        stall_after_ms: Time without progress, while there is work, that is a stall.
        stop_within_ms: Time to end in order; a worker that takes longer, as Kafka does not answer,
            ends as it is. Nothing is lost by that.
        logs: How a worker logs: ``console`` for people, ``json`` for machines.
        tracing: Whether spans are sent to an OpenTelemetry collector: ``off`` or ``otlp``.
    """

    kafka: str = "127.0.0.1:9092"
    redis: str = field(default="redis://127.0.0.1:6379/0", repr=False)
    namespace: str = ""
    policy: str = ""
    buckets: int = 256
    clock: Clock = "wall"
    batch_records: int = 100_000
    batch_wait_ms: int = 50
    clock_slack_ms: int = 250
    sweep_limit: int = 2_000
    visit_limit: int = 4_000
    cached_customers: int = 200_000
    flush_ms: int = 2_000
    report_ms: int = 5_000
    dedup: DedupWindow = _DEDUP
    bad_run_limit: int = 100
    bad_ratio_limit: float = 0.5
    max_record_bytes: int = 1_000_000
    session_timeout_ms: int = 10_000
    audit: bool = True
    alerts: bool = True
    channels_file: str = ""
    card_url: str = ""
    alert_timeout_ms: int = 10_000
    webhooks: bool = False
    webhook_private: bool = False
    web_host: str = "127.0.0.1"
    web_port: int = 6066
    stall_after_ms: int = 30_000
    stop_within_ms: int = 25_000
    logs: Logs = "console"
    tracing: Tracing = "off"
    security: KafkaSecurity = _PLAIN

    def topic(self, base: str) -> str:
        """Return the full name of a topic.

        >>> Settings(namespace="shop").topic("orders"), Settings().topic("orders")
        ('shop.orders', 'orders')
        """
        return f"{self.namespace}.{base}" if self.namespace else base

    def group(self, role: str) -> str:
        """Return the consumer group of a role."""
        return f"{self.namespace or 'tierstream'}-{role}"

    @property
    def key_prefix(self) -> str:
        """Prefix of every Redis key."""
        return f"ts:{self.namespace}" if self.namespace else "ts"


_REDIS_FILES = {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}
_SWITCH = {"on": True, "off": False}
_SWITCHES = {f.name for f in fields(Settings) if f.type == "bool"}
_NUMBERS = {f.name for f in fields(Settings) if f.type == "int"}


def from_environment(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:  # noqa: ANN401
    """Return settings from ``TIERSTREAM_*`` variables, then from *overrides* that are not None.

    Security settings are ``TIERSTREAM_KAFKA_PROTOCOL``, ``_MECHANISM``, ``_USERNAME``,
    ``_PASSWORD``, ``_CA_FILE``, ``_CERT_FILE`` and ``_KEY_FILE``.

    Raises:
        SettingsError: A value cannot be used.

    >>> from_environment({"TIERSTREAM_BUCKETS": "64"}, kafka="k:9092").buckets
    64
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        name = PREFIX + setting.name.upper()
        if name in environ and setting.name not in {"dedup", "security"}:
            values[setting.name] = _parse(name, setting.name, environ[name])
    security = {
        setting.name: environ[f"{PREFIX}KAFKA_{setting.name.upper()}"]
        for setting in fields(KafkaSecurity)
        if f"{PREFIX}KAFKA_{setting.name.upper()}" in environ
    }
    if security:
        values["security"] = KafkaSecurity(**security)
    values.update({name: value for name, value in overrides.items() if value is not None})
    settings = replace(Settings(), **values)
    for name, value, choices in (
        ("CLOCK", settings.clock, get_args(Clock)),
        ("LOGS", settings.logs, get_args(Logs)),
        ("TRACING", settings.tracing, get_args(Tracing)),
    ):
        if value not in choices:
            message = f"{PREFIX}{name}: {value!r} is not allowed; allowed: {', '.join(choices)}"
            raise SettingsError(message)
    if settings.buckets < 1:
        message = f"{PREFIX}BUCKETS: {settings.buckets} is not allowed; allowed: 1 or more"
        raise SettingsError(message)
    _check_security(settings.security)
    _check_redis(settings.redis)
    return settings


def _check_security(security: KafkaSecurity) -> None:
    choices = (
        ("PROTOCOL", security.protocol, PROTOCOLS),
        ("MECHANISM", security.mechanism, MECHANISMS),
    )
    for name, value, allowed in choices:
        if value not in allowed:
            message = f"{PREFIX}KAFKA_{name}: {value!r} is not allowed; allowed: "
            raise SettingsError(message + ", ".join(allowed))
    if not security.protocol.startswith("SASL"):
        return
    for name, secret in (("USERNAME", security.username), ("PASSWORD", security.password)):
        if not secret:
            message = f"{PREFIX}KAFKA_{name}: missing; {security.protocol} asks for it"
            raise SettingsError(message)


def _check_redis(url: str) -> None:
    """Refuse what is no URL without showing any of it: an odd password is a common reason."""
    try:
        parts = urlsplit(url)
        whole = "@" not in parts.path or parts.scheme == "unix"
        fits = parts.scheme in REDIS_SCHEMES and parts.port != 0 and whole
    except ValueError:
        fits = False
    if not fits:
        message = (
            f"--redis ({PREFIX}REDIS): this URL is not allowed; allowed: "
            + ", ".join(f"{scheme}://" for scheme in REDIS_SCHEMES)
            + ", a password percent-encoded"
        )
        raise SettingsError(message) from None
    for name, path in parse_qsl(parts.query):
        if name in _REDIS_FILES and not os.path.isfile(path):  # noqa: PTH113 - a text from a URL
            message = f"--redis ({PREFIX}REDIS): {name}={path} is not allowed; allowed: a file"
            raise SettingsError(message)


def _parse(variable: str, name: str, text: str) -> object:
    if name in _SWITCHES:
        if text not in _SWITCH:
            message = f"{variable}: {text!r} is not allowed; allowed: on, off"
            raise SettingsError(message)
        return _SWITCH[text]
    try:
        if name in _NUMBERS:
            return int(text)
        if name == "bad_ratio_limit":
            return float(text)
    except ValueError as exc:
        message = f"{variable}: {text!r} is not allowed; allowed: a number"
        raise SettingsError(message) from exc
    return text
