"""Treatments: what each grade of a grading gets, be it a tier or a stage of the sale."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit, one_of
from schemas.policy.labels import Label, Language, label_in
from schemas.policy.part import Part
from schemas.policy.quantities import Days, Name

_MOST_HOURS = 365 * 24


class Treatment(Part):
    """What a customer of one grade gets; what is left out is not promised.

    Attributes:
        benefits: Names of what is granted, most important first.
        response_hours: Service level: hours until the first response.
        owner: How senior the person in charge is.
        survey_every: How often to ask for their opinion.
        visit_every: How often to visit.
        action: What is recommended to do next.
    """

    benefits: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    response_hours: int | None = Field(default=None, ge=1, le=_MOST_HOURS)
    owner: Name | None = None
    survey_every: Days | None = Field(default=None, description="days such as 90d")
    visit_every: Days | None = Field(default=None, description="days such as 30d")
    action: Name | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """Every name it uses."""
        return (*self.benefits, *(name for name in (self.owner, self.action) if name))


class Treatments(Part):
    """Treatments by grading and grade.

    Attributes:
        names: How people call benefits, owners and actions.
        gradings: By grading, then by grade; a grade left out is promised nothing.
    """

    names: dict[Name, Label] = Field(default_factory=dict)
    gradings: dict[Name, dict[str, Treatment]] = Field(
        min_length=1, description="a mapping of gradings to mappings of grades"
    )

    def called(self, name: str, language: Language) -> str:
        """Return how people call a benefit, an owner or an action."""
        return label_in(language, name, self.names.get(name))

    def mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what does not fit, with *at* as the place of the treatments."""
        used: set[str] = set()
        for grading, grades in self.gradings.items():
            place = (*at, "gradings", grading)
            yield from fit.grading(place, grading, at_key=True)
            known = fit.names.grades_of(grading) if grading in fit.names.gradings else None
            for grade, treatment in grades.items():
                if known is not None and grade not in known:
                    words = one_of(f"a grade of {grading}", grade, known)
                    yield Mistake((*place, grade), shown(grade), words, at_key=True)
                for position, benefit in enumerate(treatment.benefits):
                    if benefit in treatment.benefits[:position]:
                        where = (*place, grade, "benefits", position)
                        yield Mistake(where, shown(benefit), "each benefit once")
                used.update(treatment.named)
        for name in self.names:
            if name not in used:
                words = one_of("a name that a treatment uses", name, sorted(used))
                yield Mistake((*at, "names", name), shown(name), words, at_key=True)
