"""Which tier stands when another was earned: holds, grace, cool-down, single steps, and pins.

Time is an argument, and only the instants at which something was earned, changed or pinned
count: looking again in between gives the same answer, so it does not matter who looked when.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from stream.calendar import DAY_MS
from stream.sentinels import NEVER

if TYPE_CHECKING:
    from schemas.policy.stability import Stability as Document
    from stream.customer import Customer, Grade
    from stream.gradings.base import Grading

GRACE = "grace"
HOLD = "minimum_hold"
COOL_DOWN = "cool_down"
ONE_STEP = "one_step"
UP, DOWN = "up", "down"
_LONG_AGO = -NEVER


@dataclass(frozen=True, slots=True)
class Rules:
    """What one grading asks for before a change of tier; 0 where it asks for nothing.

    Attributes:
        hold_ms: Least time from a change to a downgrade.
        grace_ms: How long a lower tier must have been earned without a break.
        cool_down_ms: Least time from a downgrade to an upgrade.
        one_step: Whether downgrades go one tier at a time.
    """

    hold_ms: int = 0
    grace_ms: int = 0
    cool_down_ms: int = 0
    one_step: bool = False


NO_RULES = Rules()


class Pin(Struct, array_like=True, frozen=True, gc=False):
    """A tier that a person holds a customer at, whatever is earned.

    Attributes:
        tier: The tier.
        until_ms: When it ends; `NEVER` where someone has to end it.
        event_id: Of the control that set it, or that lifted it.
        author: Who set or lifted it.
        reason: Why.
        lifted: Whether a control ended it, not its own time.
    """

    tier: str
    until_ms: int
    event_id: str
    author: str
    reason: str
    lifted: bool = False


class Grace(Struct, array_like=True, frozen=True, gc=False):
    """A grace as it was told when it began.

    Attributes:
        tier: The tier that stands.
        expected: The tier that follows once the grace is over.
        expected_ms: When that is: the later of the ends of the grace and of the hold.
        since_ms: When the grace began.
        number: 1, 2, 3 … per customer and grading, with gaps.
    """

    tier: str
    expected: str
    expected_ms: int
    since_ms: int
    number: int


class Waiting(Struct, array_like=True, frozen=True, gc=False):
    """A change that was earned and is held back.

    Attributes:
        earned: The tier that is earned now.
        direction: ``up`` or ``down`` from the tier that stands.
        since_ms: Since when a tier in that direction has been earned without a break.
        rule: What holds it back.
        due_ms: When that ends.
        grace: As it was told; None where nothing was.
    """

    earned: str
    direction: str
    since_ms: int
    rule: str
    due_ms: int
    grace: Grace | None = None


class Held(Struct, array_like=True, frozen=True, gc=False):
    """What one grading of one customer remembers for the rules, beside its `Grade`.

    Attributes:
        waiting: The change that is held back.
        fell_ms: Instant of the last downgrade.
        suppressed: By rule, how many changes it has held back, or (one step) cut short.
        pin: In force.
    """

    waiting: Waiting | None = None
    fell_ms: int = _LONG_AGO
    suppressed: dict[str, int] = {}
    pin: Pin | None = None

    @property
    def due_ms(self) -> int:
        """When the rules or the end of a pin may next change the tier by themselves."""
        if self.pin is not None:
            return self.pin.until_ms
        return NEVER if self.waiting is None else self.waiting.due_ms


NOTHING_HELD = Held()


class Suppressed(NamedTuple):
    """A change that a rule has held back or cut short; told once for each."""

    grading: str
    rule: str


class GraceNotice(NamedTuple):
    """A grace began, or ended without the downgrade, in one grading."""

    grading: str
    grace: Grace
    issued_ms: int
    started: bool


Aside = Suppressed | GraceNotice
"""What comes of judging besides changes of tier."""


class Ruling(NamedTuple):
    """What the rules make of a tier that was earned.

    Attributes:
        tier: The tier that stands.
        waiting: The change that is held back, if one is.
        rule: What has held the change back, or cut it short; None where it went through.
    """

    tier: str | None
    waiting: Waiting | None = None
    rule: str | None = None


def ruling(
    rules: Rules, grading: Grading, standing: Grade, earned: str | None, now_ms: int
) -> Ruling:
    """Return what stands at *now_ms* for someone who stands at *standing* and earns *earned*.

    "Not graded" is no tier: the way there, and the way from there, is never held. Nor is the
    way from a tier that the grading no longer has, or from a pin that has ended.
    """
    current, held = standing.tier, standing.held or NOTHING_HELD
    if held.pin is not None:
        return Ruling(held.pin.tier if _binds(held.pin, grading, now_ms) else earned)
    tiers = grading.tiers
    if earned is None or current is None or earned == current or current not in tiers:
        return Ruling(earned)
    old, new = tiers.index(current), tiers.index(earned)
    way = UP if new < old else DOWN
    waiting = held.waiting if held.waiting is not None and held.waiting.direction == way else None
    since_ms = now_ms if waiting is None else waiting.since_ms
    if way == UP:
        due_ms, rule = held.fell_ms + rules.cool_down_ms, COOL_DOWN
    else:
        due_ms, rule = max(
            (standing.since_ms + rules.hold_ms, HOLD), (since_ms + rules.grace_ms, GRACE)
        )
    if now_ms < due_ms:
        told = None if waiting is None else waiting.grace
        return Ruling(current, Waiting(earned, way, since_ms, rule, due_ms, told), rule)
    if way == DOWN and rules.one_step and new > old + 1:
        return Ruling(tiers[old + 1], rule=ONE_STEP)
    return Ruling(earned)


def steady(
    customer: Customer,
    grading: Grading,
    rules: Rules,
    standing: Grade,
    earned: str | None,
    now_ms: int,
) -> str | None:
    """Return the tier that stands, and remember in *standing* what the rules need for it.

    What there is to tell is left in ``customer.asides``. The tier itself is changed by the
    caller, who then calls `changed`.
    """
    found = ruling(rules, grading, standing, earned, now_ms)
    held = standing.held
    if held is None and found.rule is None:
        return found.tier
    held = held or NOTHING_HELD
    before, waiting = held.waiting, found.waiting
    fresh = waiting is not None and (before is None or before.direction != waiting.direction)
    pin = held.pin if held.pin is not None and _binds(held.pin, grading, now_ms) else None
    suppressed = held.suppressed
    if found.rule is not None and (fresh or waiting is None):
        suppressed = {**suppressed, found.rule: suppressed.get(found.rule, 0) + 1}
        customer.asides.append(Suppressed(grading.name, found.rule))
    if before is not None and before.grace is not None and (fresh or waiting is None):
        fell = pin is None and before.direction == _way(grading, standing.tier, found.tier)
        if not fell:
            customer.asides.append(GraceNotice(grading.name, before.grace, now_ms, started=False))
    if fresh and waiting is not None and waiting.direction == DOWN and rules.grace_ms:
        grace = _grace(waiting, grading, rules, standing.tier, sum(suppressed.values()))
        waiting = replace(waiting, grace=grace)
        customer.asides.append(GraceNotice(grading.name, grace, now_ms, started=True))
    standing.held = Held(waiting, held.fell_ms, suppressed, pin)
    return found.tier


def withhold(customer: Customer, grading: Grading, standing: Grade, now_ms: int) -> None:
    """Let nothing stand or wait: the customer forbids being scored. A pin waits for its return."""
    standing.kept_until_ms = 0
    held = standing.held
    if held is not None and held.waiting is not None:
        if held.waiting.grace is not None:
            notice = GraceNotice(grading.name, held.waiting.grace, now_ms, started=False)
            customer.asides.append(notice)
        standing.held = replace(held, waiting=None)


def changed(
    customer: Customer,
    grading: Grading,
    rules: Rules,
    standing: Grade,
    earned: str | None,
    direction: str,
) -> None:
    """Take note that *standing* has just changed, and let what is still earned below it wait."""
    if direction == DOWN and rules.cool_down_ms:
        standing.held = replace(standing.held or NOTHING_HELD, fell_ms=standing.since_ms)
    steady(customer, grading, rules, standing, earned, standing.since_ms)


def pin(standing: Grade, put: Pin) -> None:
    """Put a pin, in the place of one that is there; the next judging acts on it."""
    standing.held = replace(standing.held or NOTHING_HELD, pin=put)


def lift(standing: Grade, event_id: str, author: str, reason: str, now_ms: int) -> None:
    """End the pin that there is at *now_ms*; the next judging acts on it."""
    held = standing.held
    if held is not None and held.pin is not None:
        ended = Pin(held.pin.tier, now_ms, event_id, author, reason, lifted=True)
        standing.held = replace(held, pin=ended)


def compile_rules(document: Document | None) -> Rules:
    """Return the rules of a grading that a checked policy has, or `NO_RULES`."""
    if document is None:
        return NO_RULES
    return Rules(
        document.minimum_hold_days * DAY_MS,
        document.grace_days * DAY_MS,
        document.cool_down_days * DAY_MS,
        document.one_step,
    )


def _binds(pin: Pin, grading: Grading, now_ms: int) -> bool:
    return now_ms < pin.until_ms and pin.tier in grading.tiers


def _way(grading: Grading, before: str | None, after: str | None) -> str | None:
    tiers = grading.tiers
    if before not in tiers or after not in tiers or before == after:
        return None
    return DOWN if tiers.index(after) > tiers.index(before) else UP


def _grace(
    waiting: Waiting, grading: Grading, rules: Rules, current: str | None, number: int
) -> Grace:
    tier = current or ""
    expected = grading.tiers[grading.tiers.index(tier) + 1] if rules.one_step else waiting.earned
    return Grace(tier, expected, waiting.due_ms, waiting.since_ms, number)
