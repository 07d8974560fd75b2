"""What the output topics hold already, and which outbox rows are news to them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from agents.replay.reading import partitions_of, read, reader, spans
from agents.settings import OUTPUTS
from stream.erasure import Erasures
from stream.groups.member_rows import GROUP_MEMBERS
from stream.outbox import (
    CUSTOMER_TIERS,
    DEAD_LETTERS,
    ERASURE_RECEIPTS,
    TIER_CHANGES,
    TIER_DIFFERENCES,
    TIER_FORECASTS,
    decode_row,
)
from stream.partition import bucket_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from agents.settings import Settings
    from stream.outbox import Row

_BYTES = 16
_SOURCE = ("source_topic", "source_partition", "source_offset")
_TELL_EVERY = 5_000
TOPICS = (*OUTPUTS, GROUP_MEMBERS)
Stands = dict[str, tuple[int, str | None]]
"""Sequence of the last change, and the tier since then, by grading."""


class _Standing(msgspec.Struct):
    """What matters of a record of `customer-tiers`."""

    grades: dict[str, str | None] = {}
    sequence: dict[str, int] = {}


class _Change(msgspec.Struct):
    """What matters of a record of `tier-changes`."""

    grading: str
    sequence: int
    to: str | None


_standing = msgspec.json.Decoder(_Standing).decode
_change = msgspec.json.Decoder(_Change).decode
_NOWHERE = _Standing()


class Announced:
    """Records of the output topics, by what tells them apart: 16 bytes each.

    Where `tier-changes` has let old records go, `customer-tiers` still says up to which sequence
    a customer's changes were announced: they come out in order.
    """

    def __init__(self, buckets: int) -> None:
        """Start with nothing announced."""
        self._buckets = buckets
        self._seen: set[bytes] = set()
        self._standings: dict[bytes, _Standing] = {}
        self._differences: dict[bytes, bytes | None] = {}
        self._told: dict[int, dict[str, Stands]] = {}

    def note(self, topic: str, record: Any) -> None:  # noqa: ANN401 - of aiokafka, or a row
        """Take note of a record of the output topic with the base name *topic*."""
        if topic == CUSTOMER_TIERS:
            value = record.value
            self._standings[record.key] = _NOWHERE if value is None else _standing(value)
            self._stands_of(record.key)
            return
        if topic == TIER_DIFFERENCES:
            self._differences[record.key] = record.value
            return
        mark = _mark(topic, record.key, record.value, record.headers)
        self._seen.add(mark)
        if topic == TIER_CHANGES:
            change, stands = _change(record.value), self._stands_of(record.key)
            if change.sequence > stands.get(change.grading, (0, None))[0]:
                stands[change.grading] = change.sequence, change.to

    def _stands_of(self, key: bytes) -> Stands:
        customer_id = key.decode()
        bucket = self._told.setdefault(bucket_of(customer_id, self._buckets), {})
        return bucket.setdefault(customer_id, {})

    def news(self, rows: Iterable[bytes], erasures: Mapping[str, bytes]) -> list[bytes]:
        """Return those of a bucket's rows that were not announced, in order.

        Args:
            rows: Everything that there ever was to announce, in order.
            erasures: What the bucket remembers of customers that it erased.
        """
        decoded = [(stored, decode_row(stored)) for stored in rows]
        gone = Erasures(erasures)
        latest: dict[tuple[str, bytes], int] = {}
        ends: dict[bytes, int] = {}
        for place, (_, row) in enumerate(decoded):
            latest[row.topic, row.key or b""] = place
            if row.topic == CUSTOMER_TIERS and row.value is None:
                ends[row.key or b""] = place
        found = []
        for place, (stored, row) in enumerate(decoded):
            key = row.key or b""
            if row.topic == CUSTOMER_TIERS:
                is_news = place == latest[row.topic, key] and self._moves(row)
            elif row.topic == TIER_DIFFERENCES:
                newest = place == latest[row.topic, key]
                is_news = newest and self._differences.get(key) != row.value
            elif _mark(row.topic, row.key, row.value, row.headers) in self._seen:
                is_news = False
            elif row.topic == TIER_CHANGES:
                ended = place < ends.get(key, 0)
                is_news = not (self._erased(key, gone) if ended else self._counted(row, gone))
            else:
                is_news = True
            if is_news:
                found.append(stored)
        return found

    def elsewhere(
        self, bucket: int, rows: Iterable[bytes], erasures: Mapping[str, bytes]
    ) -> dict[str, Stands]:
        """Return where customers of a bucket were said to stand, of whom *rows* do not say so.

        Args:
            bucket: Number of the bucket.
            rows: Everything that the log leads to.
            erasures: What the bucket remembers of customers that it erased.
        """
        gone = Erasures(erasures)
        led_to: dict[str, dict[tuple[str, int], str | None]] = {}
        for row in map(decode_row, rows):
            customer_id = (row.key or b"").decode()
            if row.topic == CUSTOMER_TIERS and row.value is None:
                if gone.of(customer_id) is not None:
                    led_to.pop(customer_id, None)
            elif row.topic == TIER_CHANGES:
                change = _change(row.value or b"")
                found = led_to.setdefault(customer_id, {})
                found[change.grading, change.sequence] = change.to
        known = {
            customer_id: self._stands(customer_id, gone)
            for customer_id in self._told.get(bucket, ())
        }
        return {
            customer_id: stands
            for customer_id, stands in known.items()
            for found in [led_to.get(customer_id, {})]
            if any(found.get((name, n), "") != tier for name, (n, tier) in stands.items())
        }

    def _stands(self, customer_id: str, gone: Erasures) -> Stands:
        """Return the last that was said of a customer, by grading."""
        told = self._standings.get(customer_id.encode(), _NOWHERE)
        stands = {name: (n, told.grades.get(name)) for name, n in told.sequence.items() if n}
        if gone.of(customer_id) is None:
            # Else changes may be of the life before, of which nothing holds any more.
            number = bucket_of(customer_id, self._buckets)
            for name, said in self._told.get(number, {}).get(customer_id, {}).items():
                if said[0] > stands.get(name, (0, None))[0]:
                    stands[name] = said
        return stands

    def _moves(self, row: Row) -> bool:
        told = self._standings.get(row.key or b"", _NOWHERE)
        return told != (_NOWHERE if row.value is None else _standing(row.value))

    def _counted(self, row: Row, gone: Erasures) -> bool:
        change = _change(row.value or b"")
        stands = self._stands((row.key or b"").decode(), gone)
        return change.sequence <= stands.get(change.grading, (0, None))[0]

    def _erased(self, key: bytes, gone: Erasures) -> bool:
        """Say whether the receipt for a customer's erasure was announced, and so its life."""
        erased = gone.of(key.decode())
        return erased is not None and _receipt(erased.receipt.encode()) in self._seen


