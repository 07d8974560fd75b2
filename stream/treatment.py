"""Treatment: what a grade is promised, and what changes when the grade does. Pure.

Source: seed 004 (rights and service levels by customer level, at every step of the funnel) and
the strategies for each level of seed 001.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.policy.treatments import Treatment as TreatmentDocument
    from schemas.policy.treatments import Treatments as Document


@dataclass(frozen=True, slots=True)
class Terms:
    """How a customer is looked after; None where nothing is promised.

    Attributes:
        response_hours: Hours until the first response.
        owner: How senior the person in charge is.
        survey_days: Days between two surveys.
        visit_days: Days between two visits.
        action: What is recommended to do next.
    """

    response_hours: int | None = None
    owner: str | None = None
    survey_days: int | None = None
    visit_days: int | None = None
    action: str | None = None


@dataclass(frozen=True, slots=True)
class Treatment:
    """What one grade is promised.

    Attributes:
        benefits: Names, most important first.
        terms: The rest.
    """

    benefits: tuple[str, ...] = ()
    terms: Terms = Terms()


NOTHING = Treatment()


@dataclass(frozen=True, slots=True)
class Exchange:
    """What changes for the customer with a change of grade.

    Attributes:
        granted: Benefits that the grade before did not have, in the order of the policy.
        withdrawn: Benefits that the grade now does not have.
        before: Terms of the grade left.
        after: Terms of the grade reached.
    """

    granted: tuple[str, ...]
    withdrawn: tuple[str, ...]
    before: Terms
    after: Terms

    def payload(self) -> dict[str, object]:
        """Return the published form (see `schemas.tier_changes`)."""
        return {
            "granted": list(self.granted),
            "withdrawn": list(self.withdrawn),
            "before": asdict(self.before),
            "after": asdict(self.after),
        }


@dataclass(frozen=True, slots=True)
class Treatments:
    """The treatments of a policy, by grading and grade."""

    gradings: Mapping[str, Mapping[str, Treatment]]

    def of(self, grading: str, grade: str | None) -> Treatment:
        """Return what a grade is promised: `NOTHING` where the policy says nothing of it."""
        grades = self.gradings.get(grading)
        return NOTHING if grades is None or grade is None else grades.get(grade, NOTHING)

    def exchange(
        self,
        grading: str,
        before: str | None,
        after: str | None,
        older: Treatments | None = None,
    ) -> Exchange | None:
        """Return what a change from *before* to *after* does; None where *grading* has none.

        Where the policy changed with it, *older* are the treatments that *before* came with. It
        tells of this grading alone: a benefit that it withdraws may still be granted by
        another.

        >>> gold, iron = Treatment(("manager", "gift")), Treatment(("gift", "mail"))
        >>> change = Treatments({"value": {"gold": gold, "iron": iron}}).exchange
        >>> found = change("value", "gold", "iron")
        >>> found.granted, found.withdrawn
        (('mail',), ('manager',))
        >>> change("other", "gold", "iron") is None
        True
        """
        older = older or self
        if grading not in self.gradings and grading not in older.gradings:
            return None
        old, new = older.of(grading, before), self.of(grading, after)
        return Exchange(
            granted=tuple(name for name in new.benefits if name not in old.benefits),
            withdrawn=tuple(name for name in old.benefits if name not in new.benefits),
            before=old.terms,
            after=new.terms,
        )


NO_TREATMENTS = Treatments({})


def compile_treatments(document: Document | None) -> Treatments:
    """Return the treatments that a policy's ``treatments`` describe."""
    if document is None:
        return NO_TREATMENTS
    return Treatments(
        {
            grading: {grade: _treatment(part) for grade, part in grades.items()}
            for grading, grades in document.gradings.items()
        }
    )


def _treatment(part: TreatmentDocument) -> Treatment:
    terms = Terms(part.response_hours, part.owner, part.survey_every, part.visit_every, part.action)
    return Treatment(part.benefits, terms)
