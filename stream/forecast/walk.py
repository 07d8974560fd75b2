"""What time alone will bring: a copy of a customer is walked through its own deadlines.

No formula for any kind of grading: the copy is judged by the same fold as the customer, so that
scores, matrices, caps, tags and whatever stands between them have their say.

What it costs: a deadline is an instant at which a day bucket enters or leaves a window, a whole
day count reaches a level, or a tag runs out. So a walk has at most two wakes for each window and
bucket, one for each level that counts days, and one for each tag; only a measure whose every
day counts (a lifetime value, a tree without cuts on days) wakes once a day for ever. Therefore
every walk has a limit as well, and says how far it has come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.sentinels import MISSING, NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.changes import Change
    from stream.customer import Customer
    from stream.fold import Scorer


class Foreseen(NamedTuple):
    """What was found.

    Attributes:
        first: The next change of each grading that has one in sight, by name.
        risk_ms: No grade of which a fall is warned changes before this instant, beyond the
            span that had to be walked; conservative.
        unseen_ms: A grading that is not in `first` does not change before this instant;
            `NEVER`: time alone does not change it any more.
        wakes: Deadlines looked at.
    """

    first: dict[str, Change]
    risk_ms: int
    unseen_ms: int
    wakes: int


def foresee(
    scorer: Scorer,
    copy: Customer,
    wanted: Iterable[str],
    *,
    through_ms: int = MISSING,
    until_ms: int = NEVER,
    more: int,
) -> Foreseen:
    """Return what time alone does to *copy*, which it is done to.

    Args:
        scorer: Gives no reasons and warns nobody (see `stream.fold.TerseScorer`).
        copy: A clone of the customer, which has been woken up to its clock.
        wanted: Gradings whose next change is looked for.
        through_ms: Up to and including this instant, every change is looked for of the
            gradings of whose falls the policy warns.
        until_ms: Nothing is looked for beyond this instant.
        more: Most deadlines to look at for the sake of what is *wanted*.
    """
    first: dict[str, Change] = {}
    missing = set(wanted)
    risk_ms: int | None = None
    wakes = 0
    while True:
        due_ms = copy.due_ms
        if copy.risk_ms > through_ms or due_ms > through_ms:
            if risk_ms is None:
                risk_ms = copy.risk_ms
            if not missing or not more or due_ms > until_ms or due_ms >= NEVER:
                break
            more -= 1
        wakes += 1
        for change in scorer.wake(copy, due_ms):
            first.setdefault(change.grading, change)
            missing.discard(change.grading)
    return Foreseen(first, risk_ms, copy.due_ms, wakes)
