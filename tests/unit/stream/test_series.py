"""Rolling windows over day buckets: edges to the millisecond, late events, retention."""

from __future__ import annotations

import pytest

from stream.calendar import DAY_MS, LocalDays
from stream.ledger import OrderEntry
from stream.sentinels import MISSING, NEVER
from stream.series import Series
from stream.window import Span

HOUR = 3_600_000
UTC_DAYS = LocalDays("UTC")


def series(*spans: Span, retention_ms: int = 0, zone: str = "UTC") -> Series:
    """Return an empty series."""
    return Series(spans, retention_ms, LocalDays(zone))


def days(near: int, far: int) -> Span:
    """Return a window between two ages in days."""
    return Span(near * DAY_MS, far * DAY_MS)


def counts(s: Series, now_ms: int) -> list[int]:
    """Return the count of every window at an instant."""
    s.roll(now_ms)
    return [window.count for window in s.windows]


def test_an_event_leaves_a_window_exactly_its_length_later() -> None:
    """In until one millisecond before; nothing special happens at midnight."""
    s = series(days(0, 3))
    s.add(5 * HOUR, 5 * HOUR, 7, 0)
    assert counts(s, 5 * HOUR + 3 * DAY_MS - 1) == [1]
    assert counts(s, 5 * HOUR + 3 * DAY_MS) == [0]


def test_the_events_of_a_day_leave_together_after_the_last() -> None:
    s = series(days(0, 3))
    s.add(5 * HOUR, 5 * HOUR, 7, 0)
    s.add(20 * HOUR, 20 * HOUR, 5, 0)
    assert counts(s, 20 * HOUR + 3 * DAY_MS - 1) == [2]
    assert counts(s, 20 * HOUR + 3 * DAY_MS) == [0]


def test_the_window_before_takes_over_at_the_same_instant() -> None:
    s = series(days(0, 2), days(2, 4))
    s.add(0, 0, 7, 0)
    assert counts(s, 2 * DAY_MS - 1) == [1, 0]
    assert counts(s, 2 * DAY_MS) == [0, 1]
    assert counts(s, 4 * DAY_MS - 1) == [0, 1]
    assert counts(s, 4 * DAY_MS) == [0, 0]


def test_a_late_event_that_is_its_days_last_brings_the_day_back() -> None:
    """The whole day counts until its last event is old enough, whenever that arrived."""
    s = series(days(0, 1))
    s.add(HOUR, HOUR, 7, 0)
    now = DAY_MS + 2 * HOUR
    assert counts(s, now) == [0]
    s.add(20 * HOUR, now, 5, 0)
    assert counts(s, now) == [2]
    assert counts(s, DAY_MS + 20 * HOUR) == [0]


def test_the_calendar_of_the_zone_decides_what_a_day_is() -> None:
    """An hour before and after midnight in Shanghai: two days, which leave apart."""
    shanghai = series(days(0, 1), zone="Asia/Shanghai")
    utc = series(days(0, 1))
    for s in (shanghai, utc):
        s.add(15 * HOUR, 17 * HOUR, 1, 0)
        s.add(17 * HOUR, 17 * HOUR, 1, 0)
    assert counts(shanghai, 15 * HOUR + DAY_MS) == [1]
    assert counts(utc, 15 * HOUR + DAY_MS) == [2]


def test_the_peak_falls_when_its_bucket_leaves() -> None:
    s = series(days(0, 3))
    for day, value in enumerate((9, 4, 6)):
        s.add(day * DAY_MS, day * DAY_MS, value, 0)
    peaks = []
    for day in (2, 3, 4, 5):
        s.roll(day * DAY_MS)
        peaks.append(s.windows[0].peak)
    assert peaks == [9, 6, 6, MISSING]


def test_what_no_window_needs_is_dropped_and_its_newest_remembered() -> None:
    s = series(days(0, 1))
    for day in range(10):
        s.roll(day * DAY_MS)
        s.add(day * DAY_MS, day * DAY_MS, day, 0)
    assert len(list(s.rows())) < 6
    assert s.totals.count == 10
    s.adjust(9 * DAY_MS, 9 * DAY_MS, (-1, -9, 0, 0))
    assert s.last_ms() == 8 * DAY_MS
    assert s.latest() == 9


def test_without_windows_what_no_refund_needs_is_dropped_too() -> None:
    """A policy of lifetime figures alone must not keep every day for ever."""
    s = series(retention_ms=10 * DAY_MS)
    for day in range(1_000):
        s.roll(day * DAY_MS)
        s.add(day * DAY_MS, day * DAY_MS, 100, 0)
    assert len(list(s.rows())) <= 14
    assert s.totals.count == 1_000


def test_a_day_that_a_new_one_makes_useless_is_dropped_with_the_event() -> None:
    """Else what is stored depends on whether the customer was read again since."""
    s = series(retention_ms=DAY_MS)
    s.add(0, 0, 5, 0)
    now_ms = 3 * DAY_MS
    s.roll(now_ms)
    s.add(now_ms, now_ms, 7, 0)
    totals, closed, newest = s.pack()
    again = series(retention_ms=DAY_MS)
    again.restore(totals, closed, newest, now_ms)
    assert (closed, again.pack()) == (b"", s.pack())


def test_an_event_older_than_anything_kept_counts_for_life_only() -> None:
    s = series(days(0, 1))
    s.add(100 * DAY_MS, 100 * DAY_MS, 5, 0)
    s.add(0, 100 * DAY_MS, 7, 0)
    assert counts(s, 100 * DAY_MS) == [1]
    assert (s.totals.count, s.totals.first_ms, s.totals.first_value) == (2, 0, 7)
    assert s.last_ms() == 100 * DAY_MS


@pytest.mark.parametrize("same_day", [True, False])
def test_an_event_can_be_taken_back(same_day: bool) -> None:  # noqa: FBT001 - a parameter
    s = series(days(0, 3), days(3, 6))
    s.add(0, 0, 9, 4)
    s.add(HOUR, HOUR, 2, 1)
    at = 2 * HOUR if same_day else 2 * DAY_MS
    s.roll(at)
    before = [*s.rows()], str(s.totals), [(w.count, w.gross, w.cost, w.peak) for w in s.windows]
    assert s.add_recent([OrderEntry(at, 50, 20)], at)
    assert s.windows[0].peak == 50
    assert s.undo()
    after = [*s.rows()], str(s.totals), [(w.count, w.gross, w.cost, w.peak) for w in s.windows]
    assert after == before
    assert not s.undo()


def test_an_event_a_little_ahead_of_its_record_counts_at_once() -> None:
    s = series(days(0, 1))
    s.add(HOUR, 0, 7, 0)
    assert counts(s, 0) == [1]
    totals, closed, newest = s.pack()
    other = series(days(0, 1))
    other.restore(totals, closed, newest, 0)
    assert counts(other, 0) == [1]
    assert counts(other, HOUR + DAY_MS) == [0]


def test_the_future_of_a_window_is_told_in_order() -> None:
    s = series(days(1, 3))
    for day in range(3):
        s.add(day * DAY_MS, day * DAY_MS, 1, 0)
    s.roll(2 * DAY_MS)
    future = [
        (at // DAY_MS, row[0] // DAY_MS, sign) for at, row, sign in s.changes_of(s.windows[0])
    ]
    assert future == [(3, 2, 1), (3, 0, -1), (4, 1, -1), (5, 2, -1)]


def test_an_empty_series_never_changes() -> None:
    s = series(days(0, 1))
    assert s.next_roll_ms == NEVER
    assert s.last_ms() == s.latest() == MISSING
    assert not list(s.changes_of(s.windows[0]))
