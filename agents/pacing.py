"""Which turn looks for deadlines, which moves quiet buckets on, and how much may wait. Pure."""

from __future__ import annotations

from dataclasses import dataclass

LOOK_EVERY_S = 0.2
ROWS_EACH = 2  # announced for one customer: a change, and where the customer stands now
APPLY_EVERY_S = 0.05


def beside_live(limit: int) -> int:
    """Return how much of what is in no hurry goes into a turn in which live records wait for it.

    A few milliseconds of work: turns come twenty times a second, and what a turn takes, every live
    record waits for.
    """
    return max(1, limit // 8)


@dataclass(slots=True)
class Pacing:
    """When something is due that is not done with every turn. All in seconds of one clock.

    Attributes:
        flush_every_s: How often cursors and clocks of quiet buckets are written.
        flushed_s: When they were last.
        looked_s: When deadlines were last looked for.
        applied_s: When a batch was last begun to be applied.
    """

    flush_every_s: float
    flushed_s: float = 0.0
    looked_s: float = 0.0
    applied_s: float = 0.0

    def flush_is_due(self, now_s: float) -> bool:
        """Whether quiet buckets are to be written with this turn."""
        return now_s - self.flushed_s >= self.flush_every_s

    def rests(self, now_s: float) -> bool:
        """Whether records are to gather before the next batch of them is applied.

        What a small batch costs hardly depends on its size. Left to itself each commit was
        followed by the next, thirty a second, and on a busy machine everybody waited for that.
        """
        return now_s - self.applied_s < APPLY_EVERY_S

    def look_is_due(self, now_s: float) -> bool:
        """Whether deadlines are to be looked for in this turn.

        With a flush always: clocks may advance only where all deadlines up to them were looked
        for in the same turn. Each at a pace of its own, turns of one length could keep the two
        apart for ever, and a replay would wait for a clock that stands still.
        """
        return self.flush_is_due(now_s) or now_s - self.looked_s >= LOOK_EVERY_S


@dataclass(slots=True)
class Restraint:
    """How much of what is in no hurry may be added to what waits to be announced.

    Attributes:
        most: Rows that may wait; about what the relay publishes in a tenth of a second.
        least: Below so little room nothing is added: small batches cost more than they bring.
        patience_s: After so long without room it is added all the same, once: where nobody
            announces anything, tiers go on being kept.
        went_s: When there was room last.
    """

    most: int = 2_000
    least: int = 500
    patience_s: float = 1.0
    went_s: float = 0.0

    def room(self, waiting: int, now_s: float, *, live: bool) -> int:
        """Return how many rows may be added to those that are *waiting*; 0: none for now.

        A quarter where *live* records bring rows of their own, that would have to wait for them:
        on a busy machine the relay publishes two or three thousand a second.
        """
        most, least = (self.most // 4, self.least // 4) if live else (self.most, self.least)
        room = most - waiting
        if room < least:
            if now_s - self.went_s < self.patience_s:
                return 0
            room = most
        self.went_s = now_s
        return room
