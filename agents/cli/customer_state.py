"""Where a command that speaks of one customer finds it: the store, a log, or the input topics."""

from typing import Annotated, NamedTuple

import typer

from agents.cli import loop, show
from agents.cli.errors import CommandError
from agents.cli.stores import opened
from agents.replay.offline import replay_offline
from agents.replay.own_history import read_own
from agents.replay.source import load_log
from agents.settings import Settings
from schemas.policy import PolicyDocument
from stream.editions import document_of, edition_in_force, scorer_of
from stream.fold import Scorer
from stream.in_force import brought
from stream.partition import bucket_of
from stream.plan import Plan, compile_policy

At = Annotated[
    str | None,
    typer.Option(
        "--at",
        "--as-of",
        metavar="INSTANT",
        help="As it was at this instant, by the customer's own records in the input topics. "
        "RFC 3339, or a date for its midnight.",
    ),
]
Offline = Annotated[
    str | None,
    typer.Option(metavar="FILE|DATASET", help="Replay this through the pure core, and use that."),
]
Everywhere = Annotated[
    bool,
    typer.Option(
        "--all-partitions",
        help="With --at: read every partition, for producers that do not partition as Java's do.",
    ),
]


class Known(NamedTuple):
    """A customer, and by which policy it is to be looked at.

    Attributes:
        state: Its stored form.
        now_ms: The instant to look at.
        document: The policy: in the store the one in force, else the user's own.
        plan: The same, compiled.
    """

    state: bytes
    now_ms: int
    document: PolicyDocument
    plan: Plan


def state_of(
    settings: Settings,
    own: PolicyDocument,
    customer_id: str,
    *,
    at_ms: int | None,
    offline: str | None,
    everywhere: bool,
) -> Known:
    """Return what is known of a customer; *own* is the policy that the user has named.

    Raises:
        CommandError: Nothing is known of the customer there.
    """
    plan = compile_policy(own)
    if offline is not None:
        state, now_ms = _from_log(offline, plan, customer_id, at_ms)
        return Known(state, now_ms, own, plan)
    if at_ms is None:
        return _from_store(settings, own, plan, customer_id)
    state = _from_topics(settings, plan, customer_id, at_ms, everywhere)
    return Known(state, at_ms, own, plan)


def _from_store(settings: Settings, own: PolicyDocument, plan: Plan, customer_id: str) -> Known:
    """Return the stored state, as it stands under the policy in force."""
    with opened(settings) as (store, known):
        bucket = bucket_of(customer_id, known.buckets)
        (head,) = store.heads([bucket])
        state = store.load_states({bucket: [customer_id]}).get(customer_id)
    if state is None:
        raise CommandError(
            f"customer {customer_id!r} is not known in Redis under {settings.key_prefix}"
        )
    now_ms = head.clock_ms or 0
    edition = edition_in_force([head])
    if edition is None:
        return Known(state, now_ms, own, plan)
    state = brought(customer_id, state, head.editions, Scorer(plan))
    return Known(state, now_ms, document_of(edition), scorer_of(edition).plan)


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
        own = loop.run(
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
