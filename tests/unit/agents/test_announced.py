"""Of all that there ever was to announce, what the topics do not hold yet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from agents.letters import letter_row
from agents.rebuilding.announced import Announced
from stream.erasure import Erased, pseudonym
from stream.outbox import CUSTOMER_TIERS, DEAD_LETTERS, TIER_CHANGES, Row, decode_row, encode_row

if TYPE_CHECKING:
    from collections.abc import Sequence


def change(customer_id: str, sequence: int) -> bytes:
    """Return a row as it stands in an outbox; only what tells it apart matters."""
    told = {"grading": "value", "sequence": sequence, "to": f"tier {sequence}"}
    value = json.dumps(told).encode()
    headers = [("ce_id", f"{customer_id}-{sequence}".encode())]
    return encode_row(Row(TIER_CHANGES, customer_id.encode(), value, headers, 0))


def tiers(customer_id: str, sequence: int | None) -> bytes:
    """Return where a customer stands, or its tombstone."""
    told = {"grades": {"value": f"tier {sequence}"}, "sequence": {"value": sequence}}
    value = None if sequence is None else json.dumps(told).encode()
    return encode_row(Row(CUSTOMER_TIERS, customer_id.encode(), value, [], 0))


class Record(NamedTuple):
    """A record as a reader gives it."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    partition: int = 0
    offset: int = 7
    timestamp: int = 0


def announced(*rows: bytes) -> Announced:
    """Return what topics know that hold *rows*."""
    found = Announced(buckets=1)
    for row in map(decode_row, rows):
        found.note(row.topic, Record(row.key, row.value, row.headers))
    return found


ALL = [change("c", 1), tiers("c", 1), change("c", 2), change("d", 1), tiers("c", 2), tiers("d", 1)]


def test_everything_is_news_to_empty_topics_but_only_the_last_word_on_where_one_stands() -> None:
    """What is compacted away anyway is not written again."""
    assert announced().news(ALL, {}) == [change("c", 1), *ALL[2:]]


def test_what_was_announced_is_no_news() -> None:
    assert announced(*ALL).news(ALL, {}) == []
    assert announced(*ALL[:2]).news(ALL, {}) == ALL[2:]


def test_changes_that_have_expired_are_known_by_the_sequence_that_a_customer_stands_at() -> None:
    """tier-changes lets go of old records; customer-tiers keeps one for each customer."""
    assert announced(tiers("c", 2), tiers("d", 1)).news(ALL, {}) == []
    assert announced(tiers("c", 1)).news(ALL, {}) == ALL[2:]


def test_where_one_stands_is_told_again_only_where_that_is_another_place() -> None:
    """The instant of such a record depends on batches, grades and sequences do not."""
    rows = [change("c", 1), change("c", 2), tiers("c", 2)]
    assert announced(tiers("c", 1), change("c", 1), change("c", 2)).news(rows, {}) == [rows[2]]
    gone = [tiers("c", 1), tiers("c", None)]
    assert announced(tiers("c", 1)).news(gone, {}) == [gone[1]]
    assert announced(*gone).news(gone, {}) == []


def test_a_new_life_counts_its_sequences_anew() -> None:
    """Where it stands says nothing of the life before, which was told of or is told now."""
    rows = [change("c", 1), change("c", 2), tiers("c", None), change("c", 1), tiers("c", 1)]
    new = encode_row(decode_row(rows[3])._replace(headers=[("ce_id", b"new life")]))
    rows[3] = new
    assert announced(tiers("c", 1), change("c", 1)).news(rows, {}) == [change("c", 2)]


def test_a_dead_letter_is_known_by_the_record_that_was_refused() -> None:
    record: Any = Record(b"c", b"{", [])
    row = letter_row(record, ("orders", 0), "not_json", "said so")
    told = letter_row(record, ("orders", 0), "not_json", "said otherwise")
    other = letter_row(record._replace(offset=8), ("orders", 0), "not_json", "said so")
    assert decode_row(row).topic == DEAD_LETTERS
    assert announced(told).news([row, other], {}) == [other]


def test_where_the_log_does_not_lead_to_is_found() -> None:
    """By a change, and where those have expired by what is said of the customer now."""
    assert announced(*ALL).elsewhere(0, ALL, {}) == {}
    assert announced(*ALL[:3]).elsewhere(0, ALL, {}) == {}
    d = {"value": (1, "tier 1")}
    assert announced(*ALL).elsewhere(0, ALL[:3], {}) == {"d": d}
    assert announced(tiers("c", 2), tiers("d", 1)).elsewhere(0, ALL[:3], {}) == {"d": d}
    other = tiers("d", 1).replace(b"tier 1", b"tier X")
    assert announced(other).elsewhere(0, ALL, {}) == {"d": {"value": (1, "tier X")}}
    assert announced(*ALL).elsewhere(1, [], {}) == {}


def test_of_a_life_that_ended_nothing_holds_any_more() -> None:
    """Its sequences were higher; the bucket remembers that there was one."""
    gone = {pseudonym("c"): msgspec.msgpack.encode(Erased(5, 0, "receipt"))}
    old, new = [change("c", 1), change("c", 2), tiers("c", None)], [change("c", 1), tiers("c", 1)]
    assert announced(*old).elsewhere(0, [*old, *new], gone) == {}
    assert announced(*old, *new).elsewhere(0, [*old, *new], gone) == {}
    assert announced(*old).news(new, gone)[-1] == new[1]
