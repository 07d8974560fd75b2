"""One customer in the store, as it stands under the policy in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.editions import document_of, edition_in_force, scorer_of
from stream.fold import Scorer
from stream.in_force import bringer
from stream.partition import bucket_of

if TYPE_CHECKING:
    from schemas.policy import PolicyDocument
    from stream.editions import Edition
    from stream.explanation.place import Order
    from stream.plan import Plan
    from stream.store import Store


class Known(NamedTuple):
    """A customer, and by which policy it is to be looked at.

    Attributes:
        state: Its stored form.
        now_ms: The instant to look at.
        document: The policy: in the store the one in force, else the user's own.
        plan: The same, compiled.
        edition: What is in force; None where nothing was ever published or counted.
        order: Everyone's readings, where everyone was replayed; None elsewhere.
    """

    state: bytes
    now_ms: int
    document: PolicyDocument
    plan: Plan
    edition: Edition | None = None
    order: Order | None = None


def find(store: Store, buckets: int, own: Plan, customer_id: str) -> Known | None:
    """Return what the store knows of a customer; None where it knows nothing.

    Args:
        store: Where to look.
        buckets: How many there are.
        own: The policy that the workers were started with.
        customer_id: Whom.

    Raises:
        StoreError: The store cannot answer.
    """
    bucket = bucket_of(customer_id, buckets)
    (head,) = store.heads([bucket])
    state = store.load_states({bucket: [customer_id]}).get(customer_id)
    if state is None:
        return None
    now_ms = head.clock_ms or 0
    edition = edition_in_force([head])
    if edition is None:
        return Known(state, now_ms, own.document, own)
    state = bringer(head.editions, Scorer(own))(customer_id, state)
    return Known(state, now_ms, document_of(edition), scorer_of(edition).plan, edition)
