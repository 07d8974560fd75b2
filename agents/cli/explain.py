"""`tierstream explain`: where a customer stands, why, and what would change it."""

from typing import Annotated

import typer

from agents.cli import customer_state, options, show, stood
from agents.cli.explain_screen import screen
from agents.cli.explain_words import Words
from stream.explanation import explain as explained
from stream.explanation.payload import explanation_payload


def explain(  # noqa: PLR0913, PLR0917 - these are the options of a command
    customer: options.Customer,
    at: customer_state.At = None,
    reread: Annotated[
        bool,
        typer.Option(
            "--reread",
            help="With --at: read the input topics also where the history in Redis says the tiers.",
        ),
    ] = False,
    offline: customer_state.Offline = None,
    everywhere: customer_state.Everywhere = False,
    language: options.Lang = "en",
    policy: options.Policy = None,
    kafka: options.Kafka = None,
    redis: options.Redis = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Explain a customer: tiers, scores that add up, what is missing, what comes next."""
    settings = options.settings_from(kafka, redis, namespace, policy)
    own = options.policy_from(settings)
    at_ms = options.instant_from(at, "--at")
    if at_ms is not None and offline is None and not (reread or everywhere):
        kept = stood.load(settings, customer, at_ms)
        if kept is not None:
            stood.tell(kept, own, language, as_json=as_json)
            return
    known = customer_state.state_of(
        settings, own, customer, at_ms=at_ms, offline=offline, everywhere=everywhere
    )
    plan = known.plan
    with customer_state.everyone(settings, known) as order:
        found = explained(customer, known.state, plan, known.now_ms, order)
    from_topics = at_ms is not None and offline is None
    if as_json:
        source = "topics" if from_topics else "store" if offline is None else "log"
        show.print_json(explanation_payload(found, plan, source, known.edition))
        return
    words = Words(known.document, language)
    for piece in screen(found, plan, words, known.edition):
        show.out.print(piece)
    if from_topics:
        show.out.print(words.say("from_topics"), style="dim")
