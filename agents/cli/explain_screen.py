"""An explanation for people: what stands on the terminal, from the headline to the last line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.padding import Padding
from rich.text import Text

from agents.cli import show
from agents.cli.explain_places import edition_sentence, place_sentences
from agents.cli.explain_tables import (
    GAIN,
    LOSS,
    TIME,
    grades_table,
    measures_table,
    parts_table,
    reaches_table,
    tier_text,
)
from stream.decimals import decimal_text
from stream.explanation import POINTS
from stream.sentinels import MISSING, NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from agents.cli.explain_words import Words
    from stream.counterfactual import Amount
    from stream.editions import Edition
    from stream.explanation import Explanation, GradingNote, Standing
    from stream.plan import Plan
    from stream.stability import Held

_ASIDE: Final = "dim"
_PLAIN: Final = ""
_INDENT: Final = (0, 0, 0, 2)
Sentence = tuple[str, str]
"""What is said, and in which style."""


def screen(
    found: Explanation, plan: Plan, words: Words, edition: Edition | None = None
) -> Iterator[RenderableType]:
    """Yield what to print; *edition* is the one whose cuts are in force, where that is known."""
    say = words.say
    headline = Text(say("customer", id=found.customer_id), style="bold")
    policy = say("policy", name=plan.name, version=plan.version)
    yield headline.append(
        f"  {say('as_of', at=show.instant(found.as_of_ms))}  {policy}\n", style="not bold dim"
    )
    yield _heading(say("grades"))
    yield Padding(grades_table(found, words), _INDENT)
    yield _heading(f"\n{say('measures')}")
    yield Padding(measures_table(found, words), _INDENT)
    for note in found.gradings:
        yield _heading(f"\n{words.grading(note.grading)}  ").append_text(tier_text(note, words))
        table = reaches_table(note, words)
        if note.score is not None:
            table = parts_table(note, note.score.parts, plan, words)
        yield Padding(table, _INDENT)
        for text, style in _sentences(note, plan, words):
            yield Padding(Text(text, style=style), _INDENT)
    deadline_ms = found.deadline_ms
    yield ""
    since = edition_sentence(found, edition, words)
    if since is not None:
        yield since
    if deadline_ms is None:
        yield say("time_does_nothing")
    else:
        yield say("looked_at", at=show.instant(deadline_ms))


def _heading(text: str) -> Text:
    return Text(text, style="bold cyan")


def _sentences(note: GradingNote, plan: Plan, words: Words) -> Iterator[Sentence]:
    """Yield each sentence below a grading's table."""
    say = words.say
    if note.standing is not None:
        yield _ladder(note, note.standing, words), _ASIDE
    for place in note.places:
        for text in place_sentences(place, words):
            yield text, _PLAIN
    for other, tier in note.gradings:
        named = words.grading(other)
        yield say("looks_at", grading=named, tier=words.tier(other, tier)), _ASIDE
    for step in note.path:
        measure = plan.measures[step.measure]
        named = words.measure(measure.name)
        if step.value == MISSING:
            yield say("missing_turn", measure=named), _PLAIN
            continue
        value, level = (words.reading(v, measure.unit) for v in (step.value, step.threshold))
        side = say(step.went)
        yield say("turn", measure=named, value=value, side=side, level=level), _PLAIN
    if note.decided_by is not None:
        yield say("decided", rule=words.rule(note.grading, note.decided_by)), _PLAIN
    if note.tier is None and note.evidence is not None:
        reach, least = note.evidence
        level = words.reading(least, reach.unit)
        yield say("evidence", measure=words.measure(reach.measure), level=level), _PLAIN
    if note.held is not None:
        yield from _held(note, note.held, words)
    yield from _gains(note, words)
    yield from _losses(note, words)
    yield from _outlook(note, words)


def _outlook(note: GradingNote, words: Words) -> Iterator[Sentence]:
    found = note.outlook.forecast
    if found is None:
        return
    tier = words.tier(note.grading, found.tier)
    yield words.say("expected", tier=tier, at=show.instant(found.at_ms)), TIME
    if found.prevention is not None:
        yield words.say("prevented", by=words.prevention(found.prevention)), GAIN


