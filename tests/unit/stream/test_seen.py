"""De-duplication: bounded by age and by number, the same after a restart."""

from __future__ import annotations

from stream.seen import DedupWindow, Seen


def test_ids_are_recognised_after_a_restart() -> None:
    seen = Seen(DedupWindow())
    seen.checksums["a"] = 1
    seen.checksums["b"] = 2
    blob, dropped = seen.seal(10)
    assert dropped == 0
    assert Seen(DedupWindow(), [blob]).checksums == {"a": 1, "b": 2}


def test_a_batch_without_events_stores_nothing() -> None:
    assert Seen(DedupWindow()).seal(10) == (b"", 0)


def test_blobs_leave_once_their_newest_event_is_too_old() -> None:
    seen = Seen(DedupWindow(age_ms=100))
    blobs: list[bytes] = []
    for number, now_ms in enumerate((1_000, 1_050, 1_100, 1_101)):
        seen.checksums[str(number)] = number
        blob, dropped = seen.seal(now_ms)
        blobs = [*blobs, blob][dropped:]
    assert seen.checksums.keys() == {"1", "2", "3"}
    assert Seen(DedupWindow(age_ms=100), blobs).checksums == seen.checksums


def test_blobs_leave_when_there_are_too_many_events() -> None:
    seen = Seen(DedupWindow(events=4))
    for number in range(6):
        seen.checksums[str(number)] = number
        seen.seal(0)
    assert seen.checksums.keys() == {"2", "3", "4", "5"}


def test_the_newest_batch_is_kept_whole_however_large() -> None:
    """It is only being stored now: what was applied must be known after a crash."""
    seen = Seen(DedupWindow(events=2))
    for number in range(5):
        seen.checksums[str(number)] = number
    blob, dropped = seen.seal(0)
    assert dropped == 0
    assert len(Seen(DedupWindow(events=2), [blob]).checksums) == 5


def test_an_id_that_was_forgotten_may_come_again() -> None:
    seen = Seen(DedupWindow(events=1))
    for number, event_id in enumerate(["a", "b", "a"]):
        seen.checksums[event_id] = number
        seen.seal(0)
    assert seen.checksums == {"a": 2}
