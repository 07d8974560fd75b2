"""What the server knows: the output topics added up, and what the last survey found.

Used from one event loop; nothing here waits except for something to happen.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from schemas.base import instant_ms, parse_instant
from stream.projection.at_risk import AtRisk, Told
from stream.projection.flows import Flows
from stream.projection.population import Population
from stream.projection.recent import Recent
from stream.projection.recent import Told as Seen
from stream.projection.survey import amount_measure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.calendar import LocalDays
    from stream.plan import Plan
    from stream.projection.survey import AxisNote, Candidate, Point

log = structlog.get_logger(__name__)

RECENT = 50_000
_PUBLISHED = "policy.published"


class _Tiers(msgspec.Struct):
    instant: str
    grades: dict[str, str | None]


class _Cause(msgspec.Struct):
    kind: str


class _Change(msgspec.Struct, rename={"before": "from", "after": "to"}):
    customer_id: str
    grading: str
    before: str | None
    after: str | None
    direction: str
    instant: str
    cause: _Cause


class _Control(msgspec.Struct):
    kind: str
    event_id: str
    policy: Any = None


@dataclass(frozen=True, slots=True)
class InForce:
    """The policy in force.

    Attributes:
        plan: Compiled, with the cuts of the population.
        edition: Its number; 0 is the one that the workers were started with.
        since_ms: When it took effect; None for the first.
    """

    plan: Plan
    edition: int = 0
    since_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """One policy that was published."""

    name: str
    version: int
    event_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What the last complete look at everyone in the store found.

    Attributes:
        at_ms: When it ended, by the clock of the customers.
        axes: Of each matrix: columns, rows.
        points: By matrix.
        candidates: By grading.
    """

    at_ms: int
    axes: Mapping[str, tuple[AxisNote, AxisNote]]
    points: Mapping[str, Sequence[Point]]
    candidates: Mapping[str, Sequence[Candidate]]


@dataclass(slots=True)
class Board:
    """Everything that can be asked for without the store.

    Attributes:
        in_force: The policy in force.
        flows: Changes by day.
        recent: The newest changes.
        population: Everyone's tiers.
        at_risk: Standing warnings.
        published: Policies, in the order of publication.
        receipts: Erasure receipts by id, in the order in which they were read.
        newest_ms: Newest instant read from the topics; 0 before the first.
        clock_ms: How far customers have come in the store; 0 before the first look.
        surveyed: None before the first survey.
        survey_error: Why the last survey did not end.
        caught_up: Whether what was in the topics at the start has been read.
        amount: The measure of what a customer brings in.
        followers: How many streams are open.
        closing: Whether the server is about to end.
    """

    in_force: InForce
    flows: Flows
    recent: Recent
    amount: str | None
    population: Population = field(default_factory=Population)
    at_risk: AtRisk = field(default_factory=AtRisk)
    published: list[Published] = field(default_factory=list)
    receipts: dict[str, bytes] = field(default_factory=dict)
    newest_ms: int = 0
    clock_ms: int = 0
    surveyed: Surveyed | None = None
    survey_error: str | None = None
    caught_up: bool = False
    followers: int = 0
    closing: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def take_tiers(self, key: bytes | None, value: bytes | None) -> None:
        """Take in a record of `customer-tiers`; no value: the customer was erased."""
        if key is None:
            return
        customer_id = key.decode()
        if value is None:
            self.population.erase(customer_id)
            self.at_risk.erase(customer_id)
            if self.caught_up:
                self.recent.forget(lambda one: one == customer_id)
            return
        tiers = _tiers(value)
        self._come_to(tiers.instant)
        self.population.take(customer_id, tiers.grades)

    def take_change(self, partition: int, offset: int, value: bytes) -> None:
        """Take in a record of `tier-changes`."""
        change = _change(value)
        at_ms = self._come_to(change.instant)
        way = change.direction, change.cause.kind
        self.flows.note(change.grading, at_ms, (change.before, change.after), way)
        seen = Seen(at_ms, change.customer_id, change.grading, change.direction)
        self.recent.take(partition, offset, seen, value)

    def take_forecast(self, value: bytes) -> None:
        """Take in a record of `tier-forecasts`."""
        told = _told(value)
        self._come_to(told.issued_at)
        self.at_risk.take(told)

    def take_receipt(self, key: bytes | None, value: bytes | None) -> None:
        """Take in a record of `erasure-receipts`."""
        if key is not None and value is not None:
            self.receipts[key.decode()] = value

    def take_control(self, at_ms: int, value: bytes) -> None:
        """Take in a record of `controls`: of interest are published policies."""
        control = _control(value)
        policy = control.policy
        if control.kind == _PUBLISHED and isinstance(policy, dict):
            name, version = policy.get("policy"), policy.get("version")
            if isinstance(name, str) and isinstance(version, int):
                self.published.append(Published(name, version, control.event_id, at_ms))

    def begin(self, in_force: InForce) -> None:
        """Note that another policy, or other cuts, are in force."""
        if in_force.plan.document.measures != self.in_force.plan.document.measures:
            self.amount = amount_measure(in_force.plan.document)
        self.in_force = in_force

    def catch_up(self) -> None:
        """Note that all that was there at the start is in; drop what is left of the erased."""
        self.recent.forget(lambda customer_id: customer_id not in self.population)
        self.caught_up = True
        self.wake()

    def wake(self) -> None:
        """Let everybody who waits in `changed` look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    def close(self) -> None:
        """Let streams end."""
        self.closing = True
        self.wake()

    async def changed(self, within_s: float) -> None:
        """Wait until something was taken in, at most *within_s*."""
        waiting = self._changed
        try:
            async with asyncio.timeout(within_s):
                await waiting.wait()
        except TimeoutError:
            return

    def _come_to(self, instant: str) -> int:
        at_ms = instant_ms(parse_instant(instant))
        self.newest_ms = max(self.newest_ms, at_ms)
        return at_ms


def new_board(plan: Plan, firsts: Sequence[int], days: LocalDays, amount: str | None) -> Board:
    """Return a board of which nothing is known yet.

    Args:
        plan: The policy that the workers were started with.
        firsts: Where each partition of `tier-changes` begins.
        days: By whose days changes are counted.
        amount: The measure of what a customer brings in.
    """
    return Board(InForce(plan), Flows(days), Recent(firsts, RECENT), amount)


_tiers = msgspec.json.Decoder(_Tiers).decode
_change = msgspec.json.Decoder(_Change).decode
_told = msgspec.json.Decoder(Told).decode
_control = msgspec.json.Decoder(_Control).decode
