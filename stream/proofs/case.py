"""A policy on trial: what every proof is given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import BaseModel

from schemas.policy.conditions import MeasureCondition
from stream.proofs.traits import Traits, traits_of
from stream.proofs.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.policy import PolicyDocument
    from schemas.policy.findings import Location
    from schemas.policy.gradings import Grading as GradingDocument
    from stream.plan import Plan

ANOTHER = "another"
"""A text that the policy does not name."""

_TIER_KEYS = ("tier", "level", "grade", "class", "segment", "cell", "stage")


@dataclass(frozen=True, slots=True)
class Case:
    """A policy, what it compiles to, and what is known of its measures.

    Attributes:
        document: As written.
        plan: As compiled.
        traits: By position of the measure. The texts of a measure of text are those that the
            policy tells apart, and `ANOTHER`.
        words: Says readings.
    """

    document: PolicyDocument
    plan: Plan
    traits: tuple[Traits, ...]
    words: Words

    def grading(self, position: int) -> GradingDocument:
        """Return a grading as written."""
        return self.document.gradings[self.plan.gradings[position].name]

    def place(self, position: int) -> Location:
        """Return where a grading stands in the file."""
        return ("gradings", self.plan.gradings[position].name)

    def place_of(self, position: int, tier: str) -> Location:
        """Return where a tier of a grading stands in the file; the grading, if nowhere."""
        at = self.place(position)
        for key, rows in self.grading(position):
            if isinstance(rows, tuple):
                for row, part in enumerate(rows):
                    if isinstance(part, BaseModel) and any(
                        getattr(part, name, None) == tier for name in _TIER_KEYS
                    ):
                        return (*at, key, row)
        return at

    def measure(self, name: str) -> int:
        """Return the position of a measure."""
        return list(self.document.measures).index(name)


def case_of(document: PolicyDocument, plan: Plan) -> Case:
    """Return the case of a checked policy."""
    traits = [traits_of(document.measures[measure.name], measure) for measure in plan.measures]
    for position, one in enumerate(traits):
        if one.domain.texts is not None:
            texts = (*sorted(_texts(document, plan, position)), ANOTHER)
            traits[position] = replace(one, domain=replace(one.domain, texts=texts))
    return Case(document, plan, tuple(traits), Words(plan, document.exponent))


def _texts(document: PolicyDocument, plan: Plan, measure: int) -> set[str]:
    """Return every text that a grading may compare a measure with; some more do no harm."""
    name = plan.measures[measure].name
    found: set[str] = set()
    for grading, inputs in zip(plan.gradings, plan.inputs, strict=True):
        part = document.gradings[grading.name]
        tests = [
            test
            for _, test in part.tests()
            if isinstance(test, MeasureCondition) and test.measure == name
        ]
        for test in tests:
            found.update(text for text in test.is_ or () if isinstance(text, str))
        if measure in inputs and not tests:
            found.update(strings(part))
    return found - document.measures.keys() - document.gradings.keys()


def strings(part: object) -> Iterator[str]:
    """Yield every text and every key inside a part of a policy.

    >>> sorted(strings({"a": ("b", {"c": 1})}))
    ['a', 'b', 'c']
    """
    if isinstance(part, str):
        yield part
    elif isinstance(part, BaseModel):
        for _, value in part:
            yield from strings(value)
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from strings(key)
            yield from strings(value)
    elif isinstance(part, tuple | list):
        for value in part:
            yield from strings(value)
