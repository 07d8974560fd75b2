"""Routes: who is told of what, through which channel, and when. Addresses are not in here."""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit, one_of
from schemas.policy.labels import Language
from schemas.policy.part import Items, Part, refuse
from schemas.policy.quantities import Level, Name, TimeZone

Direction = Literal["first", "up", "down", "lateral"]
Delivery = Literal["at_once", "digest", "urgent"]

_DAY_MINUTES = 24 * 60
_WEEK_MINUTES = 7 * _DAY_MINUTES
_MOST_PER_MINUTE = 600
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_TIME = 'a time of day in quotes, such as "21:00"'


def _time_of_day(value: str) -> str:
    if not _TIME_OF_DAY.fullmatch(value):
        refuse(_TIME)
    return value


TimeOfDay = Annotated[
    str,
    AfterValidator(_time_of_day),
    WithJsonSchema({"type": "string", "pattern": f"^{_TIME_OF_DAY.pattern}$"}),
]
Text = Annotated[str, Field(min_length=1, max_length=1024)]


class QuietHours(Part):
    """When nobody wants to be disturbed, every day; over midnight where `to` is before `from`."""

    from_: TimeOfDay = Field(alias="from", description=_TIME)
    to: TimeOfDay = Field(description=_TIME)


class Channel(Part):
    """People who are reached together. Where they are reached is a secret, kept elsewhere.

    Attributes:
        language: Of what they are told.
        time_zone: Of their hours; None: the policy's.
        quiet: When only what is urgent is told. The rest waits for the end of it, together.
        digests: When what may wait is told, every day.
        per_minute: Most messages in any 60 seconds; what is more waits and comes together.
            None: no limit.
        owners: They hear of customers of these owners only; None: of all.
    """

    language: Language = "en"
    time_zone: TimeZone | None = None
    quiet: QuietHours | None = None
    digests: tuple[TimeOfDay, ...] = Field(
        default=(), strict=False, description='a list of times of day in quotes, such as ["09:00"]'
    )
    per_minute: int | None = Field(default=None, ge=1, le=_MOST_PER_MINUTE)
    owners: Items[Text] | None = Field(default=None, description="a list of owners")


class Escalation(Part):
    """Whom to tell when nobody has acknowledged an alert for so long."""

    after_minutes: int = Field(
        ge=1, le=_WEEK_MINUTES, description="a whole number of minutes, such as 30"
    )
    to: Name = Field(description="the name of a channel")


class Rule(Part):
    """One route. What is left out does not matter; all that is there must fit.

    Attributes:
        about: changes: of a grade; forecasts: falls that are about to come; complaints: as
            they come in.
        gradings: Which of them.
        directions: Of a change.
        from_: Grades that are left, or about to be.
        to: Grades that are reached. Of a complaint: where the customer stands.
        owners: Who looks after the customer.
        territories: Where the customer is.
        at_least: What the customer is worth at least, by the measure `amount`.
        channels: Who is told.
        deliver: at_once; digest: with the next digest; urgent: at once, quiet hours or not,
            however much was told before, and never merged.
        escalate: What happens when nobody acknowledges it.
    """

    about: Literal["changes", "forecasts", "complaints"] = "changes"
    gradings: Items[Name] | None = None
    directions: Items[Direction] | None = None
    from_: Items[str] | None = Field(default=None, alias="from")
    to: Items[str] | None = None
    owners: Items[Text] | None = None
    territories: Items[Text] | None = None
    at_least: Level | None = None
    channels: Items[Name] = Field(description="a list of channels")
    deliver: Delivery = "at_once"
    escalate: Escalation | None = None

    @model_validator(mode="after")
    def _said_what_its_subject_has(self) -> Self:
        if self.about != "changes" and self.directions is not None:
            refuse(f"no directions: {self.about} have none")
        if self.about == "complaints" and self.from_ is not None:
            refuse("no from: a complaint leaves no grade; to says where the customer stands")
        if self.deliver == "digest" and self.escalate is not None:
            refuse("no escalate with deliver: digest; nobody is waiting for an answer to those")
        return self


