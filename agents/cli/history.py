"""`tierstream history`: a customer's last transitions, as they were announced."""

from collections.abc import Iterator

from agents.cli import options, show
from agents.cli.errors import CommandError
from agents.cli.explain_words import Words
from agents.cli.stores import opened
from agents.settings import Settings
from schemas.policy import PolicyDocument
from stream.changes import Reason
from stream.history import Transition, decode_transition, transition_payload
from stream.partition import bucket_of
from stream.payloads import pin_status


def history(
    customer: options.Customer,
    language: options.Lang = "en",
    policy: options.Policy = None,
    redis: options.Redis = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Show a customer's last changes of tier, oldest first, each with its cause and reasons.

    As many are kept as the policy's history_transitions says.
    """
    settings = options.settings_from(None, redis, namespace, policy)
    document = options.policy_from(settings)
    found = _load(settings, customer)
    if as_json:
        transitions = [transition_payload(transition) for transition in found]
        show.print_json({"customer_id": customer, "transitions": transitions})
        return
    words = Words(document, language)
    say = words.say
    made = show.table(
        say("customer", id=customer),
        *(say(key) for key in ("instant", "grading", "from", "to", "cause", "reasons")),
    )
    for transition in found:
        made.add_row(*_cells(transition, document, words))
    show.out.print(made)


def _load(settings: Settings, customer_id: str) -> list[Transition]:
    with opened(settings) as (store, known):
        kept = store.load_history(bucket_of(customer_id, known.buckets), customer_id)
    if not kept:
        raise CommandError(
            f"no change of customer {customer_id!r} is kept in Redis under {settings.key_prefix}"
        )
    return [decode_transition(entry) for entry in kept]


def _cells(transition: Transition, document: PolicyDocument, words: Words) -> tuple[str, ...]:
    """Return a row; what an older policy called otherwise is called by its id."""
    name = transition.grading
    return (
        show.instant(transition.instant_ms),
        grading_text(name, document, words),
        tier_text(name, transition.before, document, words),
        tier_text(name, transition.after, document, words),
        *why(transition, document, words),
    )


def grading_text(name: str, document: PolicyDocument, words: Words) -> str:
    """Return how people call a grading; one that the policy does not have, by its id."""
    return words.grading(name) if name in document.gradings else name


def tier_text(name: str, tier: str | None, document: PolicyDocument, words: Words) -> str:
    """Return how people call a tier of a grading, as `grading_text` does."""
    return words.tier(name, tier) if name in document.gradings or tier is None else tier


def why(transition: Transition, document: PolicyDocument, words: Words) -> tuple[str, str]:
    """Return the cause of a transition and its reasons, as markup."""
    cause = words.say(f"cause_{transition.cause}")
    return (
        cause if transition.event_id is None else f"{cause} {show.escaped(transition.event_id)}",
        "; ".join(map(show.escaped, _reasons(transition, document, words))),
    )


def _reasons(transition: Transition, document: PolicyDocument, words: Words) -> Iterator[str]:
    """Yield why: measures that moved, a pin, and a rule on stability that was waited for."""
    for reason in transition.reasons:
        yield _reason(reason, document, words)
    pin, waited = transition.pin, transition.waited
    if pin is not None:
        status = pin_status(pin, transition.instant_ms)
        yield words.say(f"pin_{status}", author=pin.author, reason=pin.reason)
    if waited is not None:
        since = show.instant(waited.since_ms)
        yield words.say("waited", since=since, rule=words.say(waited.rule))


def _reason(reason: Reason, document: PolicyDocument, words: Words) -> str:
    if reason.unit == "tier":
        known = reason.name in document.gradings
        name = words.grading(reason.name) if known else reason.name
        tiers = [None if side is None else str(side) for side in (reason.before, reason.after)]
        sides = [words.tier(reason.name, tier) if known else str(tier) for tier in tiers]
    else:
        name = words.measure(reason.name) if reason.name in document.measures else reason.name
        sides = [words.reading(side, reason.unit) for side in (reason.before, reason.after)]
    return f"{name} {sides[0]} → {sides[1]}"