def _mark(
    topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]
) -> bytes:
    """Return what a record is known by, whoever has written it and whenever."""
    if topic == ERASURE_RECEIPTS:
        return _receipt(key or b"")
    if topic in {TIER_CHANGES, TIER_FORECASTS}:
        parts = [dict(headers)["ce_id"]]
    elif topic == DEAD_LETTERS:
        said = dict(headers)
        parts = [said[name] for name in _SOURCE]
    else:
        parts = [key or b"", value or b""]
    return _digest(topic, *parts)


def _receipt(receipt_id: bytes) -> bytes:
    return _digest(ERASURE_RECEIPTS, receipt_id)


def _digest(topic: str, *parts: bytes) -> bytes:
    return hashlib.blake2b(b"\x1f".join((topic.encode(), *parts)), digest_size=_BYTES).digest()


async def read_announced(
    settings: Settings, progress: Callable[[int], None] | None = None
) -> Announced:
    """Read every output topic from its first record to its last.

    *progress* is told now and then how many records were read.

    Raises:
        MissingTopicError: A topic is missing.
        aiokafka.errors.KafkaError: The broker does not answer.
    """
    topics = {settings.topic(base): base for base in TOPICS}
    found = Announced(settings.buckets)
    counts = await partitions_of(settings, topics)
    count = 0
    async with reader(settings) as client:
        async for record in read(client, await spans(client, counts)):
            found.note(topics[record.topic], record)
            count += 1
            if progress is not None and count % _TELL_EVERY == 0:
                progress(count)
    return found
