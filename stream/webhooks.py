"""Webhooks by the Standard Webhooks specification: endpoints, secrets, schedule, bodies. Pure.

Source: https://www.standardwebhooks.com (payload structure, signature rotation, retry schedule).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from stream.calendar import to_instant_ms

TOPICS: Final[dict[str, str]] = {
    "tier-changes": "tier.changed",
    "tier-forecasts": "tier.forecast",
}
"""What can be subscribed to, and the type that its messages have."""

_SECOND_MS, _MINUTE_MS, _HOUR_MS = 1_000, 60_000, 3_600_000
SCHEDULE_MS: Final = (
    5 * _SECOND_MS,
    5 * _MINUTE_MS,
    30 * _MINUTE_MS,
    2 * _HOUR_MS,
    5 * _HOUR_MS,
    10 * _HOUR_MS,
    14 * _HOUR_MS,
    20 * _HOUR_MS,
    24 * _HOUR_MS,
)
"""How long after each failed attempt the next one follows; after the last there is none."""
DISABLED_AFTER_MS: Final = 5 * 24 * _HOUR_MS
"""How long an endpoint may fail without a single success."""


class Secret(Struct, array_like=True, frozen=True, gc=False):
    """What messages are signed with.

    Attributes:
        text: ``whsec_`` and Base64.
        until_ms: Not used from then on; 0: for good.
    """

    text: str
    until_ms: int = 0


class Endpoint(Struct, array_like=True, frozen=True, gc=False):
    """Somebody who is sent what is published.

    Attributes:
        topics: What they are sent.
        secrets: The newest first.
        created_ms: Since when they have been known; older events they are not sent.
        status: disabled: nothing is sent; what was waiting waits on.
        why: Why it was disabled.
    """

    id: str
    url: str
    topics: tuple[str, ...]
    secrets: tuple[Secret, ...]
    created_ms: int
    status: Literal["enabled", "disabled"] = "enabled"
    why: str = ""

    def signing(self, now_ms: int) -> tuple[str, ...]:
        """Return the secrets that a message of *now_ms* is signed with, the newest first."""
        return tuple(one.text for one in self.secrets if not one.until_ms or now_ms < one.until_ms)

    def rotated(self, secret: str, now_ms: int, overlap_ms: int) -> Endpoint:
        """Return the endpoint with a new secret; the one before signs as well for *overlap_ms*."""
        older = tuple(
            Secret(text, now_ms + overlap_ms) for text in self.signing(now_ms)[:1] if overlap_ms
        )
        return replace(self, secrets=(Secret(secret), *older))


def retry_ms(tries: int) -> int | None:
    """Return how long to wait after the attempt number *tries* has failed; None: give up.

    >>> retry_ms(1), retry_ms(9), retry_ms(10)
    (5000, 86400000, None)
    """
    return SCHEDULE_MS[tries - 1] if tries <= len(SCHEDULE_MS) else None


def body(topic: str, instant: str, value: bytes) -> bytes:
    """Return the payload for a record's *value*, JSON, of an event that became true at *instant*.

    >>> body("tier-changes", "2026-11-22T00:00:00.000Z", b'{"id":"a"}')
    b'{"type":"tier.changed","timestamp":"2026-11-22T00:00:00.000Z","data":{"id":"a"}}'
    """
    head = f'{{"type":"{TOPICS[topic]}","timestamp":"{instant}","data":'
    return head.encode() + value + b"}"


class About(NamedTuple):
    """What a payload tells of.

    Attributes:
        instant_ms: When it became true.
    """

    customer_id: str
    instant_ms: int


class _Data(Struct):
    customer_id: str


class _Body(Struct):
    timestamp: datetime
    data: _Data


_body = msgspec.json.Decoder(_Body).decode


def read_body(payload: bytes) -> About:
    """Return what a *payload* of `body` tells of. Raises `msgspec.MsgspecError`.

    >>> read_body(body("tier-changes", "1970-01-01T00:00:01.000Z", b'{"customer_id":"c1"}'))
    About(customer_id='c1', instant_ms=1000)
    """
    found = _body(payload)
    return About(found.data.customer_id, to_instant_ms(found.timestamp))
