"""Rankings: whose readings of which measure the store keeps in order, for the cuts of a policy."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from stream.rankings import READING_LIMIT
from stream.sentinels import MISSING, NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.policy import PolicyDocument
    from schemas.policy.gradings.base import GradingPart
    from schemas.policy.relative import RelativeCut, Segment
    from stream.customer import Customer, Value
    from stream.measures import Measure

_DIGEST_BYTES = 4


class Ranking(NamedTuple):
    """One measure, among the customers of a segment, with some minimum evidence.

    Gradings that agree on all three share it.

    Attributes:
        name: The same for the same definition in another version of the policy, and another
            for another definition under the same names.
        measure: Position of the measure.
        evidence: ``(measure, least reading)`` below which a customer does not count.
        segment: Position of the measure of text that says who counts, and whom it must name;
            None: everybody.
        cuts: The cuts that are found from it, by name.
    """

    name: str
    measure: int
    evidence: tuple[int, int] | None
    segment: tuple[int, Segment] | None
    cuts: Mapping[str, RelativeCut]

    def holds(self, values: Sequence[Value]) -> bool:
        """Say whether a customer with these readings is in the segment that is ranked."""
        return self.segment is None or self.segment[1].holds(values[self.segment[0]])

    def counts(self, measures: Sequence[Measure], customer: Customer, now_ms: int) -> bool:
        """Say the same of a customer. Time does not change it."""
        if self.segment is None:
            return True
        by, segment = self.segment
        return segment.holds(measures[by].value(customer, now_ms))

    def reading(
        self, measures: Sequence[Measure], customer: Customer, now_ms: int
    ) -> tuple[int | None, int]:
        """Return a customer's reading, and when time alone may next change it.

        None where the customer does not count: without a reading, or without the evidence.
        Readings of `READING_LIMIT` and beyond are ranked as the last one before it. The customer
        must be in the segment, and have been rolled to *now_ms*. The instant is after *now_ms*
        and never too late; it may be early.
        """
        due_ms = NEVER
        if self.evidence is not None:
            position, least = self.evidence
            evidence = measures[position]
            known: int = evidence.value(customer, now_ms)  # type: ignore[assignment]
            if known < least:
                return None, evidence.due_ms(customer, now_ms, MISSING, least)
            due_ms = evidence.due_ms(customer, now_ms, least, NEVER)
        measure = measures[self.measure]
        value: int = measure.value(customer, now_ms)  # type: ignore[assignment]
        due_ms = min(due_ms, measure.due_ms(customer, now_ms, value, value + 1))
        if value == MISSING:
            return None, due_ms
        return min(max(value, 1 - READING_LIMIT), READING_LIMIT - 1), due_ms


def rankings_of(document: PolicyDocument) -> tuple[Ranking, ...]:
    """Return what has to be ranked for the cuts that follow the population, in file order."""
    position = {name: i for i, name in enumerate(document.measures)}
    found: dict[str, Ranking] = {}
    for cut in document.followed_cuts().values():
        grading = document.gradings[cut.grading]
        name = _name(document, grading, cut)
        ranking = found.get(name) or Ranking(
            name,
            position[cut.measure],
            _evidence(document, grading, position),
            None if cut.segment is None else (position[cut.segment.by], cut.segment),
            {},
        )
        found[name] = ranking._replace(cuts={**ranking.cuts, cut.name: cut})
    return tuple(found.values())


def _evidence(
    document: PolicyDocument, grading: GradingPart, position: Mapping[str, int]
) -> tuple[int, int] | None:
    evidence = grading.minimum_evidence
    if evidence is None:
        return None
    return position[evidence.measure], document.threshold(evidence.measure, evidence.at_least)


def _name(document: PolicyDocument, grading: GradingPart, cut: RelativeCut) -> str:
    """Return the measure's name with a digest of all that its readings depend on."""
    measure, segment = cut.measure, cut.segment
    parts = [document.time_zone, document.currency, str(sorted(document.rates.items()))]
    evidence = grading.minimum_evidence
    named = [measure] if evidence is None else [measure, evidence.measure]
    if segment is not None:
        named.append(segment.by)
        parts += [segment.value, *sorted(segment.others)]
    parts += [document.measures[name].model_dump_json() for name in named]
    if evidence is not None:
        parts.append(str(document.threshold(evidence.measure, evidence.at_least)))
    if document.groups is not None:
        parts += [f"{name}{document.groups.counts(name)}" for name in named]
    digest = hashlib.blake2b("\n".join(parts).encode(), digest_size=_DIGEST_BYTES).hexdigest()
    return f"{measure}~{digest}"
