"""Whom a notice concerns: the policy's routes, compiled. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.alerting.hours import Hours

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from schemas.policy import PolicyDocument
    from schemas.policy.labels import Language
    from schemas.policy.routes import Channel as ChannelDocument
    from schemas.policy.routes import Delivery
    from schemas.policy.routes import Rule as RuleDocument
    from stream.alerting.notices import Facts, Notice

MINUTE_MS = 60_000
_ABOUT = {"changes": "change", "forecasts": "forecast", "complaints": "complaint"}


@dataclass(frozen=True, slots=True)
class Channel:
    """People who are reached together (see `schemas.policy.routes.Channel`)."""

    name: str
    language: Language
    hours: Hours
    per_minute: int | None = None
    owners: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One route (see `schemas.policy.routes.Rule`); None: does not matter.

    Attributes:
        at_least_minor: In minor units of the reporting currency.
        escalate_ms: How long an alert may go without acknowledgement; 0: forever.
        escalate_to: Name of the channel that hears of it then.
    """

    kind: str
    channels: tuple[str, ...]
    deliver: Delivery = "at_once"
    gradings: frozenset[str] | None = None
    directions: frozenset[str] | None = None
    before: frozenset[str] | None = None
    after: frozenset[str] | None = None
    owners: frozenset[str] | None = None
    territories: frozenset[str] | None = None
    at_least_minor: int | None = None
    escalate_ms: int = 0
    escalate_to: str = ""

    def may_fit(self, notice: Notice) -> bool:
        """Whether the notice fits as far as it tells by itself, without its facts."""
        if self.kind != notice.kind:
            return False
        if self.kind == "complaint":
            return True
        return (
            _fits(self.gradings, notice.grading)
            and _fits(self.directions, notice.direction)
            and _fits(self.before, notice.before)
            and _fits(self.after, notice.after)
        )

    def fits(self, facts: Facts) -> bool:
        """Whether the customer fits as well."""
        return (
            (self.kind != "complaint" or self._stands(facts))
            and _fits(self.owners, facts.owner)
            and _fits(self.territories, facts.territory)
            and (self.at_least_minor is None or (facts.amount_minor or 0) >= self.at_least_minor)
        )

    def _stands(self, facts: Facts) -> bool:
        if self.gradings is None and self.after is None:
            return True
        return any(
            _fits(self.gradings, grading) and _fits(self.after, tier)
            for grading, tier in facts.tiers.items()
        )


@dataclass(frozen=True, slots=True)
class Routes:
    """All routes of a policy.

    Attributes:
        merge_ms: How long further moves are merged after an alert.
    """

    rules: tuple[Rule, ...]
    channels: Mapping[str, Channel]
    merge_ms: int

    def concerns(self, notice: Notice) -> bool:
        """Whether anybody may want to hear of it, before its facts are known."""
        return any(rule.may_fit(notice) for rule in self.rules)

    def to(self, notice: Notice) -> Iterator[tuple[Channel, Rule]]:
        """Yield who hears of *notice*, each channel once, by the first rule that fits."""
        told: set[str] = set()
        for rule in self.rules:
            if not (rule.may_fit(notice) and rule.fits(notice.facts)):
                continue
            for name in rule.channels:
                channel = self.channels[name]
                if name not in told and _fits(channel.owners, notice.facts.owner):
                    told.add(name)
                    yield channel, rule


def compile_routes(document: PolicyDocument) -> Routes | None:
    """Return the routes of a policy; None where it has none."""
    routes = document.routes
    if routes is None:
        return None
    channels = {
        name: _channel(name, channel, document.time_zone)
        for name, channel in routes.channels.items()
    }
    rules = tuple(_rule(rule, document, routes.amount) for rule in routes.rules)
    return Routes(rules, channels, routes.merge_minutes * MINUTE_MS)


def _channel(name: str, document: ChannelDocument, zone: str) -> Channel:
    quiet = None if document.quiet is None else (document.quiet.from_, document.quiet.to)
    hours = Hours(document.time_zone or zone, quiet, document.digests)
    return Channel(name, document.language, hours, document.per_minute, _set(document.owners))


def _rule(rule: RuleDocument, document: PolicyDocument, amount: str | None) -> Rule:
    least = None
    if rule.at_least is not None and amount is not None:
        least = document.threshold(amount, rule.at_least)
    escalate = rule.escalate
    return Rule(
        kind=_ABOUT[rule.about],
        channels=rule.channels,
        deliver=rule.deliver,
        gradings=_set(rule.gradings),
        directions=_set(rule.directions),
        before=_set(rule.from_),
        after=_set(rule.to),
        owners=_set(rule.owners),
        territories=_set(rule.territories),
        at_least_minor=least,
        escalate_ms=0 if escalate is None else escalate.after_minutes * MINUTE_MS,
        escalate_to="" if escalate is None else escalate.to,
    )


def _set(listed: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if listed is None else frozenset(listed)


def _fits(allowed: frozenset[str] | None, value: str | None) -> bool:
    return allowed is None or value in allowed
