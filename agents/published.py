"""What a committed transaction of the relay has published, as the metrics tell it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from stream.changes import BOUNDARY_MOVED, POLICY_CHANGED
from stream.outbox import TIER_CHANGES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agents.metrics import Metrics
    from stream.outbox import Row


class _Cause(msgspec.Struct):
    kind: str


class _Caused(msgspec.Struct):
    cause: _Cause


_caused = msgspec.json.Decoder(_Caused).decode


def count_published(rows: Iterable[Row], metrics: Metrics, now_ms: int | None) -> None:
    """Count *rows* by topic and, unless *now_ms* is None, how long each tier change took."""
    topics: Counter[str] = Counter()
    for row in rows:
        topics[row.topic] += 1
        if now_ms is not None and row.topic == TIER_CHANGES and not _is_paced(row):
            metrics.change_latency.observe(max(0, now_ms - row.timestamp_ms) / 1000)
    for topic, count in topics.items():
        metrics.published.labels(topic).inc(count)


def _is_paced(row: Row) -> bool:
    """Say whether a change was found by a sweep, which takes its time on purpose."""
    return _caused(row.value or b"").cause.kind in {POLICY_CHANGED, BOUNDARY_MOVED}
