"""Rules against flapping: how long a tier stands although another was earned."""

from collections.abc import Iterator

from pydantic import Field

from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit
from schemas.policy.part import Part
from schemas.policy.quantities import MAX_DAYS

_DAYS = Field(default=0, ge=0, le=MAX_DAYS)


class Stability(Part):
    """What holds a change of tier back. Days have 24 hours; 0 means the rule is off.

    Attributes:
        minimum_hold_days: No downgrade sooner than so long after the last change. Upgrades
            are not held.
        grace_days: No downgrade before a lower tier was earned for so long without a break.
        cool_down_days: No upgrade sooner than so long after the last downgrade.
        one_step: A downgrade goes one tier down, however low the tier that was earned; the
            next one waits for the hold and the grace again.
    """

    minimum_hold_days: int = _DAYS
    grace_days: int = _DAYS
    cool_down_days: int = _DAYS
    one_step: bool = False

    def mistakes(self, at: Location, grading: str, fit: Fit) -> Iterator[Mistake]:
        """Yield what does not fit, with *at* as the place of these rules in *grading*."""
        if grading in fit.names.gradings and not fit.names.is_ordered(grading):
            allowed = "nothing: the grades of this grading do not go from best to worst"
            yield Mistake(at, shown("stability"), allowed, at_key=True)
        elif not (self.minimum_hold_days or self.grace_days or self.cool_down_days):
            allowed = "at least one of minimum_hold_days, grace_days, cool_down_days above 0"
            yield Mistake(at, "no rule", allowed)
        elif self.one_step and not (self.minimum_hold_days or self.grace_days):
            allowed = "false without minimum_hold_days or grace_days: nothing would part the steps"
            yield Mistake((*at, "one_step"), shown("true"), allowed)
