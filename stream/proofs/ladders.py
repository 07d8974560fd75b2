"""Ladders of tiers: why a tier is out of reach, and tiers that nobody can fall out of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.policy.findings import Remark
from stream.gradings.bands import Bands
from stream.gradings.scorecard import Scorecard
from stream.proofs.scores import score_levels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from stream.gradings.ladder import Ladder
    from stream.proofs.case import Case


@dataclass(frozen=True, slots=True)
class Climb:
    """A ladder, and how far anyone gets on it.

    Attributes:
        ladder: The tiers and their levels.
        what: What is compared with the levels, in words.
        least: Least level that anyone has.
        most: Greatest level that anyone has.
        levels: Every level that anyone may have, where they are few; else None.
        say: Writes a level as its author would.
    """

    ladder: Ladder
    what: str
    least: int
    most: int
    levels: Sequence[int] | None
    say: Callable[[int], str]


def climb_of(case: Case, position: int) -> Climb | None:
    """Return how far anyone gets in a grading; None where it is no ladder or that is not known."""
    grading = case.plan.gradings[position]
    if isinstance(grading, Bands):
        measure = grading.measure
        domain, name = case.traits[measure].domain, case.plan.measures[measure].name

        def level(value: int) -> str:
            return case.words.value(measure, value)

        return Climb(grading.ladder, name, domain.least, domain.most, None, level)
    if type(grading) is Scorecard:  # its kinds may earn points in other ways too
        levels = score_levels(grading, case.traits)
        if levels is None:
            return None
        places = grading.places
        unit = 10**places

        def points(value: int) -> str:
            return f"{value // unit}.{value % unit:0{places}d}" if places else str(value)

        return Climb(grading.ladder, "the score", levels[0], levels[-1], levels, points)
    return None


def out_of_reach(climb: Climb, tier: str) -> str | None:
    """Say why nobody is in a tier and what to do; None where the levels alone do not tell."""
    rungs = climb.ladder.rungs
    place = climb.ladder.tiers.index(tier)
    enter = rungs[place].enter
    if enter is not None and enter > climb.most:
        top = climb.say(climb.most)
        return f"it starts at {climb.say(enter)}, but {climb.what} is never above {top}; lower it"
    above = rungs[place - 1] if place else None
    if above is None or above.enter is None:
        return None
    if above.enter <= climb.least:
        said = f"{climb.what} is never below {climb.say(climb.least)}"
        return f"{said}, so everyone is {above.tier} or better; raise the enter of {above.tier}"
    if climb.levels is not None:
        low, high = climb.least if enter is None else enter, above.enter
        if not any(low <= level < high for level in climb.levels):
            said = f"no points add up to a score from {climb.say(low)} to below {climb.say(high)}"
            return f"{said}; move one of these levels"
    return None


def ladder_remarks(case: Case) -> Iterator[Remark]:
    """Yield a warning for each tier that whoever is in it keeps, whatever happens."""
    for position in range(len(case.plan.gradings)):
        climb = climb_of(case, position)
        if climb is None:
            continue
        for rung in climb.ladder.rungs[:-1]:
            if rung.exit is not None and rung.enter is not None and rung.exit <= climb.least:
                if rung.enter <= climb.least:
                    continue  # the tiers below it are reported: nobody can reach them
                text = (
                    f"whoever is {rung.tier} once never falls to a lower tier: it is kept down to "
                    f"{climb.say(rung.exit)}, and {climb.what} is never below "
                    f"{climb.say(climb.least)}; raise its exit"
                )
                yield Remark("warning", (*case.place_of(position, rung.tier), "exit"), text)
