"""Facts of a customer that were kept longer elsewhere, put in the place of its own. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.customer import ORDERS

if TYPE_CHECKING:
    from stream.customer import Customer


def same_facts(customer: Customer, facts: Customer, now_ms: int) -> bool:
    """Say whether both hold the same day buckets, attributes and waiting refunds at *now_ms*.

    Lets time come there for both.
    """
    customer.roll(now_ms)
    facts.roll(now_ms)
    return (
        customer.attributes == facts.attributes
        and customer.pending == facts.pending
        and all(
            customer.kinds[kind].pack() == series.pack() for kind, series in facts.kinds.items()
        )
    )


def take_facts(customer: Customer, facts: Customer, now_ms: int) -> None:
    """Let *customer* hold what *facts* holds, which is kept in the same shape, as of *now_ms*.

    Where it stands (grades, sequences, pins, warnings, consent) stays as it is. *facts* must not
    be used afterwards.
    """
    for kind, series in facts.kinds.items():
        customer.kinds[kind].restore(*series.pack(), now_ms)
    customer.orders = customer.kinds[ORDERS]
    customer.attributes, customer.pending = facts.attributes, facts.pending
    customer.forget_ranges()
