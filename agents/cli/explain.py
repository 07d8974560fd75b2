"""`tierstream explain`: where a customer stands, why, and what would change it."""

import asyncio
from typing import Annotated

import typer

from agents.cli import options, show
from agents.cli.errors import CommandError
from agents.cli.explain_data import data
from agents.cli.explain_screen import screen
from agents.cli.explain_words import Words
from agents.cli.stores import opened
from agents.replay.offline import replay_offline
from agents.replay.own_history import read_own
from agents.replay.source import load_log
from agents.settings import Settings
from schemas.policy.labels import Language
from stream.explanation import explain as explained
from stream.partition import bucket_of
from stream.plan import Plan, compile_policy

_WHERE = "Where"


def explain(  # noqa: PLR0913, PLR0917 - these are the options of a command
    customer: Annotated[
        str, typer.Argument(metavar="CUSTOMER", help="The customer's id.", show_default=False)
    ],
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            "--as-of",
            metavar="INSTANT",
            help="As it was at this instant: the customer's own records are read again from "
            "the input topics. RFC 3339, or a date for its midnight.",
        ),
    ] = None,
    offline: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|DATASET", help="Replay this through the pure core, and explain that."
        ),
    ] = None,
    everywhere: Annotated[
        bool,
        typer.Option(
            "--all-partitions",
            help="With --at: read every partition, for producers that do not partition as "
            "Java's do.",
        ),
    ] = False,
    language: Annotated[
        Language, typer.Option("--lang", help="Language of words and labels.")
    ] = "en",
    policy: options.Policy = None,
    kafka: options.Kafka = None,
    redis: options.Redis = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Explain a customer: tiers, scores that add up, what is missing, what comes next."""
    settings = options.settings_from(kafka, redis, namespace, policy)
    document = options.policy_from(settings)
    plan = compile_policy(document)
    at_ms = options.instant_from(at, "--at")
    if offline is not None:
        state, now_ms = _from_log(offline, plan, customer, at_ms)
    elif at_ms is None:
        state, now_ms = _from_store(settings, customer)
    else:
        state, now_ms = _from_topics(settings, plan, customer, at_ms, everywhere), at_ms
    found = explained(customer, state, plan, now_ms)
    if as_json:
        show.print_json(data(found, plan))
        return
    for piece in screen(found, plan, Words(document, language)):
        show.out.print(piece)


def _from_store(settings: Settings, customer_id: str) -> tuple[bytes, int]:
    """Return the stored state, and how far time has come for it."""
    with opened(settings) as (store, known):
        bucket = bucket_of(customer_id, known.buckets)
        (head,) = store.heads([bucket])
        state = store.load_states({bucket: [customer_id]}).get(customer_id)
    if state is None:
        raise CommandError(
            f"customer {customer_id!r} is not known in Redis under {settings.key_prefix}"
        )
    return state, head.clock_ms or 0


def _from_log(name: str, plan: Plan, customer_id: str, at_ms: int | None) -> tuple[bytes, int]:
    """Return the state that the customer's records lead to; others matter in groups only."""
    log = load_log(name, at_ms)
    now_ms = log[-1].record_ms if at_ms is None else at_ms
    key = customer_id.encode()
    own = [record for record in log if plan.shape.groups or record.key == key]
    state = None
    if own:
        state = replay_offline(own, plan, as_of_ms=now_ms).states.get(customer_id)
    if state is None:
        raise CommandError(f"customer {customer_id!r} is not in {name} up to that instant")
    return state, now_ms


def _from_topics(
    settings: Settings, plan: Plan, customer_id: str, at_ms: int, everywhere: bool
) -> bytes:
    """Return the state that the customer's records in the input topics lead to."""
    with show.status(f"reading the records of {customer_id}") as tell:
        own = asyncio.run(
            read_own(
                settings,
                customer_id,
                at_ms,
                everywhere=everywhere,
                everyone=plan.shape.groups,
                progress=lambda read: tell(
                    f"reading the records of {customer_id}: {read:,} records seen"
                ),
            )
        )
    state = replay_offline(own, plan, as_of_ms=at_ms).states.get(customer_id) if own else None
    if state is None:
        raise CommandError(
            f"customer {customer_id!r} has no record in the input topics up to that instant; "
            "try --all-partitions, or a later --at"
        )
    return state