class Routes(Part):
    """Who is told of what. Without it nobody is.

    Attributes:
        name: Measure that says what people call a customer; None: the id.
        owner: Measure that says who looks after a customer.
        territory: Measure that says where a customer is.
        amount: Measure of money that says what a customer is worth.
        merge_minutes: After an alert, further moves of the same customer in the same grading
            are not told at once but together, in one line; 0: each is told.
        channels: By name.
        rules: In file order; each channel hears of something by the first that fits.
    """

    name: Name | None = None
    owner: Name | None = None
    territory: Name | None = None
    amount: Name | None = None
    merge_minutes: int = Field(default=10, ge=0, le=_DAY_MINUTES)
    channels: dict[Name, Channel] = Field(min_length=1, description="a mapping of channels")
    rules: Items[Rule] = Field(description="a list of rules")

    def mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what does not fit, with *at* as the place of the routes."""
        for key, measure in (("name", self.name), ("owner", self.owner)):
            if measure is not None:
                yield from fit.text((*at, key), measure)
        if self.territory is not None:
            yield from fit.text((*at, "territory"), self.territory)
        if self.amount is not None:
            yield from fit.numeric((*at, "amount"), self.amount, ("money",))
        used: set[str] = set()
        for index, rule in enumerate(self.rules):
            used.update(rule.channels)
            if rule.escalate is not None:
                used.add(rule.escalate.to)
            yield from self._rule((*at, "rules", index), rule, fit)
        for name, channel in self.channels.items():
            place = (*at, "channels", name)
            if name not in used:
                yield Mistake(place, shown(name), "a channel that a rule names", at_key=True)
            yield from self._channel(place, channel)

    def _channel(self, at: Location, channel: Channel) -> Iterator[Mistake]:
        if channel.owners is not None:
            yield from self._measured((*at, "owners"), "owner", self.owner)
        if channel.quiet is not None and channel.quiet.from_ == channel.quiet.to:
            yield Mistake((*at, "quiet", "to"), shown(channel.quiet.to), "another time than from")
        for index, moment in enumerate(channel.digests):
            if moment in channel.digests[:index]:
                yield Mistake((*at, "digests", index), shown(moment), "each time once")

    def _rule(self, at: Location, rule: Rule, fit: Fit) -> Iterator[Mistake]:
        for key, listed, measured, measure in (
            ("owners", rule.owners, "owner", self.owner),
            ("territories", rule.territories, "territory", self.territory),
            ("at_least", rule.at_least, "amount", self.amount),
        ):
            if listed is not None:
                yield from self._measured((*at, key), measured, measure)
        if rule.at_least is not None and self.amount is not None:
            yield from fit.fits((*at, "at_least"), self.amount, rule.at_least)
        for index, grading in enumerate(rule.gradings or ()):
            yield from fit.grading((*at, "gradings", index), grading)
        for key, grades in (("from", rule.from_), ("to", rule.to)):
            yield from self._grades((*at, key), grades or (), rule, fit)
        for index, name in enumerate(rule.channels):
            place = (*at, "channels", index)
            yield from self._known(place, name)
            known = self.channels.get(name)
            if rule.deliver == "digest" and known is not None and not known.digests:
                yield Mistake(place, shown(name), "a channel with digests, for deliver: digest")
        if rule.escalate is not None:
            yield from self._known((*at, "escalate", "to"), rule.escalate.to)

    def _known(self, at: Location, name: str) -> Iterator[Mistake]:
        if name not in self.channels:
            yield Mistake(at, shown(name), one_of("a channel", name, self.channels))

    @staticmethod
    def _measured(at: Location, key: str, measure: str | None) -> Iterator[Mistake]:
        if measure is None:
            allowed = f"nothing without routes.{key}, the measure that says it"
            yield Mistake(at, shown(at[-1]), allowed, at_key=True)

    @staticmethod
    def _grades(at: Location, grades: Iterable[str], rule: Rule, fit: Fit) -> Iterator[Mistake]:
        gradings = rule.gradings or tuple(fit.names.gradings)
        if any(grading not in fit.names.gradings for grading in gradings):
            return
        known = list(dict.fromkeys(grade for name in gradings for grade in fit.grades(name)))
        for index, grade in enumerate(grades):
            if grade not in known:
                words = one_of(f"a grade of {' or '.join(gradings)}", grade, known)
                yield Mistake((*at, index), shown(grade), words)
