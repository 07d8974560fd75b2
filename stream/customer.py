"""What is kept of one customer: facts, grades, and their encoding. No rules here."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct

from stream.consent import Consent
from stream.forecast.warning import Warned
from stream.groups.gather import regroup
from stream.groups.kin import Kin
from stream.identity.facts import Identity
from stream.identity.unite import unite
from stream.sentinels import NEVER
from stream.series import Series
from stream.stability import Aside, Held
from stream.totals import Totals

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from stream.calendar import LocalDays
    from stream.forecast.warning import AtRisk
    from stream.shadow import Shadow
    from stream.window import Span

FORMAT = 1
ORDERS = "orders"

Value = int | str
"""A measure's reading; `stream.series.MISSING` stands for "never happened"."""


class Grade(Struct, array_like=True, gc=False):
    """The standing of one customer in one grading.

    Attributes:
        tier: Current tier, None while not yet graded.
        sequence: Number of changes so far; the next change carries ``sequence + 1``.
        since_ms: Instant of the last change.
        kept_until_ms: For tags that outlive their rule; `NEVER` while the rule holds.
        held: What rules against flapping and pins need to know; None where there were none.
    """

    tier: str | None = None
    sequence: int = 0
    since_ms: int = 0
    kept_until_ms: int = 0
    held: Held | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """Which series a policy keeps; the same for all customers.

    Attributes:
        spans: Windows per kind of event, ``orders`` first.
        retention_ms: Least age up to which day buckets are kept, per kind.
        names: Of the gradings, in evaluation order.
        initial: Where everyone stands in each before the first change.
        days: The policy's calendar.
        groups: Whether customers count for the one they belong to.
    """

    spans: Mapping[str, Sequence[Span]]
    retention_ms: Mapping[str, int]
    names: tuple[str, ...]
    initial: tuple[str | None, ...]
    days: LocalDays
    groups: bool = False

    def keeps_as(self, other: Shape) -> bool:
        """Say whether series and members are kept in the same way as under *other*."""
        return (
            list(self.spans.items()) == list(other.spans.items())
            and self.retention_ms == other.retention_ms
            and self.groups == other.groups
            and self.days.zone == other.days.zone
        )

    def series(self, kind: str) -> Series:
        """Return an empty series for one kind of event."""
        return Series(self.spans[kind], self.retention_ms[kind], self.days)


