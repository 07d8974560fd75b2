"""Forecasts come true: instant, tier, warning and prevention against brute force."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from hypothesis import given, note
from hypothesis import strategies as st

from schemas.base import instant_ms, parse_instant
from schemas.catalog import TOPICS
from schemas.policy import parse_policy
from stream.fold import TerseScorer
from stream.forecast.foresight import is_fall
from stream.forecast.prevention import Preventions
from stream.forecast.walk import foresee
from stream.sentinels import NEVER
from tests.oracle.facts import Policy
from tests.oracle.history import History
from tests.properties.driver import CUSTOMER, Run, plan_of
from tests.properties.histories import DAY, Event, histories
from tests.properties.policies import bought, policies
from tests.properties.profiles import tries
from tests.properties.test_explanation import ladders

if TYPE_CHECKING:
    from stream.customer import Customer
    from stream.forecast.walk import Foreseen
    from stream.plan import Plan

FAR_DAYS = 45
"""Everything that random policies look at has passed by then."""


@st.composite
def plain(draw: st.DrawFn) -> str:
    """Return a policy under which most orders are counted in passing, and put a fall off."""
    days = draw(st.sampled_from(["5d", "9d"]))
    measure = {"sum": "revenue", "window": days}
    if draw(st.booleans()):
        measure["before"] = "1d"
    tiers = [{"tier": "gold", "enter": 2, "exit": 1}, {"tier": "iron"}]
    return json.dumps(
        {
            "policy": "plain",
            "version": 1,
            "time_zone": "UTC",
            "currency": "EUR",
            "rates": {"JPY": "0.0061", "KWD": "3.005"},
            "measures": {"revenue": measure},
            "gradings": {"value": {"type": "bands", "measure": "revenue", "tiers": tiers}},
        }
    )


# Of any kind, and of the kinds that silence lowers.
SOME = policies() | policies(measured=bought()) | ladders() | plain()


def unruled(text: str) -> str:
    """Return a policy without its rules on stability, of which brute force knows nothing."""
    document = json.loads(text)
    for grading in document["gradings"].values():
        grading.pop("stability", None)
    return json.dumps(document)


@st.composite
def shopping(draw: st.DrawFn) -> list[Event]:
    """Return orders, some days apart, of someone who pays well; and a refund now and then."""
    at_ms = 1_700_000_000_000
    events: list[Event] = []
    for number in range(draw(st.integers(1, 9))):
        at_ms += draw(st.sampled_from([0, 1, DAY // 2, DAY, 2 * DAY, 5 * DAY]))
        event: Event = {"kind": "order.paid", "order_id": f"o{number}", "currency": "EUR"}
        if number and not draw(st.integers(0, 5)):
            event |= {"kind": "order.refunded", "order_id": f"o{number - 1}"}
        event["amount_minor"] = draw(st.sampled_from([60, 110, 150, 300, 600]))
        events.append(event | {"event_id": f"e{number}", "at_ms": at_ms, "record_ms": at_ms})
    return events


HISTORIES = histories(max_size=10) | shopping() | shopping()


def oracle_of(text: str) -> History:
    """Read the policy file a second time, without any code of ours."""
    return History(Policy(yaml.safe_load(text)), CUSTOMER)


def foreseen(plan: Plan, customer: Customer, more: int = 1_000) -> Foreseen:
    """Return the next change of every grading."""
    return foresee(TerseScorer(plan), customer.clone(), plan.shape.names, more=more)


@given(SOME.map(unruled), HISTORIES, st.sampled_from(["kept", "restarted"]))
@tries(60)
def test_the_next_change_is_the_one_that_a_simulation_day_by_day_finds(
    text: str, events: list[Event], worker: str
) -> None:
    """Instant and tier of every grading, by advancing days and then halving to the millisecond."""
    note(text)
    run, oracle = Run(plan_of(text)), oracle_of(text)
    for event in events:
        run.apply([event])
        oracle.apply(event)
    if oracle.now is None:
        return
    if worker == "restarted":
        run.reload()
    found = foreseen(run.plan, run.customer)
    told = {name: (c.after, c.instant_ms) for name, c in found.first.items()}
    expected = {}
    for name in run.plan.shape.names:
        brute = _simulated(oracle, name)
        if brute is not None:
            expected[name] = brute
    assert told == expected
    assert found.unseen_ms == NEVER or len(told) == len(run.plan.gradings)


def _simulated(oracle: History, grading: str) -> tuple[str | None, int] | None:
    """Return the next tier of a grading and the first millisecond at which it has it."""
    before = oracle.standings[grading].sequence
    low = deepcopy(oracle)
    for _ in range(FAR_DAYS):
        start_ms = low.now or 0
        high = deepcopy(low)
        _let_pass(high, start_ms + DAY)
        if high.standings[grading].sequence == before:
            low = high
            continue
        last, first = start_ms, start_ms + DAY
        while first - last > 1:
            middle = (last + first) // 2
            tried = deepcopy(low)
            _let_pass(tried, middle)
            if tried.standings[grading].sequence == before:
                last = middle
            else:
                first = middle
        reached = deepcopy(low)
        _let_pass(reached, first)
        return reached.standings[grading].grade, first
    return None


def _let_pass(oracle: History, upto_ms: int) -> None:
    oracle.advance(upto_ms)
    oracle.now = upto_ms


@given(SOME, HISTORIES)
@tries(60)
def test_what_is_foreseen_is_what_the_worker_then_announces(text: str, events: list[Event]) -> None:
    """Under rules on stability as well: the next change of each grading, or none."""
    note(text)
    run = Run(plan_of(text))
    run.apply(events)
    known = len(run.changes)
    found = foreseen(run.plan, run.customer).first
    run.wake(run.customer.clock_ms + 4 * FAR_DAYS * DAY)
    happened: dict[str, Any] = {}
    for change in run.changes[known:]:
        happened.setdefault(change.grading, change)
    told = {name: (c.after, c.instant_ms) for name, c in found.items()}
    assert told == {name: (c.after, c.instant_ms) for name, c in happened.items()}


@given(SOME, HISTORIES, st.integers(0, 6))
@tries(60)
def test_a_walk_that_was_cut_short_says_how_far_it_is_right(
    text: str, events: list[Event], most: int
) -> None:
    """What it found is what a long walk finds, and nothing else happens before where it ended."""
    note(text)
    run = Run(plan_of(text))
    run.apply(events)
    short, long = foreseen(run.plan, run.customer, most), foreseen(run.plan, run.customer)
    assert short.wakes <= most
    for name, change in long.first.items():
        if name in short.first:
            assert short.first[name] == change
        else:
            assert change.instant_ms >= short.unseen_ms


@given(SOME, HISTORIES)
@tries(60)
def test_a_prevention_prevents_and_a_minor_unit_less_does_not(
    text: str, events: list[Event]
) -> None:
    """The order is really placed and time really passes, through the worker's own bucket."""
    note(text)
    run = Run(plan_of(text))
    run.apply(events)
    scorer = TerseScorer(run.plan)
    preventions = Preventions(scorer)
    now = run.customer.clock_ms
    for fall in foreseen(run.plan, run.customer).first.values():
        if not is_fall(fall):
            continue
        found = preventions.find(run.customer, fall, now)
        if found is None:
            continue
        assert _held(run, fall, found.amount_minor, found.orders, found.currency)
        if found.orders > 1:
            assert not _held(run, fall, found.amount_minor, found.orders - 1, found.currency)
        elif found.amount_minor:
            assert not _held(run, fall, found.amount_minor - 1, 1, found.currency)


