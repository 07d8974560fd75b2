"""Kafka clients, made the same way everywhere. What they are used for is said elsewhere."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from agents.patience import be_patient
from agents.settings import PREFIX, SettingsError
from agents.unwrapped import allow_unwrapped
from stream.partition import murmur2

if TYPE_CHECKING:
    from agents.settings import KafkaSecurity, Settings

log = structlog.get_logger(__name__)

CLIENT = "tierstream"
_STOP_WITHIN_S = 10.0
_FETCH_BYTES = 60_000_000
_PARTITION_FETCH_BYTES = 12_000_000
_FETCH_WAIT_MS = 100
_HEARTBEATS_PER_SESSION = 4


def connection(settings: Settings) -> dict[str, Any]:
    """Return the arguments that every client shares."""
    security = settings.security
    arguments: dict[str, Any] = {
        "bootstrap_servers": settings.kafka,
        "client_id": CLIENT,
        "security_protocol": security.protocol,
    }
    if security.protocol.endswith("SSL"):
        arguments["ssl_context"] = trust(security)
    if security.protocol.startswith("SASL"):
        arguments["sasl_mechanism"] = security.mechanism
        arguments["sasl_plain_username"] = security.username
        arguments["sasl_plain_password"] = security.password
    return arguments


def trust(security: KafkaSecurity) -> ssl.SSLContext:
    """Return whom to trust, and as whom to come.

    Raises:
        SettingsError: A file is not what it should be.
    """
    variable, name = "CA_FILE", security.ca_file
    try:
        context = ssl.create_default_context(cafile=name)
        if security.cert_file:
            variable, name = "CERT_FILE", security.cert_file
            context.load_cert_chain(security.cert_file, security.key_file)
    except OSError as exc:
        message = (
            f"{PREFIX}KAFKA_{variable}: {name!r} is not allowed ({exc.strerror or exc}); "
            "allowed: a PEM file, with its key where it is a certificate of ours"
        )
        raise SettingsError(message) from exc
    return context


def heartbeat_ms(settings: Settings) -> int:
    """Return how often a member shows that it lives, and learns if it was put out."""
    return settings.session_timeout_ms // _HEARTBEATS_PER_SESSION


def consumer(settings: Settings, group: str | None = None, **more: Any) -> AIOKafkaConsumer:  # noqa: ANN401
    """Return a consumer of committed records that starts from the beginning of the log.

    With a *group* the range assignor gives one member the same partition numbers of
    every topic, so that a customer's records of all topics meet in one worker.
    """
    be_patient()
    allow_unwrapped()
    arguments = {
        **connection(settings),
        "group_id": group,
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "isolation_level": "read_committed",
        "partition_assignment_strategy": (RangePartitionAssignor,),
        "fetch_max_bytes": _FETCH_BYTES,
        "max_partition_fetch_bytes": _PARTITION_FETCH_BYTES,
        "fetch_max_wait_ms": _FETCH_WAIT_MS,
        "session_timeout_ms": settings.session_timeout_ms,
        "heartbeat_interval_ms": heartbeat_ms(settings),
        **more,
    }
    return AIOKafkaConsumer(**arguments)


async def stop_quietly(running: AIOKafkaConsumer) -> None:
    """Stop a consumer; give up after a while, as aiokafka 0.14 may wait for itself forever.

    Its fetcher can swallow a cancellation that comes right after a changed assignment.
    """
    stopping = asyncio.ensure_future(running.stop())
    _, unfinished = await asyncio.wait({stopping}, timeout=_STOP_WITHIN_S)
    if unfinished:
        log.warning("consumer_not_stopped")


def producer(settings: Settings, **more: Any) -> AIOKafkaProducer:  # noqa: ANN401
    """Return an idempotent producer that waits for all replicas."""
    arguments = {
        **connection(settings),
        "acks": "all",
        "enable_idempotence": True,
        "linger_ms": 5,
        **more,
    }
    return AIOKafkaProducer(**arguments)


def admin(settings: Settings) -> AIOKafkaAdminClient:
    """Return an administration client."""
    return AIOKafkaAdminClient(**connection(settings))


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition that Java's default partitioner gives to *key*."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