class Customer:
    """One customer's rolling state.

    Attributes:
        clock_ms: Largest record time applied; never decreases.
        orders: Day buckets of orders.
        kinds: Day buckets of each kind of event by name; ``kinds["orders"] is orders``.
        attributes: Profile values by name.
        pending: Refunds and cancellations that came before their order:
            order id -> ``[refunded_minor, cancelled (0 or 1), instant of the first]``.
        grades: In the order of `Shape.names`.
        packed_grades: Their stored form; None after any of them was changed.
        kin: Its place among others; None where no policy has had groups.
        edition: Number of the edition that it was judged under last.
        retired: Standings in gradings that the policy does not name any more: what comes back
            goes on with its sequence.
        consent: What it has said about being scored; None where it has said nothing.
        attributes_ms: When each attribute was told last, also of those that were removed.
        identity: Its place among the ids of one person; None before it has ever had one.
        due_ms: No grade changes by time alone before this instant; conservative.
        quiet_ms: Up to this instant orders may be counted in passing; transient.
        risk_ms: No grade of which a fall is warned changes by time alone before this instant,
            and the like of `due_ms` for these; transient.
        look_ms: No warning of a fall is due before this instant; conservative.
        warned: The warnings of falls so far, by grading; None before the first.
        untold: What of them has not been announced yet; transient.
        erased_ms: When an earlier life of it was erased, as its bucket remembers; not stored.
        low: Per watched measure, the least value that keeps every grade as it is; transient
            like the next two, empty until the customer was judged once.
        high: Per watched measure, the first value above that no longer does.
        dues: Per watched measure, when time alone may first take it out of that range.
        asides: What judging has to tell besides changes; transient, taken by the bucket.
        described: Its attributes as they were when its ranks were last told; transient.
        ranks: The ranked readings as last told, by ranking, where known; transient like the next.
        ranks_due_ms: No ranked reading changes by time alone before this instant; 0: unknown.
        indexed_ms: The deadline under which the store finds it, `NEVER` without one; -1: unknown.
        shadow: Its standing under a policy that runs beside the one in force; None without one.
    """

    __slots__ = (
        "asides",
        "attributes",
        "attributes_ms",
        "clock_ms",
        "consent",
        "customer_id",
        "described",
        "due_ms",
        "dues",
        "edition",
        "erased_ms",
        "grades",
        "high",
        "identity",
        "indexed_ms",
        "kin",
        "kinds",
        "look_ms",
        "low",
        "orders",
        "packed_grades",
        "pending",
        "quiet_ms",
        "ranks",
        "ranks_due_ms",
        "retired",
        "risk_ms",
        "shadow",
        "untold",
        "warned",
    )

    def __init__(self, customer_id: str, shape: Shape, edition: int = 0) -> None:
        """Start a customer of whom nothing is known."""
        self.customer_id = customer_id
        self.edition = edition
        self.clock_ms = 0
        self.kinds = {kind: shape.series(kind) for kind in shape.spans}
        self.orders = self.kinds[ORDERS]
        self.attributes: dict[str, str | int | bool] = {}
        self.pending: dict[str, list[int]] = {}
        self.grades = [Grade(initial) for initial in shape.initial]
        self.retired: dict[str, Grade] = {}
        self.packed_grades: Raw | None = None
        self.kin = Kin() if shape.groups else None
        self.consent: Consent | None = None
        self.attributes_ms: dict[str, int] = {}
        self.identity: Identity | None = None
        self.due_ms = NEVER
        self.quiet_ms = self.risk_ms = self.look_ms = NEVER
        self.warned: dict[str, Warned] | None = None
        self.untold: list[AtRisk] = []
        self.low: list[int] = []
        self.high: list[int] = []
        self.dues: list[int] = []
        self.asides: list[Aside] = []
        self.described: dict[str, str | int | bool] = {}
        self.ranks: dict[str, int | None] = {}
        self.ranks_due_ms = 0
        self.indexed_ms = -1
        self.erased_ms: int | None = None
        self.shadow: Shadow | None = None

    @property
    def withheld(self) -> bool:
        """Whether the customer is not graded: no grade, no deadline, no place in a ranking.

        It forbids being scored, or was merged into another one, which is graded in its place.
        """
        return self.is_forbidden or (self.identity is not None and self.identity.target is not None)

    @property
    def is_forbidden(self) -> bool:
        """Whether the customer forbids being scored: nothing is taken in."""
        return self.consent is not None and self.consent.withdrawn_ms is not None

    @property
    def deadline_ms(self) -> int:
        """When to look at the customer again if nothing happens; `NEVER` if there is no need."""
        due_ms, look_ms = self.due_ms, self.look_ms
        return due_ms if due_ms < look_ms else look_ms  # noqa: FURB136 - half the time of min

    def forget_ranges(self) -> None:
        """Let the next judging look at everything: nothing found of any reading need hold."""
        self.low, self.high, self.dues = [], [], []

    def roll(self, now_ms: int) -> None:
        """Bring the windows of every series to *now_ms*."""
        for series in self.kinds.values():
            series.roll(now_ms)

    def clone(self) -> Customer:
        """Return a copy to try things out on, that is never stored.

        Time and orders may be let pass over it: what they do not change is shared.
        """
        twin = object.__new__(Customer)
        twin.customer_id, twin.clock_ms, twin.kin = self.customer_id, self.clock_ms, self.kin
        twin.kinds = {kind: series.clone() for kind, series in self.kinds.items()}
        twin.orders = twin.kinds[ORDERS]
        twin.attributes = self.attributes
        twin.edition, twin.retired = self.edition, self.retired
        twin.pending = self.pending.copy()
        twin.grades = [copy(grade) for grade in self.grades]
        twin.packed_grades = None
        twin.due_ms, twin.quiet_ms, twin.risk_ms = self.due_ms, self.quiet_ms, self.risk_ms
        twin.consent, twin.erased_ms = self.consent, self.erased_ms
        # Parts are in the copied series already; what was merged stays so.
        merged = self.identity is not None and self.identity.target is not None
        twin.identity = copy(self.identity) if merged else None
        twin.attributes_ms = self.attributes_ms
        twin.look_ms = NEVER
        twin.warned, twin.untold, twin.asides = None, [], []
        twin.described, twin.ranks, twin.ranks_due_ms, twin.indexed_ms = {}, {}, 0, -1
        twin.low, twin.high, twin.dues = self.low.copy(), self.high.copy(), self.dues.copy()
        twin.shadow = None
        return twin


