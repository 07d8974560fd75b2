"""Putting the parts of a customer together with what it has itself, and packing the latter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.groups.kin import Packed
from stream.groups.series import GroupSeries, without_members
from stream.identity.crossings import Books, adjustments, find
from stream.identity.facts import Facts
from stream.identity.union import UnionSeries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.customer import Customer
    from stream.groups.kin import Path
    from stream.identity.facts import Identity
    from stream.ledger import OrderEntry
    from stream.series import Series

MOST_ORDERS = 2_000
"""Of one id, the newest orders that are told to another; older ones are refunded by their own."""
_ORDERS = "orders"
_OWN: Path = ()


def unite(customer: Customer, identity: Identity, now_ms: int) -> None:
    """Let the customer's series be those of it and its parts, as they are known now.

    Every series must have been rolled to *now_ms*. Without parts they are its own again.
    """
    parts = [part.series for _, part in sorted(identity.members.items())]
    for kind, series in customer.kinds.items():
        inner = without_members(series)
        packed = [one for part in parts for one in part.series if one.kind == kind]
        if not (packed or isinstance(inner, UnionSeries) or (parts and kind == _ORDERS)):
            continue
        if not parts:
            united = inner.own if isinstance(inner, UnionSeries) else inner
        else:
            united = inner if isinstance(inner, UnionSeries) else UnionSeries(inner)
            changes = adjustments(identity.crossings) if kind == _ORDERS else ()
            united.unite(packed, changes, now_ms)
        if isinstance(series, GroupSeries):
            series.seat(united, now_ms)
        else:
            customer.kinds[kind] = united
    customer.orders = customer.kinds[_ORDERS]


def describe(
    customer: Customer, now_ms: int, changed: Mapping[str, str | int | bool | None]
) -> None:
    """Let the customer say something of itself at *now_ms*; None removes an attribute."""
    identity = customer.identity
    own = [(customer.attributes, customer.attributes_ms)]
    if identity is not None and identity.members:
        own.append((identity.attributes, identity.attributes_ms))
    for attributes, attributes_ms in own:
        for name, value in changed.items():
            attributes_ms[name] = now_ms
            if value is None:
                attributes.pop(name, None)
            else:
                attributes[name] = value


def join_attributes(customer: Customer, identity: Identity) -> None:
    """Let the customer's attributes be the newest of it and its parts; of equals, its own."""
    told = [(identity.attributes, identity.attributes_ms)]
    for _, part in sorted(identity.members.items()):
        told.append((part.series.attributes, part.series.attributes_ms))
    attributes: dict[str, str | int | bool] = {}
    attributes_ms: dict[str, int] = {}
    for values, instants in told:
        for name in sorted(values.keys() | instants.keys()):
            at_ms = instants.get(name, 0)
            if name in attributes_ms and attributes_ms[name] >= at_ms:
                continue
            attributes_ms[name] = at_ms
            attributes.pop(name, None)
            if name in values:
                attributes[name] = values[name]
    customer.attributes, customer.attributes_ms = attributes, attributes_ms


def settle(customer: Customer, identity: Identity, now_ms: int, refund_ms: int) -> None:
    """Count orders once that several of the customer's ids know of, after any of them changed."""
    if not identity.members:
        return
    books = {_OWN: Books(identity.orders, customer.pending)}
    for path, part in sorted(identity.members.items()):
        books[path] = Books(part.series.orders, part.series.pending)
    # What was refunded stays so, also under a policy that would not find the order any more.
    identity.reach_ms = max(identity.reach_ms, refund_ms)
    found = find(books, identity.crossings, identity.reach_ms)
    if found != identity.crossings:
        identity.crossings = found
        unite(customer, identity, now_ms)


def note_order(
    identity: Identity, order_id: str, entry: OrderEntry, now_ms: int, refund_ms: int
) -> None:
    """Keep what became of an own order, for the other ids; let go of what is out of reach."""
    identity.orders[order_id] = entry
    oldest_ms = now_ms - refund_ms
    orders = {key: one for key, one in identity.orders.items() if one.at_ms >= oldest_ms}
    if len(orders) > MOST_ORDERS:
        newest = sorted(orders, key=lambda key: (orders[key].at_ms, key))[-MOST_ORDERS:]
        orders = {key: orders[key] for key in newest}
    identity.orders = orders


def facts_of(customer: Customer, identity: Identity) -> Facts:
    """Return what the customer has under its own id alone."""
    packed = [Packed(kind, *series.pack()) for kind, series in customer.kinds.items()]
    has_parts = bool(identity.members)
    return Facts(
        series=[one for one in packed if one.has_events],
        attributes=identity.attributes if has_parts else customer.attributes,
        attributes_ms=identity.attributes_ms if has_parts else customer.attributes_ms,
        pending=customer.pending,
        orders=identity.orders,
    )


def own_series(series: Series) -> Series:
    """Return what happened under the customer's own id, of a series that may hold more."""
    inner = without_members(series)
    return inner.own if isinstance(inner, UnionSeries) else inner
