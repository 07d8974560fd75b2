"""What is told at once, what is merged, what waits, and what is told to somebody else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from stream.alerting.hours import Hours
from stream.alerting.notices import Notice
from stream.alerting.routing import Channel, Rule
from stream.alerting.threads import (
    MOST_LINES,
    Pace,
    Send,
    Step,
    Thread,
    acknowledge,
    hear,
    thread_key,
    wake,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
TEAM = Channel("team", "en", Hours("UTC"))
RULE = Rule("change", ("team",))


def change(
    sequence: int, customer: str = "ann", *, before: str = "gold", after: str = "silver"
) -> Notice:
    """Return a downgrade of a customer."""
    return Notice(
        kind="change",
        id=f"{customer}-{sequence}",
        customer_id=customer,
        grading="value",
        before=before,
        after=after,
        direction="down",
        sequence=sequence,
        instant_ms=sequence,
        status="order",
    )


@dataclass
class Desk:
    """Keeps what one channel remembers, as the store does."""

    channel: Channel = TEAM
    rule: Rule = RULE
    merge_ms: int = 10 * MINUTE_MS
    threads: dict[str, Thread] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    sent: list[Send] = field(default_factory=list)

    def hear(self, notice: Notice, now_ms: int) -> Sequence[Send]:
        """Take a notice; return what is sent."""
        thread = self.threads.get(thread_key(self.channel.name, notice))
        return self._keep(
            hear(self.channel, self.rule, self.merge_ms, thread, self.pace, notice, now_ms)
        )

    def wake(self, now_ms: int) -> Sequence[Send]:
        """Let time come to *now_ms*."""
        return self._keep(wake(self.channel, self.threads, self.pace, now_ms))

    def due_ms(self) -> int | None:
        """Return when something is next due."""
        return min((thread.due_ms for thread in self.threads.values()), default=None)

    def _keep(self, step: Step) -> Sequence[Send]:
        for key, thread in step.threads.items():
            if thread is None:
                del self.threads[key]
            else:
                self.threads[key] = thread
        self.pace = step.pace
        self.sent += step.sends
        return step.sends


def kinds(sends: Sequence[Send]) -> list[str]:
    return [send.kind for send in sends]


def test_fifty_flaps_in_ten_minutes_give_one_alert_and_one_line() -> None:
    desk = Desk()
    for n in range(50):
        there = {"before": "gold", "after": "silver"}
        back = {"before": "silver", "after": "gold"}
        desk.hear(change(n + 1, **(there if n % 2 == 0 else back)), n * 12_000)
    assert kinds(desk.sent) == ["alert"]
    assert desk.wake(10 * MINUTE_MS - 1) == ()
    (digest,) = desk.wake(10 * MINUTE_MS)
    (line,) = digest.lines
    assert (line.moves, line.before, line.notice.after) == (49, "silver", "gold")
    assert desk.wake(DAY_MS) == ()
    assert desk.threads == {}


def test_a_record_that_comes_twice_is_told_once() -> None:
    desk = Desk()
    assert kinds(desk.hear(change(1), 0)) == ["alert"]
    assert desk.hear(change(1), 5) == ()
    desk.hear(change(2), 10)
    desk.hear(change(2), 11)
    (digest,) = desk.wake(10 * MINUTE_MS)
    assert digest.lines[0].moves == 1


def test_who_was_erased_and_comes_back_begins_anew() -> None:
    """Its sequences count from 1 again; a line of the life that ended is told no more."""
    desk = Desk()
    for sequence in (7, 8):
        desk.hear(change(sequence), 0)
    back = structs.replace(change(1), instant_ms=9)
    assert kinds(desk.hear(back, 10)) == ["alert"]
    assert desk.hear(back, 11) == ()
    assert desk.wake(DAY_MS) == ()


def test_after_the_window_the_next_move_is_an_alert_of_its_own() -> None:
    desk = Desk()
    desk.hear(change(1), 0)
    assert kinds(desk.hear(change(2), 10 * MINUTE_MS)) == ["alert"]
    assert kinds(Desk(merge_ms=0).hear(change(1), 0)) == ["alert"]


def test_without_a_window_every_move_is_told() -> None:
    desk = Desk(merge_ms=0)
    for n in range(3):
        desk.hear(change(n + 1), n)
    assert kinds(desk.sent) == ["alert"] * 3


def test_at_night_everything_waits_for_the_morning_and_comes_together() -> None:
    desk = Desk(replace(TEAM, hours=Hours("UTC", ("21:00", "08:00"))))
    for n, who in enumerate(("ann", "bob", "ann")):
        assert desk.hear(change(n + 1, who), 22 * HOUR_MS + n) == ()
    assert desk.due_ms() == 32 * HOUR_MS
    (digest,) = desk.wake(32 * HOUR_MS)
    assert [(line.notice.customer_id, line.moves) for line in digest.lines] == [
        ("ann", 2),
        ("bob", 1),
    ]


def test_what_is_urgent_is_told_at_night_and_however_much_was_told() -> None:
    night = Hours("UTC", ("21:00", "08:00"))
    desk = Desk(replace(TEAM, hours=night, per_minute=1), replace(RULE, deliver="urgent"))
    for n in range(3):
        assert kinds(desk.hear(change(n + 1), 22 * HOUR_MS + n)) == ["alert"]


def test_a_line_that_falls_due_at_night_waits_for_the_morning() -> None:
    desk = Desk(replace(TEAM, hours=Hours("UTC", ("21:00", "08:00"))))
    desk.hear(change(1), 21 * HOUR_MS - 1)
    desk.hear(change(2), 21 * HOUR_MS - 1)
    assert desk.wake(21 * HOUR_MS + 10 * MINUTE_MS) == ()
    assert desk.due_ms() == 32 * HOUR_MS
    assert kinds(desk.wake(32 * HOUR_MS)) == ["digest"]


def test_digests_gather_what_may_wait() -> None:
    rule = replace(RULE, deliver="digest")
    desk = Desk(replace(TEAM, hours=Hours("UTC", digests=["09:00"])), rule)
    for n, who in enumerate(("ann", "bob")):
        assert desk.hear(change(n + 1, who), HOUR_MS * n) == ()
    assert desk.wake(9 * HOUR_MS - 1) == ()
    (digest,) = desk.wake(9 * HOUR_MS)
    assert len(digest.lines) == 2


def test_an_alert_that_nobody_acknowledges_goes_to_another_channel_once() -> None:
    desk = Desk(rule=replace(RULE, escalate_ms=30 * MINUTE_MS, escalate_to="heads"))
    (alert,) = desk.hear(change(1), 0)
    assert alert.waits
    assert desk.wake(30 * MINUTE_MS - 1) == ()
    (escalation,) = desk.wake(30 * MINUTE_MS)
    assert (escalation.kind, escalation.channel, escalation.origin) == (
        "escalation",
        "heads",
        "team",
    )
    assert escalation.notices == alert.notices
    assert desk.wake(DAY_MS) == ()


def test_an_acknowledged_alert_goes_nowhere_else() -> None:
    desk = Desk(rule=replace(RULE, escalate_ms=30 * MINUTE_MS, escalate_to="heads"))
    desk.hear(change(1), 0)
    desk.threads = {key: acknowledge(thread) for key, thread in desk.threads.items()}
    assert desk.wake(DAY_MS) == ()


def test_a_warning_that_is_withdrawn_needs_no_answer_any_more() -> None:
    rule = Rule("forecast", ("team",), escalate_ms=30 * MINUTE_MS, escalate_to="heads")
    desk = Desk(rule=rule)
    warning = structs.replace(change(1), kind="forecast", status="at_risk")
    assert kinds(desk.hear(warning, 0)) == ["alert"]
    assert desk.hear(structs.replace(warning, sequence=2, status="withdrawn"), 1) == ()
    (digest,) = desk.wake(DAY_MS)
    assert digest.lines[0].notice.status == "withdrawn"


def test_grace_and_warnings_of_one_grading_do_not_take_each_other_for_repeats() -> None:
    """Grace is numbered by its instant, warnings from 1: each has a thread of its own."""
    desk = Desk(rule=Rule("forecast", ("team",)))
    grace = structs.replace(change(5_000), kind="forecast", status="grace_started")
    warning = structs.replace(change(2), kind="forecast", status="at_risk", instant_ms=6_000)
    assert kinds(desk.hear(grace, 5_000)) == ["alert"]
    assert kinds(desk.hear(warning, 6_000)) == ["alert"]
    desk.hear(structs.replace(grace, sequence=7_000, status="grace_ended", instant_ms=7_000), 7_000)
    (digest,) = desk.wake(DAY_MS)
    assert [line.notice.status for line in digest.lines] == ["grace_ended"]


def test_a_large_digest_is_told_in_parts() -> None:
    desk = Desk(rule=replace(RULE, deliver="digest"))
    for n in range(MOST_LINES + 1):
        desk.hear(change(1, f"c{n}"), 0)
    assert [len(send.lines) for send in desk.wake(0)] == [MOST_LINES]
    assert [len(send.lines) for send in desk.wake(1)] == [1]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 90_000)), min_size=1, max_size=60),
    st.integers(1, 4),
    st.sampled_from(["at_once", "digest"]),
    st.booleans(),
)
def test_everything_is_told_and_never_more_than_the_channel_takes(
    heard: list[tuple[int, int]],
    per_minute: int,
    deliver: str,
    quiet: bool,  # noqa: FBT001 - drawn
) -> None:
    """Every notice is an alert or in a line; no 60 seconds hold more than the limit."""
    hours = Hours("UTC", ("00:10", "00:30") if quiet else None)
    rule = replace(RULE, deliver=deliver)  # type: ignore[arg-type]
    desk = Desk(replace(TEAM, per_minute=per_minute, hours=hours), rule)
    now_ms, told = 0, 0
    sent_ms: list[int] = []
    sequences = dict.fromkeys(range(6), 0)

    def take(sends: Sequence[Send]) -> None:
        nonlocal told
        sent_ms.extend(now_ms for _ in sends)
        told += sum(len(send.notices) + sum(line.moves for line in send.lines) for send in sends)

    for customer, wait_ms in heard:
        until_ms = now_ms + wait_ms
        while (due_ms := desk.due_ms()) is not None and due_ms <= until_ms:
            now_ms = max(now_ms, due_ms)
            take(desk.wake(now_ms))
        now_ms = until_ms
        sequences[customer] += 1
        take(desk.hear(change(sequences[customer], f"c{customer}"), now_ms))
    while (due_ms := desk.due_ms()) is not None:
        now_ms = max(now_ms, due_ms)
        take(desk.wake(now_ms))
    assert told == len(heard)
    for first_ms, later_ms in zip(sent_ms, sent_ms[per_minute:], strict=False):
        assert later_ms - first_ms >= MINUTE_MS
    if quiet:
        assert all(hours.quiet_until_ms(at_ms) is None for at_ms in sent_ms)