def encode(customer: Customer, shape: Shape) -> bytes:
    """Return the stored form of *customer*; `decode` is its inverse."""
    fields: tuple[object, ...] = (
        FORMAT,
        customer.clock_ms,
        customer.due_ms,
        [(kind, *series.pack()) for kind, series in customer.kinds.items()],
        customer.attributes,
        customer.pending,
        _packed_grades(customer, shape),
    )
    shadow = customer.shadow
    if shadow is not None or customer.attributes_ms or customer.identity is not None:
        told = (customer.look_ms, customer.warned, customer.edition, customer.consent)
        whole = (customer.attributes_ms, customer.identity)
        beside = () if shadow is None else (_packed_shadow(shadow, customer),)
        return _encode((*fields, customer.kin, *told, *whole, *beside))
    if customer.consent is not None:
        told = (customer.look_ms, customer.warned, customer.edition, customer.consent)
        return _encode((*fields, customer.kin, *told))
    if customer.edition:
        return _encode((*fields, customer.kin, customer.look_ms, customer.warned, customer.edition))
    if customer.warned is not None or customer.look_ms < NEVER:
        return _encode((*fields, customer.kin, customer.look_ms, customer.warned))
    return _encode(fields if customer.kin is None else (*fields, customer.kin))


def _packed_grades(customer: Customer, shape: Shape) -> Raw:
    """Return the grades as they are stored; kept until one changes, which is seldom."""
    if customer.packed_grades is None:
        named = dict(zip(shape.names, customer.grades, strict=True))
        customer.packed_grades = Raw(_encode(named | customer.retired))
    return customer.packed_grades


def _packed_shadow(shadow: Shadow, customer: Customer) -> StoredShadow:
    """Return the stored form of a second standing, without the facts that both keep alike."""
    other = shadow.customer
    series: list[tuple[str, Packed | None]] = []
    for kind, kept in other.kinds.items():
        packed, known = kept.pack(), customer.kinds.get(kind)
        alike = known is not None and known.pack() == packed
        series.append((kind, None if alike else packed))
    return StoredShadow(
        shadow.policy.number,
        other.clock_ms,
        other.due_ms,
        series,
        None if other.attributes == customer.attributes else other.attributes,
        None if other.pending == customer.pending else other.pending,
        _packed_grades(other, shadow.scorer.plan.shape),
        None if other.attributes_ms == customer.attributes_ms else other.attributes_ms,
    )


_encode = msgspec.msgpack.Encoder().encode

Packed = tuple[Totals, bytes, list[int] | None]
"""What a series stores."""


class StoredShadow(Struct, array_like=True, gc=False):
    """The stored form of a standing under a policy that runs beside; None: as the first one's."""

    number: int
    clock_ms: int
    due_ms: int
    series: list[tuple[str, Packed | None]]
    attributes: dict[str, str | int | bool] | None
    pending: dict[str, list[int]] | None
    grades: Raw
    attributes_ms: dict[str, int] | None


class Stored(Struct, array_like=True, gc=False):
    """The stored form; what stands last is missing where nobody has asked for it."""

    format: int
    clock_ms: int
    due_ms: int
    series: list[tuple[str, Totals, bytes, list[int] | None]]
    attributes: dict[str, str | int | bool]
    pending: dict[str, list[int]]
    grades: dict[str, Grade]
    kin: Kin | None = None
    look_ms: int = NEVER
    warned: dict[str, Warned] | None = None
    edition: int = 0
    consent: Consent | None = None
    attributes_ms: dict[str, int] = {}
    identity: Identity | None = None
    shadow: StoredShadow | None = None


_grades = msgspec.msgpack.Decoder(dict[str, Grade]).decode
unpack = msgspec.msgpack.Decoder(Stored).decode
"""Decode a stored form; raises `msgspec.MsgspecError` where it is not an encoded customer."""


def decode(customer_id: str, stored: bytes, shape: Shape) -> Customer:
    """Rebuild a customer from its stored form.

    Series that the policy no longer names are dropped and new ones start empty; standings in
    gradings that it does not name are kept aside. Raises `msgspec.MsgspecError` where *stored*
    is not an encoded customer.
    """
    return restore(customer_id, unpack(stored), shape)


