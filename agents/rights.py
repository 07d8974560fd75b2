"""What a role may have to do in Kafka, and which of it this user may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from agents.kafka import connection
from agents.settings import HEARD, INPUTS, OUTBOX, OUTPUTS
from stream.groups.member_rows import GROUP_MEMBERS
from stream.outbox import ERASURE_RECEIPTS
from stream.webhooks import TOPICS as WEBHOOK_TOPICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.settings import Role, Settings

# https://kafka.apache.org/protocol: bits of AclOperation, and what stands for "not said".
_BITS = {"Read": 1 << 3, "Write": 1 << 4}
_NOT_SAID = -(1 << 31)
_TEXT = String("utf-8")


class Right(NamedTuple):
    """One thing that has to be allowed.

    Attributes:
        operation: ``Read`` or ``Write``, as in Kafka's access control lists.
        kind: ``topic``, ``group`` or ``transactional-id``.
        name: Full name of it.
    """

    operation: str
    kind: str
    name: str

    def __str__(self) -> str:
        """Return it as a person would say it."""
        return f"{self.operation} on {self.kind} {self.name}"


def needed(settings: Settings, role: Role) -> list[Right]:
    """Return what a worker of *role* has to be allowed.

    >>> from agents.settings import Settings
    >>> str(needed(Settings(namespace="shop"), "scoring")[-1])
    'Read on group shop-outbox-marks'
    """
    reads, writes, groups = list[str](), list[str](), list[str]()
    if role in {"scoring", "all"}:
        reads += INPUTS
        groups += ["scoring"]
    if role not in {"alerts", "webhooks"}:
        # Where Redis is empty, markers tell a new installation from one that was lost.
        reads += [OUTBOX]
        groups += ["outbox-marks"]
    if role in {"delivery", "all"}:
        writes += [*OUTPUTS, GROUP_MEMBERS]
        groups += ["delivery"]
        if settings.audit:
            reads += ["tier-changes"]
            groups += ["feed"]
    if role == "alerts" or (role == "all" and settings.alerts):
        reads += [topic for topic in (*HEARD, ERASURE_RECEIPTS) if topic not in reads]
        groups += ["alerts"]
    if role == "webhooks" or (role == "all" and settings.webhooks):
        reads += [topic for topic in (*WEBHOOK_TOPICS, ERASURE_RECEIPTS) if topic not in reads]
        groups += ["webhooks"]
    relay = [f"{settings.group('relay')}-0"] if role in {"delivery", "all"} else []
    return [
        *(Right("Read", "topic", settings.topic(base)) for base in reads),
        *(Right("Write", "topic", settings.topic(base)) for base in writes),
        *(Right("Write", "transactional-id", name) for name in relay),
        *(Right("Read", "group", settings.group(name)) for name in groups),
    ]


async def lacking(settings: Settings, role: Role) -> list[Right]:
    """Return what a worker of *role* needs and this user may not do, as far as the broker tells.

    Of groups and transactional ids it tells only whether this user may know of them at all. A
    broker that knows no rights (or does not answer this) is taken to allow everything.

    Raises:
        aiokafka.errors.KafkaError: The broker cannot be reached.
    """
    rights = needed(settings, role)
    client = AIOKafkaClient(**connection(settings))
    await client.bootstrap()
    try:
        allowed = await _topics(client, [right.name for right in rights if right.kind == "topic"])
        return [right for right in rights if not await _allows(client, allowed, right)]
    finally:
        await client.close()


async def _allows(client: Any, topics: dict[str, int], right: Right) -> bool:  # noqa: ANN401 - aiokafka's client is barely typed
    if right.kind == "topic":
        return bool(topics.get(right.name, _BITS[right.operation]) & _BITS[right.operation])
    kind = CoordinationType.GROUP if right.kind == "group" else CoordinationType.TRANSACTION
    try:
        await client.coordinator_lookup(kind, right.name)
    except (GroupAuthorizationFailedError, TransactionalIdAuthorizationFailed):
        return False
    except KafkaError:
        pass  # a new broker has no coordinator yet: then nothing is known against it
    return True


async def _topics(client: Any, names: Sequence[str]) -> dict[str, int]:  # noqa: ANN401 - as above
    """Return the operations this user may do on each topic, as bits; unknown ones are left out."""
    try:
        answer = await client.send(client.get_random_node(), _RightsRequest(sorted(set(names))))
    except NotImplementedError:
        return {}  # an older broker
    forbidden = TopicAuthorizationFailedError.errno
    return {
        name: 0 if code == forbidden else operations
        for code, name, _, _, operations in answer.topics
        if (code in {0, forbidden} and operations != _NOT_SAID) or code == forbidden
    }


class _RightsResponse(Response):
    """Metadata, version 8: the first that says what its user may do."""

    API_KEY = 3
    API_VERSION = 8
    _PARTITION = Array(
        ("error_code", Int16),
        ("partition", Int32),
        ("leader", Int32),
        ("leader_epoch", Int32),
        ("replicas", Array(Int32)),
        ("isr", Array(Int32)),
        ("offline_replicas", Array(Int32)),
    )
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(("node_id", Int32), ("host", _TEXT), ("port", Int32), ("rack", _TEXT)),
        ),
        ("cluster_id", _TEXT),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", _TEXT),
                ("is_internal", Boolean),
                ("partitions", _PARTITION),
                ("authorized_operations", Int32),
            ),
        ),
        ("authorized_operations", Int32),
    )


class _RightsRequestStruct(RequestStruct):
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _RightsResponse
    SCHEMA = Schema(
        ("topics", Array(_TEXT)),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _RightsRequest(Request[_RightsRequestStruct]):
    """Asks about topics by name, and creates none."""

    API_KEY = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = list(topics)

    def build(self, request_struct_class: type[_RightsRequestStruct]) -> _RightsRequestStruct:
        """Return what goes over the wire."""
        create = of_cluster = False
        of_topics = True
        return request_struct_class(self._topics, create, of_cluster, of_topics)
