"""Dead letters: what is sent, and when too many of them halt a partition."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from schemas.dead_letters import MAX_VALUE_BYTES
from stream.calendar import format_instant
from stream.outbox import DEAD_LETTERS, Row, encode_row

if TYPE_CHECKING:
    from agents.unwrapped import Record

_BLOCK = 1_000
_LONGEST_DETAIL = 500
_LONGEST_KEY = 50_000
_LATEST_MS = 253_402_300_799_999  # the end of the year 9999


class Letter(NamedTuple):
    """A dead letter on its way: the base name of its topic, why it was refused, and the row."""

    topic: str
    reason: str
    row: bytes


def letter_of(record: Record, source: tuple[str, int], reason: str, detail: str) -> Letter:
    """Return the dead letter for a refused record; see `letter_row`."""
    return Letter(source[0], reason, letter_row(record, source, reason, detail))


def letter_row(record: Record, source: tuple[str, int], reason: str, detail: str) -> bytes:
    """Return the outbox row for a refused record: its own bytes, and in headers why.

    *source* is where it was read: the topic's base name and the partition.

    Whatever the record is like, the row can be published: a letter that a broker refuses would
    hold up everything behind it. So key and value are cut, and times put within bounds.
    *detail* must not contain anything from the payload.
    """
    key, value = record.key, record.value
    instant_ms = min(max(record.timestamp, 0), _LATEST_MS)
    headers = {
        "reason": reason,
        "detail": " ".join(detail.split())[:_LONGEST_DETAIL],
        "source_topic": source[0],
        "source_partition": str(source[1]),
        "source_offset": str(record.offset),
        "source_timestamp_ms": str(record.timestamp),
        "original_size_bytes": str(0 if value is None else len(value)),
        "first_seen": format_instant(instant_ms),
    }
    return encode_row(
        Row(
            topic=DEAD_LETTERS,
            key=None if key is None else key[:_LONGEST_KEY],
            value=None if value is None else value[:MAX_VALUE_BYTES],
            headers=[(name, text.encode()) for name, text in headers.items()],
            timestamp_ms=instant_ms,
        )
    )


class BadStreak:
    """Decides when bad records of a partition stop looking like accidents.

    A partition halts after *run_limit* bad records in a row, or when more than
    *ratio_limit* of a block of 1,000 are bad. Better to stop and ask than to drain a
    topic into the dead letters because of one bad deploy.
    """

    __slots__ = ("_bad", "_ratio_limit", "_run", "_run_limit", "_seen")

    def __init__(self, run_limit: int, ratio_limit: float) -> None:
        """Start with a clean record."""
        self._run_limit = run_limit
        self._ratio_limit = ratio_limit
        self._run = self._seen = self._bad = 0

    def good(self, count: int) -> None:
        """Count good records that came in a row."""
        if count:
            self._run = 0
            self._count(count)

    def bad(self) -> str | None:
        """Count a bad record; return why to halt before it instead, or None."""
        if self._run >= self._run_limit:
            return f"{self._run_limit} bad records in a row"
        if self._bad >= self._ratio_limit * _BLOCK:
            return f"more than {self._ratio_limit:.0%} of {_BLOCK} records were bad"
        self._run += 1
        self._bad += 1
        self._count(1)
        return None

    def _count(self, count: int) -> None:
        self._seen += count
        if self._seen >= _BLOCK:
            self._seen = self._bad = 0
