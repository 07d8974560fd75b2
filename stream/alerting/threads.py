"""What becomes of a notice in a channel: told at once, merged, kept for a digest, escalated. Pure.

A thread is what one channel has heard of one customer in one grading. Threads and the pace of a
channel are all that has to be remembered; time is an argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from stream.alerting.notices import GRACE, Notice
from stream.ids import stable_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.alerting.routing import Channel, Rule

MINUTE_MS = 60_000
REMEMBERED_MS = 10 * MINUTE_MS
"""How long a thread is kept at least, so that a record that is read twice is told once."""
MOST_LINES = 40
"""Customers in one digest; more make another."""


class Line(Struct, array_like=True, frozen=True, gc=False):
    """What the next digest will say of a thread.

    Attributes:
        notice: The last one that was merged into it.
        before: The grade before the first one.
        moves: How many were merged.
        due_ms: When it is to be told.
    """

    notice: Notice
    before: str | None
    moves: int
    due_ms: int


class Waiting(Struct, array_like=True, frozen=True, gc=False):
    """An alert that was told and has to be acknowledged.

    Attributes:
        notice: What was told.
        told_ms: When.
        due_ms: When it is told to others.
        to: The channel that hears of it then.
    """

    notice: Notice
    told_ms: int
    due_ms: int
    to: str


class Thread(Struct, array_like=True, frozen=True, gc=False):
    """What one channel has heard of one customer in one grading.

    Attributes:
        sequence: Of the last notice.
        until_ms: Further moves are merged before this instant.
        keep_ms: Not forgotten before this instant.
        customer_id: Whom it is about.
        instant_ms: When what the last notice tells became true.
    """

    sequence: int
    until_ms: int
    keep_ms: int
    line: Line | None = None
    waiting: Waiting | None = None
    customer_id: str = ""
    instant_ms: int = 0

    @property
    def due_ms(self) -> int:
        """When something has to be done about it."""
        due = [] if self.line is None else [self.line.due_ms]
        if self.waiting is not None:
            due.append(self.waiting.due_ms)
        return min(due, default=self.keep_ms)


class Pace(Struct, array_like=True, frozen=True, gc=False):
    """When a channel was told something in the last minute, ascending."""

    told_ms: tuple[int, ...] = ()

    def free_ms(self, per_minute: int | None, now_ms: int) -> int:
        """Return when the channel may hear the next thing: *now_ms*, or later.

        >>> Pace((0, 30_000)).free_ms(2, 40_000), Pace((0, 30_000)).free_ms(2, 60_000)
        (60000, 60000)
        """
        if per_minute is None or len(self.told_ms) < per_minute:
            return now_ms
        return max(now_ms, self.told_ms[-per_minute] + MINUTE_MS)

    def told(self, now_ms: int) -> Pace:
        """Return the pace with one thing more, told at *now_ms*."""
        return Pace((*(at for at in self.told_ms if at > now_ms - MINUTE_MS), now_ms))


class Send(NamedTuple):
    """One message to a channel.

    Attributes:
        key: The same for the same message, should it be decided on twice.
        channel: Name of the channel.
        kind: alert; escalation: one that nobody has acknowledged; digest.
        origin: Of an escalation, the channel that did not.
        notices: What it is about: one, but for a digest.
        lines: Of a digest, one for each customer and grading.
        waits: Whether it has to be acknowledged.
    """

    key: str
    channel: str
    kind: Literal["alert", "escalation", "digest"]
    origin: str = ""
    notices: tuple[Notice, ...] = ()
    lines: tuple[Line, ...] = ()
    waits: bool = False


class Step(NamedTuple):
    """What follows from a notice or an instant; None: the thread is forgotten."""

    threads: dict[str, Thread | None]
    pace: Pace
    sends: tuple[Send, ...]


def thread_key(channel: str, notice: Notice) -> str:
    """Return the key of the thread that a notice belongs to.

    Complaints stand alone, and so does grace: its notices are not numbered with the warnings.
    """
    kind = "grace" if notice.status in GRACE else notice.kind
    about = notice.id if notice.kind == "complaint" else notice.grading
    return f"{channel}\x1f{kind}\x1f{about}\x1f{notice.customer_id}"


def hear(
    channel: Channel,
    rule: Rule,
    merge_ms: int,
    thread: Thread | None,
    pace: Pace,
    notice: Notice,
    now_ms: int,
) -> Step:
    """Take one notice into the *thread* of its customer in *channel*.

    A notice that the thread has heard before changes nothing. One that is newer, and yet counts
    from the beginning, is of a customer who was erased and came back: its thread begins anew.
    """
    key = thread_key(channel.name, notice)
    if thread is not None and notice.sequence <= thread.sequence:
        if notice.instant_ms <= thread.instant_ms:
            return Step({}, pace, ())
        thread = None
    merging = thread is not None and now_ms < thread.until_ms
    if notice.closes:
        known = thread or _begun(notice, now_ms, now_ms + REMEMBERED_MS)
        due_ms = channel.hours.digest_ms(max(known.until_ms, now_ms + merge_ms))
        return Step({key: _merged(acknowledge(known), notice, due_ms)}, pace, ())
    if rule.deliver == "urgent":
        return _alert(channel, rule, merge_ms, thread, pace, notice, now_ms)
    quiet_ms = channel.hours.quiet_until_ms(now_ms)
    free_ms = pace.free_ms(channel.per_minute, now_ms)
    if thread is not None and merging:
        due_ms = channel.hours.digest_ms(thread.until_ms)
    elif rule.deliver == "digest":
        due_ms = channel.hours.digest_ms(now_ms)
    elif quiet_ms is not None:
        due_ms = quiet_ms
    elif free_ms > now_ms:
        due_ms = free_ms
    else:
        return _alert(channel, rule, merge_ms, thread, pace, notice, now_ms)
    known = thread or _begun(notice, due_ms, now_ms + REMEMBERED_MS)
    return Step({key: _merged(known, notice, due_ms)}, pace, ())


def wake(channel: Channel, threads: Mapping[str, Thread], pace: Pace, now_ms: int) -> Step:
    """Do what is due in *threads*, all of one channel, at *now_ms*.

    Lines that are due go out together. In quiet hours, and when a channel has heard enough for
    a minute, they wait.
    """
    changed: dict[str, Thread | None] = {}
    sends: list[Send] = []
    due = {key: one for key, one in threads.items() if one.due_ms <= now_ms}
    for key, one in due.items():
        rest, send = _escalated(key, one, now_ms)
        changed[key] = rest
        sends += send
    told = [key for key, one in due.items() if one.line is not None and one.line.due_ms <= now_ms]
    ready_ms = channel.hours.quiet_until_ms(now_ms) or pace.free_ms(channel.per_minute, now_ms)
    share, later = (told[:MOST_LINES], told[MOST_LINES:]) if ready_ms <= now_ms else ([], told)
    for key in share:
        changed[key] = replace(changed[key] or due[key], line=None)
    if share:
        pace = pace.told(now_ms)
        lines = tuple(line for key in share if (line := due[key].line) is not None)
        sends.append(Send(_digest_key(lines), channel.name, "digest", lines=lines))
    for key in later:
        line = due[key].line
        if line is not None:
            put_off = replace(line, due_ms=max(ready_ms, now_ms + 1))
            changed[key] = replace(changed[key] or due[key], line=put_off)
    for key, thread in changed.items():
        if thread is not None and _over(thread, now_ms):
            changed[key] = None
    return Step(changed, pace, tuple(sends))


def acknowledge(thread: Thread) -> Thread:
    """Return the thread with its alert acknowledged: nobody else will be told."""
    return replace(thread, waiting=None)


def _alert(
    channel: Channel,
    rule: Rule,
    merge_ms: int,
    thread: Thread | None,
    pace: Pace,
    notice: Notice,
    now_ms: int,
) -> Step:
    """Tell it now; what was kept of the thread for a digest is told there all the same."""
    key = thread_key(channel.name, notice)
    waiting = None if thread is None else thread.waiting
    if rule.escalate_ms:
        waiting = Waiting(notice, now_ms, now_ms + rule.escalate_ms, rule.escalate_to)
    told = replace(
        _begun(notice, now_ms + merge_ms, now_ms + max(merge_ms, REMEMBERED_MS)),
        line=None if thread is None else thread.line,
        waiting=waiting,
    )
    waits = bool(rule.escalate_ms)
    name = channel.name
    send = Send(_key(name, notice, "alert"), name, "alert", notices=(notice,), waits=waits)
    return Step({key: told}, pace.told(now_ms), (send,))


def _begun(notice: Notice, until_ms: int, keep_ms: int) -> Thread:
    return Thread(
        notice.sequence,
        until_ms,
        keep_ms,
        customer_id=notice.customer_id,
        instant_ms=notice.instant_ms,
    )


def _merged(thread: Thread, notice: Notice, due_ms: int) -> Thread:
    """Return *thread* with *notice* in its line; a line that is due earlier stays so."""
    line = thread.line
    if line is None:
        line = Line(notice, notice.before, 1, due_ms)
    else:
        line = Line(notice, line.before, line.moves + 1, min(line.due_ms, due_ms))
    return replace(thread, sequence=notice.sequence, line=line, instant_ms=notice.instant_ms)


def _escalated(key: str, thread: Thread, now_ms: int) -> tuple[Thread, list[Send]]:
    """Tell another channel of an alert that nobody has acknowledged in time."""
    waiting = thread.waiting
    if waiting is None or waiting.due_ms > now_ms:
        return thread, []
    notice, origin = waiting.notice, key.partition("\x1f")[0]
    told = _key(origin, notice, "escalation")
    send = Send(told, waiting.to, "escalation", origin, (notice,))
    return replace(thread, waiting=None), [send]


def _over(thread: Thread, now_ms: int) -> bool:
    return thread.line is None and thread.waiting is None and thread.keep_ms <= now_ms


def _key(channel: str, notice: Notice, kind: str) -> str:
    return f"{kind}:{channel}:{notice.id}"


def _digest_key(lines: tuple[Line, ...]) -> str:
    # Ids of complaints are their producer's, and may name a customer: a digest outlives its parts.
    return f"digest:{stable_id(*(line.notice.id for line in lines))}"
