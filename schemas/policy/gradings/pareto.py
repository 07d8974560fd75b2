"""Pareto (ABC): classes by the share of the whole that the best customers bring, or by rank."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Literal, Self

from pydantic import Field

from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit
from schemas.policy.gradings.relative import RelativePart
from schemas.policy.labels import Label
from schemas.policy.part import Items, Part
from schemas.policy.quantities import Name, Top, Weight
from schemas.policy.relative import RelativeCut, Statistic


class ParetoClass(Part):
    """A class, and how far down it goes: by what customers bring together, or by their number.

    Attributes:
        name: In the policy: ``class``.
        share: Share of the total that this class and those above it reach.
        top: How many customers are in this class and those above it, or which share of all.
            Neither only for the last class, which takes everyone else.
        label: How people call it.
    """

    name: Name = Field(alias="class", description="a class name")
    share: Weight | None = None
    top: Top | None = None
    label: Label | None = None

    @property
    def end(self) -> int | Fraction | None:
        """Where it ends, whichever way that was said."""
        return self.share if self.top is None else self.top

    def last_mistakes(self, place: Location) -> Iterator[Mistake]:
        """Yield what is wrong if it is the last class."""
        allowed = "nothing: the last class takes everyone else"
        for key, end in (("share", self.share), ("top", self.top)):
            if end is not None:
                yield Mistake((*place, key), shown(_written(end)), allowed)

    def end_mistakes(self, place: Location, before: Self | None) -> Iterator[Mistake]:
        """Yield what is wrong if it is any other class, after the one *before*."""
        key = "share" if self.top is None else "top"
        if self.end is None:
            yield Mistake((*place, "share"), None, 'a percent such as "80%", or a top')
        elif self.share is not None and self.top is not None:
            yield Mistake((*place, "top"), shown(_written(self.top)), "one of share and top")
        elif before is not None and before.end is not None and not self.follows(before):
            allowed = (
                "as the classes above: all with share, or all with top, in customers or percent"
            )
            yield Mistake((*place, key), shown(_written(self.end)), allowed)
        else:
            least = Fraction(0) if before is None or before.end is None else before.end
            if not least < self.end or (isinstance(self.end, Fraction) and self.end >= 1):
                limit = ", below 100%" if isinstance(self.end, Fraction) else ""
                allowed = f"{self.unit} above the class before it, {_written(least)}{limit}"
                yield Mistake((*place, key), shown(_written(self.end)), allowed)

    @property
    def unit(self) -> str:
        """What its end is counted in."""
        return "a percent" if isinstance(self.end, Fraction) else "a number"

    def follows(self, before: Self) -> bool:
        """Say whether its end and that of the class *before* can be compared."""
        return (self.top is None, self.unit) == (before.top is None, before.unit)


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


class Pareto(RelativePart):
    """Classes by cumulative share of a measure, or by rank, from the largest reading down."""

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

    def levels(self) -> Iterator[RelativeCut]:
        """Yield its levels, one between each two classes."""
        shares = tuple(part.share for part in self.classes if part.share is not None)
        tops = tuple(part.top for part in self.classes if part.top is not None)
        kind: Statistic = "tops" if tops else "shares"
        yield RelativeCut("measure", self.measure, kind, len(self.classes) - 1, shares, tops)

    def own_mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with the measure and the classes."""
        yield from fit.numeric((*at, "measure"), self.measure)
        if len(self.classes) == 1:
            yield Mistake((*at, "classes"), "1 class", "2 classes or more")
        seen: set[str] = set()
        for position, part in enumerate(self.classes):
            place = (*at, "classes", position)
            if part.name in seen:
                yield Mistake((*place, "class"), shown(part.name), "a name not used above")
            seen.add(part.name)
            before = self.classes[position - 1] if position else None
            if position + 1 == len(self.classes):
                yield from part.last_mistakes(place)
            else:
                yield from part.end_mistakes(place, before)


def _written(end: int | Fraction) -> str:
    return f"{float(end * 100):.9g}%" if isinstance(end, Fraction) else str(end)
