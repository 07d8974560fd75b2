"""What one more order, paid now, can do to each measure."""

from __future__ import annotations

from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING

from schemas.policy import measures as documents
from stream.customer import ORDERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from schemas.policy.measures import Measure as Document
    from stream.measures import Measure
    from stream.proofs.cells import Cell

_A_LONG_DAY = 2
"""Days: a window that ended so long ago, or longer, has seen all of the newest day's orders leave.

Orders of one calendar day leave together, after the last of them; one more order today can take
a day's older orders back out of a window that ended yesterday.
"""


class Move(Enum):
    """Where a reading may go when one more order is paid.

    STAY: nowhere. UP: any number not below it, also from unknown. UP_IF_KNOWN: the same, but
    unknown stays unknown. ZERO: to 0. ZERO_IF_UNKNOWN: from unknown to 0, else nowhere. FIRST: from
    unknown to any number, else nowhere. KNOWN: to any number. ANY: anywhere, also to unknown.
    """

    STAY = "stay"
    UP = "up"
    UP_IF_KNOWN = "up if known"
    ZERO = "zero"
    ZERO_IF_UNKNOWN = "zero if unknown"
    FIRST = "first"
    KNOWN = "known"
    ANY = "any"


def move_of(document: Document, measure: Measure) -> Move:
    """Return what one more order may do to a measure; `Move.ANY` where that is not known."""
    move = Move.ANY
    if ORDERS not in {measure.source, *measure.also}:
        move = Move.STAY
    elif isinstance(document, documents.Windowed):
        move = _windowed(document)
    elif isinstance(document, documents.DaysSinceMeasure):
        move = Move.ZERO if document.days_since == "last_order" else Move.ZERO_IF_UNKNOWN
    elif isinstance(document, documents.FirstMeasure):
        move = Move.FIRST
    elif isinstance(document, documents.LastMeasure):
        move = Move.KNOWN
    elif isinstance(document, documents.GrowthMeasure):
        steady = document.growth != "contribution" and document.window >= _A_LONG_DAY
        move = Move.UP_IF_KNOWN if steady else Move.ANY
    return move


def _windowed(document: documents.Windowed) -> Move:
    if document.before is not None:
        return Move.STAY if document.before >= _A_LONG_DAY else Move.ANY
    if isinstance(document, documents.SumMeasure) and document.sum == "contribution":
        return Move.KNOWN
    if isinstance(document, documents.CountMeasure | documents.SumMeasure | documents.MaxMeasure):
        return Move.UP
    if isinstance(document, documents.RatioMeasure) and document.ratio.to == "contribution":
        return Move.ANY
    return Move.KNOWN


def steps(move: Move, cells: Sequence[Cell]) -> Iterator[tuple[int, int]]:
    """Yield the single steps, from cell to cell, that every move of this kind is made of.

    If a tier does not get worse with any of them, it does not with any move.
    """
    unknown = [place for place, cell in enumerate(cells) if not cell.known]
    known = [place for place, cell in enumerate(cells) if cell.known]
    rising = list(pairwise(known))
    zero = [place for place in known if cells[place].holds(0)]
    if move in {Move.UP, Move.UP_IF_KNOWN, Move.KNOWN, Move.ANY}:
        yield from rising
    if move in {Move.KNOWN, Move.ANY}:
        yield from ((after, before) for before, after in rising)
    if move in {Move.UP, Move.FIRST, Move.KNOWN, Move.ANY}:
        yield from ((place, after) for place in unknown for after in known)
    if move is Move.ANY:
        yield from ((place, before) for place in known for before in unknown)
    if move is Move.ZERO:
        yield from ((place, after) for place in range(len(cells)) for after in zero)
    if move is Move.ZERO_IF_UNKNOWN:
        yield from ((place, after) for place in unknown for after in zero)
