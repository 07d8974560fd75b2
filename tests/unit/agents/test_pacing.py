"""When a turn looks for deadlines and moves quiet buckets on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.pacing import LOOK_EVERY_S, Pacing, Restraint


@given(st.floats(0.001, 1.0), st.floats(0.001, 3.0), st.floats(0.0, 1.0))
def test_every_flush_comes_with_a_look_whatever_a_turn_takes(
    turn_s: float, flush_every_s: float, looked_s: float
) -> None:
    """Turns of 51 ms kept a flush every 100 ms and a look every 200 ms apart for minutes."""
    pacing = Pacing(flush_every_s, looked_s=looked_s)
    flushes = 0
    for turn in range(1, 200):
        now_s = turn * turn_s
        flushing = pacing.flush_is_due(now_s)
        looking = pacing.look_is_due(now_s)
        assert looking or not flushing
        if looking:
            pacing.looked_s = now_s
        if flushing:
            pacing.flushed_s = now_s
            flushes += 1
        assert now_s - pacing.looked_s < LOOK_EVERY_S + turn_s
    assert flushes >= 199 * turn_s // (flush_every_s + turn_s)


def test_small_batches_come_twenty_times_a_second_and_the_first_at_once() -> None:
    """A record that comes alone waits for nobody."""
    pacing = Pacing(2.0)
    assert not pacing.rests(100.0)
    pacing.applied_s = 100.0
    assert [pacing.rests(100.0 + ms / 1000) for ms in (0, 30, 49, 51)] == [True, True, True, False]


def test_what_waits_to_be_announced_leaves_room_for_little_more() -> None:
    """Nothing is added where the room is too small to be worth a batch."""
    restraint = Restraint(most=100, least=20)
    assert restraint.room(0, 10.0, live=False) == 100
    assert restraint.room(70, 10.1, live=False) == 30
    assert restraint.room(81, 10.2, live=False) == 0
    assert restraint.room(5_000, 10.9, live=False) == 0
    assert restraint.room(15, 10.9, live=True) == 10
    assert restraint.room(21, 10.9, live=True) == 0


def test_where_nothing_is_announced_tiers_are_kept_all_the_same() -> None:
    """One full batch each time that patience has run out."""
    restraint = Restraint(most=100, least=20, patience_s=1.0)
    assert restraint.room(0, 10.0, live=False) == 100
    found = [restraint.room(5_000, 10.0 + tenth / 10, live=False) for tenth in range(1, 25)]
    assert [room for room in found if room] == [100, 100]
