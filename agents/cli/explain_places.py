"""Where a customer stands among everybody, for people and for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.cli import show
from stream.calendar import format_instant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from agents.cli.explain_words import Words
    from stream.editions import Edition
    from stream.explanation import Explanation, Place, Rank

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
        "percentile": None if rank is None else _percent(rank.percentile),
        "share": None if rank is None or rank.share is None else _percent(rank.share),
        "cumulative_share": None
        if rank is None or rank.cumulative is None
        else _percent(rank.cumulative),
    }


def edition_data(edition: Edition | None) -> dict[str, object] | None:
    """Return which edition the cuts are of; None where none has begun."""
    if edition is None or not edition.number:
        return None
    since = format_instant(edition.instant_ms)
    return {"number": edition.number, "since": since, "cause": edition.cause}


def place_sentences(place: Place, words: Words) -> Iterator[str]:
    """Yield where a reading lies among everybody's, and how far the cuts next to it are."""
    say, named = words.say, words.measure(place.measure)
    among = ""
    if place.segment is not None:
        among = say("among", segment=place.segment or say("the_rest"))
    if place.rank is not None:
        yield say(
            "rank",
            measure=named,
            among=among,
            rank=f"{place.rank.rank:,}",
            customers=f"{place.rank.customers:,}",
            percent=_percent(place.rank.percentile),
        ) + _shares(place.rank, words)
    if place.levels is None:
        yield say("no_cut", measure=named, among=among)
        return
    steps = [
        say(key, level=words.reading(level, place.unit), step=words.reading(step, place.unit))
        for key, level, step in (
            ("cut_up", place.up, _distance(place.up, place.value)),
            ("cut_down", place.down, _distance(place.down, place.value)),
        )
        if level is not None
    ]
    if steps:
        frozen = say("frozen_cut") if place.frozen else ""
        yield say("next_cuts", measure=named, among=among, cuts=", ".join(steps)) + frozen


def edition_sentence(found: Explanation, edition: Edition | None, words: Words) -> str | None:
    """Return since when the cuts are in force, where any of them follows the population."""
    followed = any(
        place.levels is not None and not place.frozen
        for note in found.gradings
        for place in note.places
    )
    if edition is None or not edition.number or not followed:
        return None
    since = show.instant(edition.instant_ms)
    return words.say("cuts_of", number=edition.number, since=since)


def _shares(rank: Rank, words: Words) -> str:
    if rank.share is None or rank.cumulative is None:
        return ""
    share, cumulative = _percent(rank.share), _percent(rank.cumulative)
    return words.say("shares", share=share, cumulative=cumulative)


def _percent(share: Fraction) -> str:
    """Return a share in percent with two decimals, half to even.

    >>> from fractions import Fraction
    >>> _percent(Fraction(2, 3))
    '66.67'
    """
    return f"{round(share * 100 * 10**_PLACES) / 10**_PLACES:.{_PLACES}f}"


def _distance(level: int | None, value: int | None) -> int | None:
    return None if level is None or value is None else abs(level - value)


def _step(level: int | None, value: int | None) -> dict[str, object] | None:
    return None if level is None else {"level": level, "distance": _distance(level, value)}
