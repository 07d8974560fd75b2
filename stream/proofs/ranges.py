"""Tables of ranges: every value falls in exactly one range, and in each some value can fall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel

from schemas.policy.findings import Location, Remark
from stream.proofs.cells import HIGHEST, LOWEST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from stream.proofs.case import Case


@dataclass(frozen=True, slots=True)
class Table:
    """Ranges over one measure, as integers of its unit, with their place in the file.

    Attributes:
        ends: Per range, its first reading and the first one above it.
    """

    location: Location
    measure: str
    ends: tuple[tuple[int, int], ...]


def tables(case: Case) -> Iterator[Table]:
    """Yield every table of ranges of the policy, whichever grading holds it."""
    for name, grading in case.document.gradings.items():
        for location, measure, rows in _found(grading, ("gradings", name), ""):
            levels = [case.document.threshold(measure, end) for end in rows if end is not None]
            starts = [LOWEST, *levels]
            ends = [*levels, HIGHEST]
            yield Table(location, measure, tuple(zip(starts, ends, strict=True)))


def _found(
    part: object, at: Location, measure: str
) -> Iterator[tuple[Location, str, list[Decimal | None]]]:
    if isinstance(part, tuple) and part and all(map(_is_range, part)):
        yield at, measure, [row.below for row in part]
    elif isinstance(part, BaseModel):
        measure = getattr(part, "measure", measure)
        for key, value in part:
            yield from _found(value, (*at, key), measure)
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from _found(value, (*at, key), key if at[-1] == "measures" else measure)
    elif isinstance(part, tuple):
        for place, value in enumerate(part):
            yield from _found(value, (*at, place), measure)


def _is_range(row: object) -> bool:
    """Say whether *row* gives points below a level, in whichever table it stands."""
    return isinstance(row, BaseModel) and {"below", "points"} <= type(row).model_fields.keys()


def range_remarks(case: Case) -> Iterator[Remark]:
    """Yield gaps, overlaps, and ranges that no customer can be in."""
    for table in tables(case):
        position = case.measure(table.measure)
        domain = case.traits[position].domain
        for reading in _probes(table):
            hits = [row for row, (low, end) in enumerate(table.ends) if low <= reading < end]
            if len(hits) != 1:
                value = case.words.value(position, reading)
                ranges = "no range" if not hits else f"{len(hits)} ranges"
                text = f"{table.measure} {value} falls in {ranges}; it must fall in exactly one"
                yield Remark("error", table.location, text)
        for row, (low, end) in enumerate(table.ends):
            value = case.words.value(position, domain.least if end <= domain.least else domain.most)
            if end <= domain.least:
                text = f"no customer can be in this range: {table.measure} is never below {value}"
            elif low > domain.most:
                text = f"no customer can be in this range: {table.measure} is never above {value}"
            else:
                continue
            yield Remark("warning", (*table.location, row), f"{text}; remove it")


def _probes(table: Table) -> Iterator[int]:
    """Yield a reading inside each range, and those on either side of each end."""
    yield LOWEST
    for _, end in table.ends[:-1]:
        yield from (end - 1, end)
    yield HIGHEST - 1
