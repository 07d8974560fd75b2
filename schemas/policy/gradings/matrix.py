"""Matrices: two axes cross, and every crossing is a cell with a name (KAISM, Boston, nine-grid)."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise, product
from typing import Annotated, Literal

from pydantic import Field, Tag

from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit, one_of
from schemas.policy.gradings.base import GradingPart
from schemas.policy.labels import Label
from schemas.policy.part import TAG_MARK, Items, Part, by_key
from schemas.policy.quantities import Level, Name


class MeasureAxis(Part):
    """An axis along a measure.

    Attributes:
        levels: Ascending; a reading at a level stands above it.
        positions: Lowest first, one more than levels.
    """

    measure: Name = Field(description="the name of a measure")
    levels: Items[Level] = Field(description="a list of numbers, ascending")
    positions: Items[Name] = Field(description="a list of names, lowest first")

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of the positions, lowest first."""
        return self.positions

    def mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with the measure, the levels and the names of the positions."""
        yield from fit.numeric((*at, "measure"), self.measure)
        for place, level in enumerate(self.levels):
            yield from fit.fits((*at, "levels", place), self.measure, level)
        for place, (one, two) in enumerate(pairwise(self.levels), start=1):
            if one >= two:
                allowed = f"a number above the level before it, {one:f}"
                yield Mistake((*at, "levels", place), shown(f"{two:f}"), allowed)
        wanted = len(self.levels) + 1
        if len(self.positions) != wanted:
            allowed = f"{wanted} names, one more than there are levels"
            yield Mistake((*at, "positions"), f"a list of {len(self.positions)}", allowed)
        for place, name in enumerate(self.positions):
            if name in self.positions[:place]:
                yield Mistake((*at, "positions", place), shown(name), "a name not used before")


class GradingAxis(Part):
    """An axis along the grades of another grading.

    Attributes:
        positions: Lowest first, each with the grades that stand there.
    """

    grading: Name = Field(description="the name of a grading")
    positions: dict[Name, Items[str]] = Field(
        min_length=2, description="a mapping of positions, lowest first, to lists of grades"
    )

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of the positions, lowest first."""
        return tuple(self.positions)

    def mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield grades that do not exist, stand nowhere, or stand twice."""
        yield from fit.grading((*at, "grading"), self.grading)
        at = (*at, "positions")
        for position, grades in self.positions.items():
            yield from fit.listed((*at, position), self.grading, grades)
        uses = Counter(grade for grades in self.positions.values() for grade in grades)
        for grade in (grade for grade, times in uses.items() if times > 1):
            yield Mistake(at, f"{shown(grade)} at {uses[grade]} places", "each grade once")
        if self.grading in fit.names.gradings:
            for grade in fit.names.grades_of(self.grading):
                if grade not in uses:
                    yield Mistake(at, None, f"a position for the grade {grade} of {self.grading}")


Axis = Annotated[
    Annotated[MeasureAxis, Tag(TAG_MARK + "measure")]
    | Annotated[GradingAxis, Tag(TAG_MARK + "grading")],
    by_key(("measure", "grading"), "a mapping with positions and exactly one of measure, grading"),
]
"""Told apart by which key it has."""


class Cell(Part):
    """A crossing of a row and a column; several crossings may share a name.

    Attributes:
        label: How people call it; of cells with one name, the first label counts.
    """

    cell: Name = Field(description="a name")
    row: Name = Field(description="a position of rows")
    column: Name = Field(description="a position of columns")
    label: Label | None = None


class Matrix(GradingPart):
    """Two axes and a cell for every combination of their positions."""

    type: Literal["matrix"]
    rows: Axis = Field(description="a mapping with positions and one of measure, grading")
    columns: Axis = Field(description="a mapping with positions and one of measure, grading")
    cells: Items[Cell] = Field(description="a list of cells, best first")

    @property
    def grades(self) -> tuple[str, ...]:
        """Every cell name, once, in the order of the policy."""
        return tuple(dict.fromkeys(cell.cell for cell in self.cells))

    def labels(self) -> dict[str, Label]:
        """Return the labels of the cells that have one."""
        found = [(cell.cell, cell.label) for cell in self.cells if cell.label is not None]
        return dict(reversed(found))

    def referred(self) -> tuple[str, ...]:
        """Return the gradings along its axes."""
        axes = (self.rows, self.columns)
        return tuple(dict.fromkeys(a.grading for a in axes if isinstance(a, GradingAxis)))

    def own_mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with the axes, and combinations without a cell or with several."""
        yield from self.rows.mistakes((*at, "rows"), fit)
        yield from self.columns.mistakes((*at, "columns"), fit)
        at = (*at, "cells")
        taken: set[tuple[str, str]] = set()
        for place, cell in enumerate(self.cells):
            for key, given, axis in (
                ("row", cell.row, self.rows),
                ("column", cell.column, self.columns),
            ):
                if given not in axis.steps:
                    words = one_of(f"a position of {key}s", given, axis.steps)
                    yield Mistake((*at, place, key), shown(given), words)
            if (cell.row, cell.column) in taken:
                said = f"row {cell.row}, column {cell.column} a second time"
                yield Mistake((*at, place), said, "each combination of a row and a column once")
            taken.add((cell.row, cell.column))
        for row, column in product(self.rows.steps, self.columns.steps):
            if (row, column) not in taken:
                yield Mistake(at, None, f"a cell for row {row}, column {column}")
