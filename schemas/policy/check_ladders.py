"""Checks of tiers, ranges and weights: the parts of a grading that must be in order."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.gradings import IntervalIndicator, Range, Tier, WeightedIndicator
from schemas.policy.quantities import BasisPoints

_FULL = 100


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
                allowed = "nothing: the last tier is the floor"
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


def range_mistakes(at: Location, ranges: Sequence[Range], *, parts: int) -> Iterator[Mistake]:
    """Yield what is wrong with ranges whose full points are 100 / *parts*."""
    full = Fraction(_FULL, parts)
    before: Decimal | None = None
    for position, part in enumerate(ranges):
        last = position + 1 == len(ranges)
        if last and part.below is not None:
            allowed = "nothing: the last range is open upwards"
            yield Mistake((*at, position, "below"), shown(f"{part.below:f}"), allowed)
        if not last and part.below is None:
            allowed = "a number; only the last range has no below"
            yield Mistake((*at, position, "below"), None, allowed)
        if part.below is not None and before is not None and part.below <= before:
            allowed = f"a number above the range before it, {before:f} (ascending)"
            yield Mistake((*at, position, "below"), shown(f"{part.below:f}"), allowed)
        before = part.below if part.below is not None else before
        if part.points is not None and part.points > full:
            yield Mistake(
                (*at, position, "points"),
                shown(str(part.points)),
                f"at most {full}, as the indicator's 100 points are split over {parts} measures",
            )


def weight_mistakes(
    at: Location, indicators: Mapping[str, IntervalIndicator | WeightedIndicator]
) -> Iterator[Mistake]:
    """Yield a mistake unless the weights add up to the whole."""
    total = sum((indicator.weight for indicator in indicators.values()), Fraction(0))
    if total != 1:
        percent = f"{float(total * 100):.9g}%"
        yield Mistake(at, f"a total weight of {percent}", "weights that add up to 100%")
