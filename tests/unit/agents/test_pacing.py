"""When a turn looks for deadlines and moves quiet buckets on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agents.pacing import LOOK_EVERY_S, Pacing


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