def _held(note: GradingNote, held: Held, words: Words) -> Iterator[Sentence]:
    """Yield what a pin or a rule on stability holds now, and what rules have held back so far."""
    say, waiting, pin = words.say, held.waiting, held.pin
    earned = words.tier(note.grading, note.earned)
    tier = words.tier(note.grading, note.tier)
    if pin is not None:
        until = say("for_good") if pin.until_ms >= NEVER else show.instant(pin.until_ms)
        yield say("pinned", tier=tier, author=pin.author, until=until, reason=pin.reason), TIME
        if note.earned != note.tier:
            yield say("earned_now", earned=earned), _PLAIN
    if waiting is not None:
        since, until = show.instant(waiting.since_ms), show.instant(waiting.due_ms)
        text = say(
            "waiting", earned=earned, since=since, tier=tier, until=until, rule=say(waiting.rule)
        )
        yield text, TIME
    if held.suppressed:
        counts = ", ".join(f"{say(rule)} {count}" for rule, count in held.suppressed.items())
        yield say("suppressed", counts=counts), _ASIDE


def _gains(note: GradingNote, words: Words) -> Iterator[Sentence]:
    standing, orders = note.standing, note.orders
    told = False
    if standing is not None and standing.better is not None and standing.missing is not None:
        tier, enter = standing.better
        told = (
            standing.unit == "money"
            and orders is not None
            and (orders.orders, orders.amount_minor, orders.tier) == (1, standing.missing, tier)
        )
        text = words.say(
            "missing_one" if told else "missing",
            missing=_level(standing.missing, standing, words),
            tier=words.tier(note.grading, tier),
            level=_level(enter, standing, words),
        )
        yield text, GAIN
    if orders is not None and not told:
        yield _orders(orders, note.grading, words), GAIN
    elif orders is None and note.moves.better:
        yield words.say("no_order"), _ASIDE


def _losses(note: GradingNote, words: Words) -> Iterator[Sentence]:
    standing = note.standing
    if standing is not None and standing.exit is not None and standing.margin is not None:
        level = _level(standing.exit, standing, words)
        margin = _level(standing.margin, standing, words)
        yield words.say("margin", level=level, margin=margin), LOSS
    if note.refund is not None:
        amount = words.reading(note.refund.amount_minor, "money")
        tier = words.tier(note.grading, note.refund.tier)
        yield words.say("refund", amount=amount, tier=tier), LOSS
    if note.score is not None and note.moves.worse:
        moves = ", ".join(
            f"{words.measure(move.measure)} {words.reading(move.level, move.unit)} → "
            f"{words.tier(note.grading, move.tier)}"
            for move in note.moves.worse
        )
        yield words.say("falls", moves=moves), LOSS


def _orders(found: Amount, grading: str, words: Words) -> str:
    if found.amount_minor == 0:
        key = "any_order" if found.orders == 1 else "any_orders"
    else:
        key = "one_order" if found.orders == 1 else "orders"
    return words.say(
        key,
        amount=words.reading(found.amount_minor, "money"),
        number=found.orders,
        tier=words.tier(grading, found.tier),
    )


def _ladder(note: GradingNote, standing: Standing, words: Words) -> str:
    """Return all tiers with their levels, best first; the one that is held is marked."""

    def bare(number: int) -> str:
        if standing.unit == POINTS:
            return decimal_text(number, standing.places)
        return words.bare(number, standing.unit)

    told = []
    for tier, enter, leave in standing.rungs:
        text = ("▸" if tier == note.tier else "") + words.tier(note.grading, tier)
        if enter is not None:
            text += f" ≥ {bare(enter)}"
        if leave is not None and leave != enter:
            text += f" ({words.say('kept', level=bare(leave))})"
        told.append(text)
    unit = f" ({words.currency})" if standing.unit == "money" else ""
    return f"{words.say('ladder', unit=unit)}: {' · '.join(told)}"


def _level(number: int, standing: Standing, words: Words) -> str:
    if standing.unit == POINTS:
        return words.say("in_points", number=decimal_text(number, standing.places))
    return words.reading(number, standing.unit)
