"""Caps and vetoes: what a grading earned, held down by rules, such as payment behaviour."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, Tag

from schemas.policy.conditions import Condition, GradingCondition, MeasureCondition, leaves
from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit
from schemas.policy.gradings.base import GradingPart
from schemas.policy.labels import Label
from schemas.policy.part import TAG_MARK, Items, Part, by_key
from schemas.policy.quantities import Name

_RULE = Field(description="a name for the rule, shown as what decided")
_WHEN = Field(description="a condition")


class AtMost(Part):
    """While its condition holds, no better tier than this; the rules after it still count."""

    rule: Name = _RULE
    when: Condition = _WHEN
    at_most: Name = Field(description="a tier")
    label: Label | None = None

    @property
    def tier(self) -> tuple[str, str]:
        """The key that names the tier, and the tier."""
        return "at_most", self.at_most


class Veto(Part):
    """While its condition holds, no better tier than this, whatever the rules after it say."""

    rule: Name = _RULE
    when: Condition = _WHEN
    veto: Name = Field(description="a tier")
    label: Label | None = None

    @property
    def tier(self) -> tuple[str, str]:
        """The key that names the tier, and the tier."""
        return "veto", self.veto


CapRule = Annotated[
    Annotated[AtMost, Tag(TAG_MARK + "at_most")] | Annotated[Veto, Tag(TAG_MARK + "veto")],
    by_key(("at_most", "veto"), "a mapping with rule, when and exactly one of at_most, veto"),
]


class Cap(GradingPart):
    """The tier of another grading, lowered by rules in their order. It never raises a tier.

    Attributes:
        of: The grading; its grades are the grades of this one.
        rules: Each that holds lowers the tier; a veto ends the list.
    """

    type: Literal["cap"]
    of: Name = Field(description="the name of a grading")
    rules: Items[CapRule] = Field(description="a list of rules")

    @property
    def grades_from(self) -> str | None:
        """The grading whose grades it gives."""
        return self.of

    @property
    def ordered(self) -> bool:
        """Whether its grades go from best to worst."""
        return True

    def tests(self) -> Iterator[tuple[Location, MeasureCondition | GradingCondition]]:
        """Yield the tests of every rule."""
        for position, rule in enumerate(self.rules):
            yield from leaves(rule.when, ("rules", position, "when"))

    def referred(self) -> tuple[str, ...]:
        """Return the grading that is capped and those that the rules look at."""
        return tuple(dict.fromkeys((self.of, *super().referred())))

    def own_mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with the grading, the names and the tiers of the rules."""
        unfit = list(fit.ladder((*at, "of"), self.of))
        yield from unfit
        grades = () if unfit else fit.grades(self.of)
        seen: set[str] = set()
        for position, rule in enumerate(self.rules):
            place = (*at, "rules", position)
            if rule.rule in seen:
                yield Mistake((*place, "rule"), shown(rule.rule), "a name not used above")
            seen.add(rule.rule)
            key, tier = rule.tier
            if grades and tier not in grades[1:]:
                allowed = f"a grade of {self.of} below the best: {', '.join(grades[1:])}"
                yield Mistake((*place, key), shown(tier), allowed)
