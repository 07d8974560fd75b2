"""Where a command that speaks of one customer finds it: the store, a log, or the input topics."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer

from agents.cli import loop, show
from agents.cli.errors import CommandError
from agents.cli.stores import opened
from agents.lookup import Known, find
from agents.replay.everyone import order_in
from agents.replay.log import LogRecord
from agents.replay.offline import merges_in, replay_offline
from agents.replay.own_history import read_own
from agents.replay.source import load_log
from agents.settings import Settings
from schemas.policy import PolicyDocument
from stream.explanation.place import Order
from stream.plan import Plan, compile_policy
from stream.population.ordered import Ordered

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


@contextmanager
def everyone(settings: Settings, known: Known) -> Iterator[Order | None]:
    """Give everyone's readings: those that were replayed, else those that the store ranks."""
    if known.order is not None or not known.plan.rankings:
        yield known.order
        return
    with opened(settings) as (store, installed):
        buckets = range(installed.buckets)
        yield lambda ranking: Ordered.stored(store, buckets, ranking.name)


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
        return _from_log(offline, plan, customer_id, at_ms)
    if at_ms is None:
        return _from_store(settings, plan, customer_id)
    return _from_topics(settings, plan, customer_id, at_ms, everywhere)


def _from_store(settings: Settings, plan: Plan, customer_id: str) -> Known:
    """Return the stored state, as it stands under the policy in force."""
    with opened(settings) as (store, known):
        found = find(store, known.buckets, plan, customer_id)
    if found is None:
        raise CommandError(
            f"customer {customer_id!r} is not known in Redis under {settings.key_prefix}"
        )
    return found


def _from_log(name: str, plan: Plan, customer_id: str, at_ms: int | None) -> Known:
    """Return the state that the customer's records lead to, with those of all who matter."""
    log = load_log(name, at_ms)
    now_ms = log[-1].record_ms if at_ms is None else at_ms
    key = customer_id.encode()
    together = _others_matter(plan) or merges_in(log)
    own = [record for record in log if together or record.key == key]
    known = _replayed(own, plan, customer_id, now_ms)
    if known is None:
        raise CommandError(f"customer {customer_id!r} is not in {name} up to that instant")
    return known


def _others_matter(plan: Plan) -> bool:
    """Say whether the grades of a customer depend on other customers' records."""
    return plan.shape.groups or bool(plan.rankings)


def _replayed(log: Sequence[LogRecord], plan: Plan, customer_id: str, now_ms: int) -> Known | None:
    """Return the customer as a log leaves it; None where nothing in it was about the customer."""
    if not log:
        return None
    result = replay_offline(log, plan, as_of_ms=now_ms)
    state = result.states.get(customer_id)
    if state is None:
        return None
    order = order_in(result) if result.plan.rankings else None
    return Known(state, now_ms, result.plan.document, result.plan, result.edition, order)


def _from_topics(
    settings: Settings, plan: Plan, customer_id: str, at_ms: int, everywhere: bool
) -> Known:
    """Return the state that the customer's records in the input topics lead to."""
    with show.status(f"reading the records of {customer_id}") as tell:
        own = loop.run(
            read_own(
                settings,
                customer_id,
                at_ms,
                everywhere=everywhere,
                everyone=_others_matter(plan),
                progress=lambda read: tell(
                    f"reading the records of {customer_id}: {read:,} records seen"
                ),
            )
        )
    known = _replayed(own, plan, customer_id, at_ms)
    if known is None:
        raise CommandError(
            f"customer {customer_id!r} has no record in the input topics up to that instant; "
            "try --all-partitions, or a later --at"
        )
    return known
