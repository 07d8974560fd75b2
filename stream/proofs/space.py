"""The readings that a grading can tell apart: cells of every measure it looks at, combined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.proofs.cells import Cell, cells
from stream.proofs.facts import Facts, breaks, fit
from stream.sentinels import MISSING

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping, Sequence

    from stream.customer import Value
    from stream.proofs.traits import Traits

Combination = tuple[int, ...]
"""One cell of each measure, by its place among the cells of that measure."""


class TooManyError(Exception):
    """There are more combinations than may be looked at."""


class Space:
    """Combinations of cells that no fact contradicts.

    Attributes:
        measures: Positions of the measures, in the order of a combination.
        cells: Per measure, its cells.
    """

    def __init__(
        self, traits: Mapping[int, Traits], cuts: Mapping[int, Sequence[int]], width: int
    ) -> None:
        """Combine the measures of *traits* (by position), each cut at *cuts*.

        *width* is the number of measures that the policy has in all.
        """
        self.measures = tuple(traits)
        self._traits = tuple(traits.values())
        self._width = width
        self.cells = tuple(
            cells(one.domain, (*cuts.get(position, ()), *breaks(one, self._traits)))
            for position, one in traits.items()
        )
        self._facts = Facts(self._traits)
        self._allowed = [
            [(before, self._table(before, place)) for before in range(place)]
            for place in range(len(self.measures))
        ]
        self._allowed = [
            [(before, table) for before, table in tables if not all(map(all, table))]
            for tables in self._allowed
        ]

    def _table(self, before: int, place: int) -> list[list[bool]]:
        """Return, by cell of *place* and of *before*, whether both may be had at once."""
        return [
            [fit((self._traits[place], a), (self._traits[before], b)) for b in self.cells[before]]
            for a in self.cells[place]
        ]

    def _fits(self, chosen: Sequence[int], place: int, cell: int) -> bool:
        return all(table[cell][chosen[before]] for before, table in self._allowed[place])

    def possible(self, chosen: Combination) -> bool:
        """Say whether no two cells of a combination contradict each other."""
        return all(self._fits(chosen, place, cell) for place, cell in enumerate(chosen))

    def combinations(self, budget: int) -> Iterator[Combination]:
        """Yield every possible combination.

        Raises:
            TooManyError: More than *budget* steps would be needed; what came is a part.
        """
        if not self.cells:
            yield ()
            return
        steps = 0
        chosen: list[int] = []
        untried = [iter(range(len(self.cells[0])))]
        while untried:
            place = len(untried) - 1
            cell = next(untried[-1], None)
            if cell is None:
                untried.pop()
                if chosen:
                    chosen.pop()
                continue
            steps += 1
            if steps > budget:
                raise TooManyError
            if not self._fits(chosen, place, cell):
                continue
            chosen.append(cell)
            if len(chosen) == len(self.cells):
                yield tuple(chosen)
                chosen.pop()
            else:
                untried.append(iter(range(len(self.cells[place + 1]))))

    def walks(self, dice: random.Random, number: int) -> Iterator[Combination]:
        """Yield combinations on random walks between corners: every measure low, or high.

        A walk moves one measure at a time from the worst customer to the best, or between
        two others as extreme, and so passes through most tiers of any ladder.
        """
        for _ in range(number):
            ends = [[dice.choice((0, -1)) for _ in self.cells] for _ in range(2)]
            start = [end % len(c) for end, c in zip(ends[0], self.cells, strict=True)]
            goal = [end % len(c) for end, c in zip(ends[1], self.cells, strict=True)]
            steps = [place for place, (a, b) in enumerate(zip(start, goal, strict=True)) if a != b]
            moves = [place for place in steps for _ in range(abs(goal[place] - start[place]))]
            dice.shuffle(moves)
            here = start
            yield tuple(here)
            for place in moves:
                here[place] += 1 if goal[place] > here[place] else -1
                yield tuple(here)

    def readings(self, chosen: Combination) -> list[Value] | None:
        """Return readings of every measure of the policy, from the cells of a combination.

        None where none was found that obey all facts. Measures outside are unknown.
        """
        return self._spread(self._facts.readings(self._cells_of(chosen)))

    def starts(self, chosen: Combination) -> list[Value]:
        """Return some reading from each cell, whether or not together they make sense."""
        return self._spread([cell.start for cell in self._cells_of(chosen)]) or []

    def _cells_of(self, chosen: Combination) -> list[Cell]:
        return [self.cells[place][cell] for place, cell in enumerate(chosen)]

    def _spread(self, values: Sequence[Value] | None) -> list[Value] | None:
        if values is None:
            return None
        spread: list[Value] = [MISSING] * self._width
        for position, value in zip(self.measures, values, strict=True):
            spread[position] = value
        return spread
