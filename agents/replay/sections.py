"""A log cut at the instants at which a census is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agents.replay.events_jsonl import CONTROLS
from schemas.decode import Rejected, decode_control
from schemas.records import ShadowEnded, ShadowStarted
from stream.beginnings import beginning
from stream.editions import first_edition, scorer_of
from stream.population.cadence import next_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agents.replay.log import LogRecord
    from stream.plan import Plan


class Section(NamedTuple):
    """A stretch of a log.

    Attributes:
        records: In the order of their times; there may be none.
        until_ms: How far time has come after them.
        census: Whether a census is taken then.
    """

    records: Sequence[LogRecord]
    until_ms: int
    census: bool


def sections(log: Sequence[LogRecord], plan: Plan, as_of_ms: int) -> Iterator[Section]:
    """Cut *log* after the records of each census instant after the first record.

    Args:
        log: At least one record; none after *as_of_ms*.
        plan: The policy, until the log publishes another: that one's cadence begins with it.
        as_of_ms: How far time comes in the end; a census at that very instant is taken.
    """
    start = 0
    census_ms = next_of(plan, log[0].record_ms)
    for end, record in enumerate(log):
        while record.record_ms > census_ms:
            yield Section(log[start:end], census_ms, census=True)
            start, census_ms = end, next_of(plan, census_ms)
        if record.topic == CONTROLS:
            published = _published(record, plan)
            if published is not None:
                plan = published
                census_ms = next_of(plan, record.record_ms)
    while census_ms <= as_of_ms:
        yield Section(log[start:], census_ms, census=True)
        start, census_ms = len(log), next_of(plan, census_ms)
    yield Section(log[start:], as_of_ms, census=False)


def _published(record: LogRecord, plan: Plan) -> Plan | None:
    """Return the policy that a control brings into force; None where it is refused."""
    try:
        control = decode_control(record.value)
        if isinstance(control, (ShadowStarted, ShadowEnded)):
            return None
        begin = beginning(control, record.record_ms, record.record_ms, plan)
    except Rejected:
        return None
    return None if begin is None else scorer_of(begin(first_edition(plan.document))).plan
