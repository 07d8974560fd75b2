"""Where a customer stood at an earlier instant, by the history that is kept beside its state."""

from typing import NamedTuple

from redis import RedisError

from agents.cli import show
from agents.cli.errors import CommandError
from agents.cli.explain_words import Words
from agents.cli.history import grading_text, tier_text, why
from agents.cli.stores import opened
from agents.settings import Settings
from schemas.policy import PolicyDocument
from schemas.policy.labels import Language
from stream.calendar import format_instant
from stream.customer import unpack
from stream.editions import decode_book
from stream.history import Stood, decode_transition, stood_at, transition_payload
from stream.partition import bucket_of
from stream.store import Store, StoreError


class Kept(NamedTuple):
    """A customer at an instant, by its history."""

    customer_id: str
    at_ms: int
    stood: list[Stood]


def load(settings: Settings, customer_id: str, at_ms: int) -> Kept | None:
    """Return where a customer stood; None where the store does not answer, or does not say."""
    try:
        with opened(settings) as (store, known):
            stood = _stood(store, bucket_of(customer_id, known.buckets), customer_id, at_ms)
    except (CommandError, RedisError, StoreError):
        return None
    return None if stood is None else Kept(customer_id, at_ms, stood)


def _stood(store: Store, bucket: int, customer_id: str, at_ms: int) -> list[Stood] | None:
    (head,) = store.heads([bucket])
    stored = store.load_states({bucket: [customer_id]}).get(customer_id)
    # Read last: it knows of every change that the state knows of.
    kept = [decode_transition(entry) for entry in store.load_history(bucket, customer_id)]
    if stored is None or head.clock_ms is None or at_ms > head.clock_ms:
        return None
    if not decode_book(head.editions).swept:
        return None
    return stood_at(unpack(stored).grades, kept, at_ms)


def tell(kept: Kept, document: PolicyDocument, language: Language, *, as_json: bool) -> None:
    """Say where the customer stood, why, and that this is what the history says."""
    if as_json:
        show.print_json(
            {
                "customer_id": kept.customer_id,
                "as_of": format_instant(kept.at_ms),
                "source": "history",
                "gradings": {one.grading: _data(one) for one in kept.stood},
            }
        )
        return
    words = Words(document, language)
    say = words.say
    headings = (say(key) for key in ("grading", "grade", "since", "changes", "cause", "reasons"))
    at = say("as_of", at=show.instant(kept.at_ms))
    made = show.table(f"{say('customer', id=show.escaped(kept.customer_id))}  {at}", *headings)
    for one in kept.stood:
        made.add_row(
            grading_text(one.grading, document, words),
            tier_text(one.grading, one.tier, document, words),
            "" if one.since_ms is None else show.instant(one.since_ms),
            str(one.sequence),
            *(("", "") if one.transition is None else why(one.transition, document, words)),
        )
    show.out.print(made)
    show.out.print(say("from_history"), style="dim")


def _data(one: Stood) -> dict[str, object]:
    return {
        "tier": one.tier,
        "since": None if one.since_ms is None else format_instant(one.since_ms),
        "sequence": one.sequence,
        "transition": None if one.transition is None else transition_payload(one.transition),
    }