def restore(customer_id: str, found: Stored, shape: Shape) -> Customer:
    """Rebuild a customer from its unpacked stored form, as `decode` does."""
    customer = Customer(customer_id, shape, found.edition)
    customer.clock_ms = found.clock_ms
    customer.due_ms = found.due_ms
    customer.look_ms = found.look_ms
    customer.warned = found.warned
    customer.attributes = found.attributes
    customer.described = found.attributes.copy()
    customer.pending = found.pending
    customer.consent = found.consent
    for kind, totals, closed, newest in found.series:
        if kind in customer.kinds:
            customer.kinds[kind].restore(totals, closed, newest, found.clock_ms)
    _stand(customer, found.grades, shape)
    customer.attributes_ms = found.attributes_ms
    if found.identity is not None:
        customer.identity = found.identity
        unite(customer, found.identity, found.clock_ms)
    if found.kin is not None:
        customer.kin = found.kin
        _count_members(customer, shape)
    return customer


def restore_beside(customer: Customer, found: StoredShadow, shape: Shape) -> Customer:
    """Rebuild the second standing of *customer*, which was rebuilt already; *shape* is its own."""
    other = Customer(customer.customer_id, shape, found.number)
    other.clock_ms, other.due_ms = found.clock_ms, found.due_ms
    other.consent = customer.consent
    attributes, pending = found.attributes, found.pending
    other.attributes = customer.attributes.copy() if attributes is None else attributes
    told_ms = found.attributes_ms
    other.attributes_ms = customer.attributes_ms.copy() if told_ms is None else told_ms
    other.pending = _copied(customer.pending) if pending is None else pending
    for kind, packed in found.series:
        totals, closed, newest = packed or _copied_series(customer.kinds[kind])
        other.kinds[kind].restore(totals, closed, newest, found.clock_ms)
    _stand(other, _grades(found.grades), shape)
    return other


def twin_of(customer: Customer) -> Customer:
    """Return a copy of *customer* that lives a life of its own: nothing of it is shared."""
    twin = customer.clone()
    twin.attributes = customer.attributes.copy()
    twin.attributes_ms = customer.attributes_ms.copy()
    twin.pending = _copied(customer.pending)
    twin.retired = {name: copy(grade) for name, grade in customer.retired.items()}
    return twin


def _copied(pending: Mapping[str, list[int]]) -> dict[str, list[int]]:
    return {order_id: waiting.copy() for order_id, waiting in pending.items()}


def _copied_series(series: Series) -> Packed:
    totals, closed, newest = series.pack()
    return copy(totals), closed, None if newest is None else newest.copy()


def _stand(customer: Customer, standings: dict[str, Grade], shape: Shape) -> None:
    """Let a customer stand as was stored; *standings* that *shape* does not name are kept aside."""
    customer.grades = [
        standings.pop(name) if name in standings else Grade(initial)
        for name, initial in zip(shape.names, shape.initial, strict=True)
    ]
    customer.retired = standings


def reshape(customer: Customer, older: Shape, shape: Shape, attributes: Collection[str]) -> None:
    """Let a customer that a policy of shape *older* kept be kept as *shape* says, in place.

    As in `decode`, but attributes that are not among *attributes* go as well: what comes back
    starts empty, however long that took.
    """
    standings = dict(zip(older.names, customer.grades, strict=True)) | customer.retired
    _stand(customer, standings, shape)
    customer.packed_grades = None
    customer.attributes = {k: v for k, v in customer.attributes.items() if k in attributes}
    told_ms = customer.attributes_ms
    customer.attributes_ms = {k: at_ms for k, at_ms in told_ms.items() if k in attributes}
    if shape.groups and customer.kin is None:
        customer.kin = Kin()
    if shape.keeps_as(older):
        return
    known = customer.kinds
    customer.kinds = {kind: shape.series(kind) for kind in shape.spans}
    for kind, series in customer.kinds.items():
        if kind in known:
            series.restore(*known[kind].pack(), customer.clock_ms)
    customer.orders = customer.kinds[ORDERS]
    if customer.identity is not None:
        unite(customer, customer.identity, customer.clock_ms)
    _count_members(customer, shape)


def _count_members(customer: Customer, shape: Shape) -> None:
    """Put what is known of its members beside a customer's own series."""
    if shape.groups and customer.kin is not None and customer.kin.members:
        figures = {path: known.series for path, known in customer.kin.members.items()}
        regroup(customer.kinds, figures, customer.clock_ms)
        customer.orders = customer.kinds[ORDERS]
