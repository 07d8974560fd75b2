"""The tables of an explanation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from agents.cli import show
from stream.decimals import exact_text
from stream.explanation import Reach
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agents.cli.explain_words import Words
    from stream.explanation import Explanation, GradingNote
    from stream.gradings.base import Part
    from stream.moves import Move
    from stream.plan import Plan

GAIN: Final = "green"
LOSS: Final = "yellow"
TIME: Final = "cyan"


def grades_table(found: Explanation, words: Words) -> Table:
    """Return all gradings at a glance."""
    say = words.say
    made = _table(say("grading"), say("grade"), say("since"), say("changes"), say("next"))
    made.columns[3].justify = "right"
    for note in found.gradings:
        since = "" if note.since_ms is None else show.instant(note.since_ms)
        ahead, next_ = note.outlook.forecast, ""
        if ahead is not None:
            next_ = f"{words.tier(note.grading, ahead.tier)} {show.instant(ahead.at_ms)}"
        made.add_row(
            words.grading(note.grading),
            tier_text(note, words),
            since,
            str(note.sequence),
            Text(next_, style=TIME),
        )
    return made


def measures_table(found: Explanation, words: Words) -> Table:
    """Return every measure of the policy with its reading."""
    made = _table(words.say("measure"), words.say("reading"))
    made.columns[1].justify = "right"
    for name, unit, value in found.measures:
        made.add_row(words.measure(name), words.reading(value, unit))
    return made


def reaches_table(note: GradingNote, words: Words) -> Table:
    """Return what a grading without a score looks at, and where that alone would change it."""
    say = words.say
    sides = [("other_at", (*note.moves.better, *note.moves.worse), GAIN)]
    if note.moves.ordered and not words.is_tag(note.grading):
        sides = [("better_at", note.moves.better, GAIN), ("worse_at", note.moves.worse, LOSS)]
    sides = [side for side in sides if side[1]]
    headings = (say(key) for key, _, _ in sides)
    made = _table(say("measure"), say("reading"), say("range"), *headings)
    made.columns[1].justify = "right"
    rows = {reach.measure: reach for reach in note.reaches}
    for _, moves, _ in sides:
        for move in moves:
            bare = Reach(move.measure, move.unit, move.value, None, None)
            rows.setdefault(move.measure, bare)
    for name, reach in rows.items():
        made.add_row(
            words.measure(name),
            words.reading(reach.value, reach.unit),
            _range(reach, words),
            *(_where(moves, name, note.grading, words, style) for _, moves, style in sides),
        )
    return made


def parts_table(note: GradingNote, parts: Iterable[Part], plan: Plan, words: Words) -> Table:
    """Return how a score adds up: each indicator with its weight, its measures below it."""
    say = words.say
    keys = ("measure", "reading", "range", "points", "adds", "better_at")
    made = _table(*(say(key) for key in keys))
    for column in (1, 3, 4):
        made.columns[column].justify = "right"
    reaches = {reach.measure: reach for reach in note.reaches}
    above = None
    for part in parts:
        points, adds = exact_text(part.points), exact_text(part.contribution)
        named = Text(words.indicator(note.grading, part.indicator), style="bold")
        if part.measure is None:
            made.add_row(named, say("holds" if part.value else "holds_not"), "", points, adds)
            continue
        if part.indicator != above:
            above = part.indicator
            if part.table is not None:
                named.append(f" ({part.table})", style="dim")
            percent = exact_text(part.weight * 100)
            weight = "" if part.weight == 1 else f"× {percent} %"  # noqa: RUF001 - a product
            made.add_row(named, "", "", Text(weight, style="dim"))
        measure = plan.measures[part.measure]
        value = None if part.value == MISSING else part.value
        bare = Reach(measure.name, measure.unit, value, None, None)
        reach = reaches.get(measure.name, bare)
        made.add_row(
            f"  {words.measure(measure.name)}",
            words.reading(reach.value, reach.unit),
            _range(reach, words),
            points,
            adds,
            _where(note.moves.better, measure.name, note.grading, words, GAIN),
        )
    score = note.score
    if score is not None:
        if score.rounding:
            made.add_row(say("rounding"), "", "", "", exact_text(score.rounding), style="dim")
        made.add_section()
        made.add_row(say("score"), "", "", "", exact_text(score.value), style="bold")
    return made


def tier_text(note: GradingNote, words: Words) -> Text:
    """Return the tier that a customer has, to stand out."""
    return Text(words.tier(note.grading, note.tier), style="bold" if note.tier else LOSS)


def _table(*columns: str) -> Table:
    made = Table(box=SIMPLE, show_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    for column in columns:
        made.add_column(column)
    return made


def _where(moves: Iterable[Move], measure: str, grading: str, words: Words, style: str) -> Text:
    told = [
        f"{words.reading(move.level, move.unit)} → {words.tier(grading, move.tier)}"
        for move in moves
        if move.measure == measure
    ]
    return Text("\n".join(told), style=style)


def _range(reach: Reach, words: Words) -> str:
    """Return the range in the unit of the reading, which stands beside it."""
    low, high = reach.low, reach.high
    if low is None:
        return "" if high is None else f"< {words.bare(high, reach.unit)}"
    least = words.bare(low, reach.unit)
    return f"≥ {least}" if high is None else f"{least} … < {words.bare(high, reach.unit)}"
