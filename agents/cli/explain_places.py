"""Where a customer stands among everybody, for people and for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.cli import show
from stream.explanation.place_payload import distance, percent_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agents.cli.explain_words import Words
    from stream.editions import Edition
    from stream.explanation import Explanation, Place, Rank


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
            percent=percent_text(place.rank.percentile),
        ) + _shares(place.rank, words)
    if place.levels is None:
        yield say("no_cut", measure=named, among=among)
        return
    steps = [
        say(key, level=words.reading(level, place.unit), step=words.reading(step, place.unit))
        for key, level, step in (
            ("cut_up", place.up, distance(place.up, place.value)),
            ("cut_down", place.down, distance(place.down, place.value)),
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
    share, cumulative = percent_text(rank.share), percent_text(rank.cumulative)
    return words.say("shares", share=share, cumulative=cumulative)
