"""Ladders of tiers with separate enter and exit levels, and what can be wrong with them."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from pydantic import Field

from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.gradings.base import GradingPart
from schemas.policy.labels import Label
from schemas.policy.part import Items, Part
from schemas.policy.quantities import BasisPoints, Level, Name

_FULL = 100


class Tier(Part):
    """One tier of a ladder.

    Attributes:
        tier: Its name.
        enter: Reached from this level up; None only for the last tier, the floor.
        exit: Kept down to this level; None means the same as enter.
        label: How people call it.
    """

    tier: Name = Field(description="a tier name")
    enter: Level | None = None
    exit: Level | None = None
    label: Label | None = None

    @property
    def keep(self) -> Decimal | None:
        """The least level that keeps a customer in this tier; None for the floor."""
        return self.enter if self.exit is None else self.exit


class Tiered(GradingPart):
    """A grading whose grades are a ladder of tiers."""

    tiers: Items[Tier] = Field(description="a list of tiers, best first")

    @property
    def grades(self) -> tuple[str, ...]:
        """Every grade it can give, best first."""
        return tuple(tier.tier for tier in self.tiers)

    @property
    def ordered(self) -> bool:
        """Whether its grades go from best to worst."""
        return True

    def labels(self) -> dict[str, Label]:
        """Return the labels of the tiers that have one."""
        return {tier.tier: tier.label for tier in self.tiers if tier.label is not None}


def ladder_mistakes(
    at: Location, tiers: Sequence[Tier], *, points: bool = False
) -> Iterator[Mistake]:
    """Yield what is wrong with a ladder of tiers; *points* when its levels are score points."""
    seen: set[str] = set()
    above: Decimal | None = None
    for position, tier in enumerate(tiers):
        place = (*at, position)
        if tier.tier in seen:
            yield Mistake((*place, "tier"), shown(tier.tier), "a name not used above")
        seen.add(tier.tier)
        yield from _tier_mistakes(place, tier, above, last=position + 1 == len(tiers))
        if points:
            yield from _point_mistakes(place, tier)
        above = tier.enter if tier.enter is not None else above


def _tier_mistakes(
    at: Location, tier: Tier, above: Decimal | None, *, last: bool
) -> Iterator[Mistake]:
    if last:
        for key, level in (("enter", tier.enter), ("exit", tier.exit)):
            if level is not None:
                allowed = "nothing: the last tier is the floor, for all who are in no tier above"
                yield Mistake((*at, key), shown(f"{level:f}"), allowed)
        return
    if tier.enter is None:
        yield Mistake((*at, "enter"), None, "a number; only the last tier has no enter")
        return
    if above is not None and tier.enter >= above:
        allowed = f"a number below the enter of the tier above, {above:f} (best tier first)"
        yield Mistake((*at, "enter"), shown(f"{tier.enter:f}"), allowed)
    if tier.exit is not None and tier.exit > tier.enter:
        allowed = f"at most its enter, {tier.enter:f}"
        yield Mistake((*at, "exit"), shown(f"{tier.exit:f}"), allowed)


def _point_mistakes(at: Location, tier: Tier) -> Iterator[Mistake]:
    for key, level in (("enter", tier.enter), ("exit", tier.exit)):
        if level is not None and (isinstance(level, BasisPoints) or not 0 <= level <= _FULL):
            yield Mistake((*at, key), shown(f"{level:f}"), "points from 0 to 100, such as 80")
