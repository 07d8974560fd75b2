"""`tierstream explain`: where a customer stands, why, and what would change it."""

from agents.cli import customer_state, options, show
from agents.cli.explain_data import data
from agents.cli.explain_screen import screen
from agents.cli.explain_words import Words
from stream.explanation import explain as explained


def explain(  # noqa: PLR0913, PLR0917 - these are the options of a command
    customer: options.Customer,
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
    """Explain a customer: tiers, scores that add up, what is missing, what comes next."""
    settings = options.settings_from(kafka, redis, namespace, policy)
    own = options.policy_from(settings)
    at_ms = options.instant_from(at, "--at")
    state, now_ms, document, plan = customer_state.state_of(
        settings, own, customer, at_ms=at_ms, offline=offline, everywhere=everywhere
    )
    found = explained(customer, state, plan, now_ms)
    if as_json:
        show.print_json(data(found, plan))
        return
    for piece in screen(found, plan, Words(document, language)):
        show.out.print(piece)
