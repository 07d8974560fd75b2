"""Pareto (ABC): classes by the share of the whole that the best customers bring together."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Literal

from pydantic import Field

from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit
from schemas.policy.gradings.base import GradingPart
from schemas.policy.labels import Label
from schemas.policy.part import Items, Part
from schemas.policy.quantities import Name, Weight
from schemas.policy.relative import RelativeCut


class ParetoClass(Part):
    """A class, and how much the customers down to its end bring together.

    Attributes:
        name: In the policy: ``class``.
        share: Share of the total that this class and those above it reach; None only for the
            last class, which takes everyone else.
        label: How people call it.
    """

    name: Name = Field(alias="class", description="a class name")
    share: Weight | None = None
    label: Label | None = None


ABC = (
    ParetoClass.model_validate(
        {"class": "a", "share": Fraction(4, 5), "label": Label(en="A", zh="A类客户")}
    ),
    ParetoClass.model_validate(
        {"class": "b", "share": Fraction(19, 20), "label": Label(en="B", zh="B类客户")}
    ),
    ParetoClass.model_validate({"class": "c", "label": Label(en="C", zh="C类客户")}),
)
"""A, B and C of seed 001; the shares 80, 95 and 100 % are the usual ones."""


class Pareto(GradingPart):
    """Classes by cumulative share of a measure, from the largest reading down."""

    type: Literal["pareto"]
    measure: Name = Field(description="the name of a measure")
    classes: Items[ParetoClass] = ABC

    @property
    def grades(self) -> tuple[str, ...]:
        """Every grade it can give, best first."""
        return tuple(part.name for part in self.classes)

    @property
    def ordered(self) -> bool:
        """Whether its grades go from best to worst."""
        return True

    def labels(self) -> dict[str, Label]:
        """Return the labels of the classes that have one."""
        return {part.name: part.label for part in self.classes if part.label is not None}

    def relative(self) -> Iterator[RelativeCut]:
        """Yield its levels, one between each two classes."""
        shares = tuple(part.share for part in self.classes if part.share is not None)
        yield RelativeCut("measure", self.measure, "shares", len(self.classes) - 1, shares)

    def own_mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with the measure and the classes."""
        yield from fit.numeric((*at, "measure"), self.measure)
        if len(self.classes) == 1:
            yield Mistake((*at, "classes"), "1 class", "2 classes or more")
        seen: set[str] = set()
        before = Fraction(0)
        for position, part in enumerate(self.classes):
            place = (*at, "classes", position)
            last = position + 1 == len(self.classes)
            if part.name in seen:
                yield Mistake((*place, "class"), shown(part.name), "a name not used above")
            seen.add(part.name)
            if part.share is None:
                if not last:
                    yield Mistake((*place, "share"), None, 'a percent such as "80%"')
            elif last:
                allowed = "nothing: the last class takes everyone else"
                yield Mistake((*place, "share"), shown(_percent(part.share)), allowed)
            elif not before < part.share < 1:
                allowed = f"a percent above the class before it, {_percent(before)}, below 100%"
                yield Mistake((*place, "share"), shown(_percent(part.share)), allowed)
            before = part.share or before


def _percent(share: Fraction) -> str:
    return f"{float(share * 100):.9g}%"
