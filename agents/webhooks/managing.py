"""Adding, changing and removing webhook endpoints: what commands and the API call. Blocks."""

from __future__ import annotations

import base64
import secrets
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from agents.webhooks.posting import target_of
from stream.webhooks import TOPICS, Endpoint, Secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.adapters.redis_endpoints import RedisEndpoints

_SECRET_BYTES = 32
_HOUR_MS = 3_600_000


class UnknownEndpointError(LookupError):
    """There is no endpoint with this id."""


class Standing(NamedTuple):
    """An endpoint, and how it stands.

    Attributes:
        waiting: Messages in its queue.
        given_up: Messages that are not tried any more, of the first 1,000 of all endpoints.
    """

    endpoint: Endpoint
    waiting: int
    given_up: int


def new_secret() -> str:
    """Return a new secret: ``whsec_`` and 32 random bytes in Base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def add(
    store: RedisEndpoints, url: str, topics: Sequence[str], now_ms: int, *, private: bool
) -> Endpoint:
    """Add an endpoint and return it, with the secret that it has to be told.

    Raises:
        UrlError: The URL is not allowed.
        ValueError: A topic is not one of `stream.webhooks.TOPICS`.
    """
    target_of(url, private=private)
    unknown = [topic for topic in topics if topic not in TOPICS]
    if unknown or not topics:
        raise ValueError(f"{', '.join(unknown)}: not one of {', '.join(TOPICS)}")
    endpoint = Endpoint(
        f"ep_{secrets.token_hex(8)}", url, tuple(topics), (Secret(new_secret()),), now_ms
    )
    store.put(endpoint)
    return endpoint


def find(store: RedisEndpoints, endpoint_id: str) -> Endpoint:
    """Return an endpoint. Raises `UnknownEndpointError`."""
    for endpoint in store.endpoints():
        if endpoint.id == endpoint_id:
            return endpoint
    raise UnknownEndpointError(endpoint_id)


def standings(store: RedisEndpoints) -> list[Standing]:
    """Return how every endpoint stands, the oldest first."""
    return _standings(store, store.endpoints())


def standing(store: RedisEndpoints, endpoint_id: str) -> Standing:
    """Return how one endpoint stands. Raises `UnknownEndpointError`."""
    (found,) = _standings(store, [find(store, endpoint_id)])
    return found


def _standings(store: RedisEndpoints, endpoints: Sequence[Endpoint]) -> list[Standing]:
    backlog = store.backlog([one.id for one in endpoints])
    gone = Counter(message.id.partition("/")[0] for message in store.parked())
    return [Standing(one, backlog[one.id].waiting, gone[one.id]) for one in endpoints]


def rotate(store: RedisEndpoints, endpoint_id: str, now_ms: int, overlap_hours: int) -> Endpoint:
    """Give an endpoint a new secret; for some hours the one before signs as well.

    Raises:
        UnknownEndpointError: There is none.
    """
    known = find(store, endpoint_id)
    endpoint = known.rotated(new_secret(), now_ms, overlap_hours * _HOUR_MS)
    store.put(endpoint)
    return endpoint


def disable(store: RedisEndpoints, endpoint_id: str, why: str) -> Endpoint:
    """Send an endpoint nothing any more. Raises `UnknownEndpointError`."""
    endpoint = replace(find(store, endpoint_id), status="disabled", why=why)
    store.put(endpoint)
    return endpoint


def enable(store: RedisEndpoints, endpoint_id: str) -> Endpoint:
    """Send to an endpoint again, first what was waiting. Raises `UnknownEndpointError`."""
    endpoint = replace(find(store, endpoint_id), status="enabled", why="")
    store.put(endpoint)
    return endpoint


def remove(store: RedisEndpoints, endpoint_id: str) -> None:
    """Forget an endpoint and what waits for it. Raises `UnknownEndpointError`."""
    if not store.remove(endpoint_id):
        raise UnknownEndpointError(endpoint_id)
