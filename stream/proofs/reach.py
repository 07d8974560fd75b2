"""Which grades can be reached, each with readings that reach it; and which surely cannot."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

from stream.gradings.base import Reading, merged
from stream.gradings.scorecard import Scorecard
from stream.proofs.judge import NOW_MS, Judge
from stream.proofs.scores import CONTINUOUS_CUTS, score_levels
from stream.proofs.space import Combination, Space, TooManyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from stream.customer import Grade, Value
    from stream.plan import Plan
    from stream.proofs.traits import Traits

WALKS = 60
STEPS = 250_000
LEAVES = 25_000


@dataclass(frozen=True, slots=True)
class Witness:
    """Readings that give a tier.

    Attributes:
        values: By position of the measure; those that do not matter are unknown.
        tiers: What the gradings it depends on say, by position of the grading.
        standing: Where the customer stood before.
    """

    values: tuple[Value, ...]
    tiers: tuple[str | None, ...]
    standing: Grade


@dataclass(slots=True)
class Reach:
    """What is known of the tiers of one grading.

    Attributes:
        position: Of the grading.
        measures: Positions of the measures that decide it, directly or not.
        found: A witness for each tier that can be reached.
        never: Tiers that nobody can reach, best first: every combination was looked at.
        open: Tiers of which neither is known, best first.
    """

    position: int
    measures: tuple[int, ...]
    found: dict[str, Witness] = field(default_factory=dict)
    never: tuple[str, ...] = ()
    open: tuple[str, ...] = ()


class Explorer:
    """Looks for what the gradings of one plan can give, each after those it depends on."""

    def __init__(self, plan: Plan, traits: Sequence[Traits]) -> None:
        """Explore *plan*, with what is known of each of its measures."""
        self.judge = Judge(plan)
        self._plan = plan
        self._traits = traits
        self.reached: list[Reach] = []

    def explore(self) -> list[Reach]:
        """Return what is known of every grading, in the order of the plan."""
        for position in range(len(self._plan.gradings)):
            self.reached.append(self._explore(position))
        return self.reached

    def space(self, position: int) -> Space:
        """Return what a grading, and those it depends on, can tell apart."""
        gradings = [self._plan.gradings[i] for i in self.judge.closure(position)]
        evidence = [self._plan.evidence[i] for i in self.judge.closure(position)]
        cuts = merged(
            *(grading.cuts for grading in gradings),
            *({e[0]: (e[1],)} for e in evidence if e is not None),
            *(dict.fromkeys(grading.continuous, CONTINUOUS_CUTS) for grading in gradings),
        )
        traits = {measure: self._traits[measure] for measure in sorted(cuts)}
        return Space(traits, cuts, len(self._plan.measures))

    def outcomes(
        self, position: int, values: Sequence[Value]
    ) -> Iterator[tuple[str | None, tuple[str | None, ...], Grade]]:
        """Yield every ``(tier, tiers of all gradings, standing)`` that readings may come to."""
        before = self.judge.closure(position)[:-1]
        blank: list[str | None] = [None] * len(self._plan.gradings)
        for tiers in self._tiers(before, values, blank):
            reading = Reading(NOW_MS, values, tiers)
            for tier, standing in self.judge.outcomes(position, reading, self._standings(position)):
                yield tier, tuple(tiers), standing

    def _tiers(
        self, positions: Sequence[int], values: Sequence[Value], tiers: list[str | None]
    ) -> Iterator[list[str | None]]:
        if not positions:
            yield tiers
            return
        reading = Reading(NOW_MS, values, tiers)
        first, rest = positions[0], positions[1:]
        given: Iterable[str | None]
        if self.judge.blank(first):
            given = (None, *self._plan.gradings[first].tiers)
        else:
            outcomes = self.judge.outcomes(first, reading, self._standings(first))
            given = [tier for tier, _ in outcomes]
        for tier in given:
            chosen = tiers.copy()
            chosen[first] = tier
            yield from self._tiers(rest, values, chosen)

    def _standings(self, position: int) -> list[Grade]:
        reached = self.reached[position].found if position < len(self.reached) else self._now.found
        return self.judge.standings(position, reached)

    # -- one grading ----------------------------------------------------------

    def _explore(self, position: int) -> Reach:
        space = self.space(position)
        reach = self._now = Reach(position, space.measures)
        tiers = self._plan.gradings[position].tiers
        if self.judge.blank(position):
            reach.open = tiers
            return reach
        self._walk(space, reach)
        wanted = set(tiers) - reach.found.keys()
        if wanted:
            complete, maybe = self._search(space, reach, wanted)
            left = [tier for tier in tiers if tier not in reach.found]
            never = {tier for tier in left if complete and tier not in maybe}
            never |= self._beyond(position, left)
            reach.never = tuple(tier for tier in left if tier in never)
            reach.open = tuple(tier for tier in left if tier not in never)
        return reach

    def _walk(self, space: Space, reach: Reach) -> None:
        """Look at someone new on random walks between the corners of the space."""
        positions = self.judge.closure(reach.position)
        seen: set[Combination] = set()
        tiers = self._plan.gradings[reach.position].tiers
        for chosen in space.walks(random.Random(0), WALKS):  # noqa: S311 - not a secret
            if len(reach.found) == len(tiers):
                return
            if chosen in seen or not space.possible(chosen):
                continue
            seen.add(chosen)
            values = space.readings(chosen)
            if values is not None:
                graded = self.judge.fresh(values, positions)
                tier = graded[reach.position]
                if tier is not None and tier not in reach.found:
                    initial = self.judge.initial(reach.position)
                    reach.found[tier] = Witness(tuple(values), tuple(graded), initial)

    def _search(self, space: Space, reach: Reach, wanted: set[str]) -> tuple[bool, set[str]]:
        """Look at every combination. Return whether that was all, and what only may be."""
        maybe: set[str] = set()
        known = -1
        while known < len(reach.found) and wanted:
            known = len(reach.found)
            try:
                self._sweep(space, reach, wanted, maybe)
            except TooManyError:
                return False, maybe
        return not self._guesses(reach.position), maybe

    def _sweep(self, space: Space, reach: Reach, wanted: set[str], maybe: set[str]) -> None:
        looked = 0
        for chosen in space.combinations(STEPS):
            if not wanted:
                return
            looked += 1
            if looked > LEAVES:
                raise TooManyError
            readings = space.readings(chosen)
            values = space.starts(chosen) if readings is None else readings
            for tier, tiers, standing in self.outcomes(reach.position, values):
                if tier is None or tier in reach.found:
                    continue
                if readings is None:
                    maybe.add(tier)
                else:
                    reach.found[tier] = Witness(tuple(values), tiers, standing)
                    wanted.discard(tier)

    def _guesses(self, position: int) -> bool:
        """Say whether a measure was only sampled, so that looking at all cells proves nothing."""
        return any(self._plan.gradings[i].continuous for i in self.judge.closure(position))

    def _beyond(self, position: int, left: Sequence[str]) -> set[str]:
        """Return the tiers of a scorecard whose levels no sum of points comes to."""
        grading = self._plan.gradings[position]
        if not left or type(grading) is not Scorecard:
            return set()
        levels = score_levels(grading, self._traits)
        if levels is None:
            return set()
        standings = (None, *grading.tiers)
        given = {grading.ladder.tier(level, s) for level, s in product(levels, standings)}
        return {tier for tier in left if tier not in given}
