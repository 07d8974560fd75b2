"""Where a customer stands among everybody, for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.calendar import format_instant

if TYPE_CHECKING:
    from fractions import Fraction

    from stream.editions import Edition
    from stream.explanation.place import Place

_PLACES = 2


def place_data(place: Place) -> dict[str, object]:
    """Return a place as it is written with ``--json``; shares are percents as text."""
    rank = place.rank
    return {
        "cut": place.cut,
        "measure": place.measure,
        "segment": place.segment,
        "unit": place.unit,
        "value": place.value,
        "levels": None if place.levels is None else list(place.levels),
        "frozen": place.frozen,
        "next_up": _step(place.up, place.value),
        "next_down": _step(place.down, place.value),
        "rank": None if rank is None else rank.rank,
        "customers": None if rank is None else rank.customers,
        "percentile": None if rank is None else percent_text(rank.percentile),
        "share": None if rank is None or rank.share is None else percent_text(rank.share),
        "cumulative_share": None
        if rank is None or rank.cumulative is None
        else percent_text(rank.cumulative),
    }


def edition_data(edition: Edition | None) -> dict[str, object] | None:
    """Return which edition the cuts are of; None where none has begun."""
    if edition is None or not edition.number:
        return None
    since = format_instant(edition.instant_ms)
    return {"number": edition.number, "since": since, "cause": edition.cause}


def percent_text(share: Fraction) -> str:
    """Return a share in percent with two decimals, half to even.

    >>> from fractions import Fraction
    >>> percent_text(Fraction(2, 3))
    '66.67'
    """
    return f"{round(share * 100 * 10**_PLACES) / 10**_PLACES:.{_PLACES}f}"


def distance(level: int | None, value: int | None) -> int | None:
    """Return how far a level is from a reading; None where either is missing."""
    return None if level is None or value is None else abs(level - value)


def _step(level: int | None, value: int | None) -> dict[str, object] | None:
    return None if level is None else {"level": level, "distance": distance(level, value)}
