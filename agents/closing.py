"""A bucket's commit, and what is counted of it once it is written: nothing is counted twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.stability import Suppressed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.letters import Letter
    from agents.metrics import Metrics
    from stream.bucket.tally import Tally
    from stream.store import BucketCommit


class Closed(NamedTuple):
    """What a batch changes in one bucket, on its way to the store.

    Attributes:
        commit: What is to be written.
        tally: What was done.
        letters: The dead letters among the rows of the commit.
    """

    commit: BucketCommit
    tally: Tally
    letters: Sequence[Letter] = ()

    def tell(self, metrics: Metrics) -> None:
        """Count it there; call this when the store has taken it.

        A batch that is refused is folded again, and what came of it the first time never was.
        """
        tally = self.tally
        metrics.applied.inc(tally.applied)
        metrics.repeated.inc(tally.repeated)
        metrics.ignored.inc(tally.ignored)
        metrics.waiting.inc(tally.waiting)
        metrics.woken.inc(tally.woken)
        metrics.brought.inc(tally.brought)
        for change in tally.changes:
            metrics.changes.labels(change.grading, change.cause.kind, change.direction).inc()
        for warning in tally.warnings:
            metrics.warnings.labels(warning.grading, warning.status).inc()
        for _, aside in tally.asides:
            if isinstance(aside, Suppressed):
                metrics.suppressed.labels(aside.grading, aside.rule).inc()
        for letter in self.letters:
            metrics.dead_letters.labels(letter.topic, letter.reason).inc()
