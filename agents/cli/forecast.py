"""`tierstream forecast`: what time alone will do to a customer, and what would prevent it."""

from typing import Annotated

import typer
from rich.text import Text

from agents.cli import customer_state, options, show
from agents.cli.explain_words import Words
from stream.calendar import DAY_MS
from stream.explanation.ahead import look_ahead
from stream.explanation.payload import forecast_report
from stream.forecast.outlook import Outlook

_HOUR_MS = DAY_MS // 24
_MOST_DAYS = 36_500


def forecast(  # noqa: PLR0913, PLR0917 - these are the options of a command
    customer: options.Customer,
    days: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, max=_MOST_DAYS, help="Look this many days ahead, and no further."
        ),
    ] = None,
    at: customer_state.At = None,
    offline: customer_state.Offline = None,
    everywhere: customer_state.Everywhere = False,
    language: options.Lang = "en",
    policy: options.Policy = None,
    kafka: options.Kafka = None,
    redis: options.Redis = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Show each grading's next tier if nothing happens, when, and the order that prevents it."""
    settings = options.settings_from(kafka, redis, namespace, policy)
    own = options.policy_from(settings)
    at_ms = options.instant_from(at, "--at")
    state, now_ms, document, plan, *_ = customer_state.state_of(
        settings, own, customer, at_ms=at_ms, offline=offline, everywhere=everywhere
    )
    within_ms = None if days is None else days * DAY_MS
    now_ms, found = look_ahead(customer, state, plan, now_ms, within_ms)
    if as_json:
        show.print_json(forecast_report(customer, found, plan, now_ms))
        return
    words = Words(document, language)
    say = words.say
    headline = Text(say("customer", id=customer), style="bold")
    show.out.print(headline.append(f"  {say('as_of', at=show.instant(now_ms))}", style="dim"))
    made = show.table(
        "", *(say(key) for key in ("grading", "now", "next_tier", "when", "prevents"))
    )
    for one in found:
        made.add_row(words.grading(one.grading), *_row(one, words, now_ms))
    show.out.print(made)


def _row(one: Outlook, words: Words, now_ms: int) -> tuple[str, str, str, str]:
    found, tier = one.forecast, words.tier(one.grading, one.tier)
    if found is None:
        if one.not_before_ms is None:
            return tier, words.say("stays"), words.say("by_time_never"), ""
        at = show.instant(one.not_before_ms)
        return tier, words.say("stays"), words.say("not_before", at=at), ""
    span = _span(found.at_ms - now_ms, words)
    when = f"{show.instant(found.at_ms)}, {words.say('in_time', span=span)}"
    prevents = ""
    if found.prevention is not None:
        prevents = words.prevention(found.prevention)
    elif one.falls:
        prevents = words.say("nothing_prevents")
    return tier, words.tier(one.grading, found.tier), when, prevents


def _span(span_ms: int, words: Words) -> str:
    """Return a time in whole days, or hours where it is less than one."""
    if span_ms >= DAY_MS:
        return words.reading(span_ms // DAY_MS, "days")
    hours = span_ms // _HOUR_MS
    key = "within_hour" if hours == 0 else "one_hour" if hours == 1 else "hours"
    return words.say(key, number=hours)