def _held(run: Run, fall: Any, amount_minor: int, orders: int, currency: str) -> bool:
    """Say whether the tier is held, or a better one, until the fall is past."""
    now = run.customer.clock_ms
    other = Run(run.plan)
    other.states = dict(run.states)
    other.reload()
    other.apply(
        {
            "kind": "order.paid",
            "event_id": f"more{number}",
            "order_id": f"more{number}",
            "amount_minor": amount_minor,
            "currency": currency,
            "at_ms": now,
            "record_ms": now,
            "cost_minor": 0,
        }
        for number in range(orders)
    )
    other.wake(fall.instant_ms)
    grading = next(g for g in run.plan.gradings if g.name == fall.grading)
    least = grading.rank(fall.before)
    tiers = [c.after for c in other.changes if c.grading == fall.grading]
    if least is None:
        return None not in tiers
    ranks = [None if tier is None else grading.rank(tier) for tier in tiers]
    return all(rank is not None and rank >= least for rank in ranks)


# -- warnings ----------------------------------------------------------------------------


class Notice(NamedTuple):
    """A warning or a withdrawal, as brute force finds it."""

    issued_ms: int
    grading: str
    sequence: int
    status: str
    tier: str | None
    expected_tier: str | None
    expected_ms: int


class Watch:
    """Warns by the definition: the next change is a fall, and it is within the lead."""

    def __init__(self, text: str, lead_ms: int) -> None:
        document = parse_policy(text, "policy.yaml")
        self.oracle = oracle_of(text)
        self.lead_ms = lead_ms
        self.tiers = {
            name: document.grades_of(name)
            for name in document.gradings
            if document.is_ordered(name)
        }
        self.open: dict[str, tuple[str | None, str | None, int]] = {}
        self.sequence = dict.fromkeys(self.tiers, 0)
        self.notices: list[Notice] = []

    def apply(self, event: Event) -> None:
        """Take the next record: first what time brings before it, then what it changes."""
        known = len(self.oracle.applied)
        if self.oracle.now is not None:
            ahead = deepcopy(self.oracle)
            ahead.apply(event)
            if len(ahead.applied) == known:
                return
            self.pass_until(event["record_ms"])
        self.oracle.apply(event)
        if len(self.oracle.applied) > known:
            self._look(self.oracle.now or 0)

    def pass_until(self, limit_ms: int) -> None:
        """Warn of, and see through, everything that comes before *limit_ms*."""
        while True:
            now = self.oracle.now or 0
            instants = [turn.instant_ms for turn in self._ahead() if turn.instant_ms > now]
            instants += [t - self.lead_ms for t in instants if t - self.lead_ms > now]
            coming = [t for t in instants if t < limit_ms]
            if not coming:
                return
            self.oracle.advance(min(coming))
            self.oracle.now = min(coming)
            self._look(min(coming))

    def _ahead(self) -> list[Any]:
        ahead = deepcopy(self.oracle)
        ahead.advance((ahead.now or 0) + FAR_DAYS * DAY)
        return ahead.turns[len(self.oracle.turns) :]

    def _look(self, now: int) -> None:
        ahead = self._ahead()
        for name, tiers in self.tiers.items():
            turn = next((turn for turn in ahead if turn.grading == name), None)
            risk = None
            if turn is not None and turn.instant_ms <= now + self.lead_ms:
                # Best first; "not graded" is a fall from anywhere.
                worse = turn.after is None or (
                    turn.before is not None and tiers.index(turn.after) > tiers.index(turn.before)
                )
                risk = (turn.before, turn.after, turn.instant_ms) if worse else None
            known = self.open.pop(name, None)
            if known is not None and known != risk:
                held = self.oracle.standings[name].grade
                if not (held == known[1] and now >= known[2]):
                    self._tell(name, "withdrawn", known, now)
            if risk is not None:
                if known != risk:
                    self._tell(name, "at_risk", risk, now)
                self.open[name] = risk

    def _tell(
        self, name: str, status: str, risk: tuple[str | None, str | None, int], now: int
    ) -> None:
        self.sequence[name] += 1
        self.notices.append(Notice(now, name, self.sequence[name], status, *risk))


