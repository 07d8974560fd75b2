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
    from schemas.policy.relative import RelativeCut
    from stream.customer import Customer
    from stream.measures import Measure

_DIGEST_BYTES = 4


class Ranking(NamedTuple):
    """One measure, among the customers with some minimum evidence.

    Gradings that agree on both share it.

    Attributes:
        name: The same for the same definition in another version of the policy, and another
            for another definition under the same names.
        measure: Position of the measure.
        evidence: ``(measure, least reading)`` below which a customer does not count.
        cuts: The cuts that are found from it, by name.
    """

    name: str
    measure: int
    evidence: tuple[int, int] | None
    cuts: Mapping[str, RelativeCut]

    def reading(
        self, measures: Sequence[Measure], customer: Customer, now_ms: int
    ) -> tuple[int | None, int]:
        """Return a customer's reading, and when time alone may next change it.

        None where the customer does not count: without a reading, or without the evidence.
        Readings of `READING_LIMIT` and beyond are ranked as the last one before it. The customer
        must have been rolled to *now_ms*. The instant is after *now_ms* and never
        too late; it may be early.
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
    for cut_name, cut in document.followed_cuts().items():
        grading = document.gradings[cut_name.removesuffix(f".{cut.axis}")]
        name = _name(document, grading, cut.measure)
        ranking = found.get(name) or Ranking(
            name, position[cut.measure], _evidence(document, grading, position), {}
        )
        found[name] = ranking._replace(cuts={**ranking.cuts, cut_name: cut})
    return tuple(found.values())


def _evidence(
    document: PolicyDocument, grading: GradingPart, position: Mapping[str, int]
) -> tuple[int, int] | None:
    evidence = grading.minimum_evidence
    if evidence is None:
        return None
    return position[evidence.measure], document.threshold(evidence.measure, evidence.at_least)


def _name(document: PolicyDocument, grading: GradingPart, measure: str) -> str:
    """Return the measure's name with a digest of all that its readings depend on."""
    parts = [document.time_zone, document.currency, str(sorted(document.rates.items()))]
    evidence = grading.minimum_evidence
    named = [measure] if evidence is None else [measure, evidence.measure]
    parts += [document.measures[name].model_dump_json() for name in named]
    if evidence is not None:
        parts.append(str(document.threshold(evidence.measure, evidence.at_least)))
    if document.groups is not None:
        parts += [f"{name}{document.groups.counts(name)}" for name in named]
    digest = hashlib.blake2b("\n".join(parts).encode(), digest_size=_DIGEST_BYTES).hexdigest()
    return f"{measure}~{digest}"
