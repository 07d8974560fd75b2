"""Cursors into the newest changes: nothing twice, nothing left out, and honest about the past."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.projection.recent import GoneError, Recent, Told, cursor_text, parse_cursor


def filled(partitions: list[int], capacity: int = 1_000) -> Recent:
    """Return a ring that has read one change of each partition named, in that order."""
    recent = Recent([0, 0, 0], capacity)
    for partition in partitions:
        at = recent.next[partition]
        told = Told(at, f"c{partition}", "value", "up")
        recent.take(partition, at, told, b"%d.%d" % (partition, at))
    return recent


PARTITIONS = st.lists(st.integers(0, 2), max_size=40)


@given(PARTITIONS, PARTITIONS, st.integers(1, 7))
def test_pages_are_everything_once_in_whatever_order_it_is_read_again(
    order: list[int], more: list[int], limit: int
) -> None:
    """A restart reads partitions in another order; a cursor from before goes on all the same."""
    recent = filled(order)
    offsets, seen = [0, 0, 0], list[bytes]()
    for kept in list(recent.after(offsets))[:limit]:
        offsets[kept.partition] = kept.offset + 1
        seen.append(kept.value)
    restarted = filled([*sorted(order), *more])
    rest = [kept.value for kept in restarted.after(parse_cursor(cursor_text(offsets), 3))]
    wanted = {kept.value for kept in restarted.after([0, 0, 0])}
    assert sorted([*seen, *rest]) == sorted(wanted)


def test_what_was_dropped_is_gone_for_those_who_had_not_read_it() -> None:
    recent = filled([0, 0, 0, 1, 1], capacity=3)
    recent.check([2, 0, 0])
    with pytest.raises(GoneError):
        recent.check([1, 0, 0])


def test_a_place_the_topic_has_never_come_to_is_gone() -> None:
    """The topic was made anew: to wait for that offset would be to miss all before it."""
    with pytest.raises(GoneError):
        filled([0]).check([5, 0, 0])


@given(PARTITIONS, st.integers(0, 40))
def test_from_a_serial_on_nothing_is_skipped_where_customers_were_forgotten(
    order: list[int], serial: int
) -> None:
    recent = filled(order)
    recent.forget(lambda customer_id: customer_id == "c1")
    wanted = [kept.serial for kept in recent.after([0, 0, 0]) if kept.serial >= serial]
    assert [kept.serial for kept in recent.after([0, 0, 0], serial)] == wanted


@pytest.mark.parametrize("text", ["", "1..2", "1.-2", "a", "1.2 ", "٣.1.2"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_cursor(text, 3)