@st.composite
def warning_policies(draw: st.DrawFn) -> tuple[str, int]:
    """Return a policy that warns, and its lead in milliseconds."""
    lead_days = draw(st.sampled_from([1, 2, 4, 9]))
    document = yaml.safe_load(unruled(draw(SOME)))
    asked = {"lead_days": lead_days, "in_changes": draw(st.sampled_from(["nothing", "prevention"]))}
    return json.dumps(document | {"forecasts": asked}), lead_days * DAY


@given(warning_policies(), HISTORIES, st.data())
@tries(50)
def test_warnings_are_those_that_the_definition_gives(
    asked: tuple[str, int], events: list[Event], data: st.DataObject
) -> None:
    """Every warning and withdrawal, at its instant; wherever batches end and workers restart."""
    text, lead_ms = asked
    note(text)
    run, watch = Run(plan_of(text)), Watch(text, lead_ms)
    batch: list[Event] = []
    for event in events:
        batch.append(event)
        watch.apply(event)
        action = data.draw(st.sampled_from(["go on", "commit", "restart"]))
        if action != "go on":
            run.apply(batch)
            batch = []
        if action == "restart":
            run.reload()
    run.apply(batch)
    end = max(event["record_ms"] for event in events) + FAR_DAYS * DAY
    run.wake(end)
    if watch.oracle.now is not None:
        watch.pass_until(end + 1)
    assert sorted(_told(run)) == sorted(watch.notices)
    _follows_the_rules(run)


def _told(run: Run) -> list[Notice]:
    told = []
    for row in run.rows:
        if row.topic == "tier-forecasts" and row.value is not None:
            TOPICS["tier-forecasts"].contract.validate_json(row.value)
            said = json.loads(row.value)
            if said["status"] not in {"at_risk", "withdrawn"}:
                continue  # of a grace
            told.append(
                Notice(
                    instant_ms(parse_instant(said["issued_at"])),
                    said["grading"],
                    said["sequence"],
                    said["status"],
                    said["tier"],
                    said["expected_tier"],
                    instant_ms(parse_instant(said["expected_at"])),
                )
            )
    return told


def _follows_the_rules(run: Run) -> None:
    """No two share an id, and each withdrawal names the warning before it."""
    said = [json.loads(r.value) for r in run.rows if r.topic == "tier-forecasts" and r.value]
    said = [one for one in said if "sequence" in one]
    assert len({one["id"] for one in said}) == len(said)
    last: dict[str, Any] = {}
    for one in said:
        if one["status"] == "withdrawn":
            assert one["withdraws"] == last[one["grading"]]["id"]
            assert last[one["grading"]]["status"] == "at_risk"
        last[one["grading"]] = one
