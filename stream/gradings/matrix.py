"""Matrices: two axes cross, and every crossing is a cell with a name.

Source: the key account matrix KAISM of seed 001 (关键, 发展, 维持, 机会), the Boston matrix of
seed 002 (明星, 金牛, 问题, 瘦狗), the fit (匹配度) of seed 003 beside value, and the nine-grid
(九宫格) that seed 000 names.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from schemas.policy.gradings.matrix import GradingAxis
from stream.gradings.base import Grading, Reading, Scope, merged
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.policy.gradings.matrix import Axis as AxisDocument
    from schemas.policy.gradings.matrix import Matrix as Document
    from stream.customer import Grade


class Axis(Protocol):
    """Where a reading stands on one axis."""

    def position(self, reading: Reading) -> int | None:
        """Return the position, 0 lowest; None where there is nothing to place."""


@dataclass(frozen=True, slots=True)
class LevelAxis:
    """Positions between ascending levels of a measure."""

    measure: int
    levels: tuple[int, ...]

    def position(self, reading: Reading) -> int | None:
        """Return how many levels the reading has reached; None while it is unknown."""
        value = reading.values[self.measure]
        return None if value == MISSING else bisect_right(self.levels, value)


@dataclass(frozen=True, slots=True)
class TierAxis:
    """Positions by the grade of another grading."""

    grading: int
    positions: Mapping[str, int]

    def position(self, reading: Reading) -> int | None:
        """Return the position of the grade; None while it is not yet graded."""
        grade = reading.tiers[self.grading]
        return None if grade is None else self.positions[grade]


NOWHERE = LevelAxis(0, ())


@dataclass(slots=True)
class Matrix(Grading):
    """Cells by row and column. Not graded while either axis has nothing to place."""

    rows: Axis = NOWHERE
    columns: Axis = NOWHERE
    cells: tuple[tuple[str, ...], ...] = ()

    def tier(self, reading: Reading, standing: Grade) -> str | None:
        """Return the cell in which the axes cross."""
        del standing
        row, column = self.rows.position(reading), self.columns.position(reading)
        return None if row is None or column is None else self.cells[row][column]

    def rank(self, tier: str) -> int | None:
        """Return None: cells call for different treatment, they are not a ladder."""
        del tier
        return None


def compile_matrix(name: str, document: Document, scope: Scope) -> Matrix:
    """Return the grading that *document* describes."""
    cells = {(cell.row, cell.column): cell.cell for cell in document.cells}
    rows, columns = _axis(document.rows, scope), _axis(document.columns, scope)
    axes = (rows, columns)
    return Matrix(
        name,
        document.grades,
        cuts=merged(
            *(
                {axis.measure: (MISSING + 1, *axis.levels)}
                for axis in axes
                if isinstance(axis, LevelAxis)
            )
        ),
        depends=tuple(sorted({a.grading for a in axes if isinstance(a, TierAxis)})),
        rows=rows,
        columns=columns,
        cells=tuple(
            tuple(cells[row, column] for column in document.columns.steps)
            for row in document.rows.steps
        ),
    )


def _axis(document: AxisDocument, scope: Scope) -> LevelAxis | TierAxis:
    if isinstance(document, GradingAxis):
        places = enumerate(document.positions.values())
        positions = {grade: place for place, grades in places for grade in grades}
        return TierAxis(scope.gradings[document.grading], positions)
    levels = tuple(scope.level(document.measure, level) for level in document.levels)
    return LevelAxis(scope.measures[document.measure], levels)
