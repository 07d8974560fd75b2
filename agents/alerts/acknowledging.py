"""Alerts that wait to be acknowledged, and acknowledging them; for commands and APIs. Blocks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from stream.alerting.threads import Pace, Step, Thread
from stream.alerting.threads import acknowledge as acknowledged

if TYPE_CHECKING:
    from stream.adapters.redis_desk import RedisDesk
    from stream.adapters.redis_queue import Entry


class Open(NamedTuple):
    """An alert that waits to be acknowledged.

    Attributes:
        id: Of the change, the warning or the complaint that it tells.
        channel: Who was told.
        customer_id: About whom.
        told_ms: When.
        due_ms: When it is told to others.
        to: The channel that hears of it then.
    """

    id: str
    channel: str
    customer_id: str
    told_ms: int
    due_ms: int
    to: str


def open_alerts(desk: RedisDesk) -> list[Open]:
    """Return every alert that waits to be acknowledged, the oldest first."""
    return sorted(_found(desk).values(), key=lambda one: (one.told_ms, one.id, one.channel))


def acknowledge(desk: RedisDesk, alert_id: str) -> list[str]:
    """Acknowledge an alert wherever it was told; return the channels, none where it is unknown."""
    keys = {key: one.channel for key, one in _found(desk).items() if one.id == alert_id}
    return [
        channel
        for key, channel in keys.items()
        if desk.step(channel, [key], partial(_close, alert_id)).threads
    ]


def _close(alert_id: str, threads: dict[str, Thread], pace: Pace) -> tuple[Step, list[Entry]]:
    closed: dict[str, Thread | None] = {
        key: acknowledged(thread)
        for key, thread in threads.items()
        if thread.waiting is not None and thread.waiting.notice.id == alert_id
    }
    return Step(closed, pace, ()), []


def _found(desk: RedisDesk) -> dict[str, Open]:
    found: dict[str, Open] = {}
    for key, thread in desk.threads():
        waiting = thread.waiting
        if waiting is not None:
            notice = waiting.notice
            found[key] = Open(
                notice.id,
                key.partition("\x1f")[0],
                notice.customer_id,
                waiting.told_ms,
                waiting.due_ms,
                waiting.to,
            )
    return found
