"""An alert in words, English or Chinese: who, from, to, why, what would win them back, by when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from agents.alerts.sentences import SAID
from agents.cli.explain_words import Words
from stream.alerting.message import Message, Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.policy import PolicyDocument
    from stream.alerting.notices import Moved, Notice, Orders
    from stream.alerting.routing import Channel
    from stream.alerting.threads import Line, Send

_MOST_REASONS = 3
_MARKS: Final = {"down": "▼", "up": "▲", "first": "●", "lateral": "◆"}


class AlertWords:
    """Says things to one channel, by the names that one policy gives them."""

    def __init__(self, document: PolicyDocument, channel: Channel, card_url: str = "") -> None:
        """Link customers to *card_url*, unless that is empty."""
        self._document = document
        self._channel = channel
        self._card_url = card_url
        self._words = Words(document, channel.language)
        self._column = 1 if channel.language == "zh" else 0

    def message(self, send: Send, now_ms: int) -> Message:
        """Return what is to be sent, written at *now_ms*."""
        if send.kind == "digest":
            return self._digest(send.lines, now_ms)
        (notice,) = send.notices
        title = self._title(notice)
        lines = [*self._lines(notice), self._id(notice)]
        if send.waits:
            lines.append(self._say("acknowledge", id=notice.id))
        if send.kind == "escalation":
            title = self._say("title_escalation", title=title)
            at = self.instant(notice.instant_ms)
            lines.insert(0, self._say("nobody", channel=send.origin, at=at))
        return Message(
            channel=self._channel.name,
            kind=send.kind,
            title=title,
            parts=(Part(notice.customer_id, "\n".join(lines), notice.instant_ms),),
            written_ms=now_ms,
            instant_ms=notice.instant_ms,
            trace=notice.trace,
        )

    def sample(self, now_ms: int) -> Message:
        """Return a message that is about nobody."""
        text = self._say("sample_text", channel=self._channel.name)
        return Message(
            channel=self._channel.name,
            kind="sample",
            title=self._say("sample"),
            parts=(Part("", text),),
            written_ms=now_ms,
            instant_ms=now_ms,
        )

    def instant(self, at_ms: int) -> str:
        """Return an instant by the clocks of the channel, to the minute."""
        zone = self._channel.hours.zone
        moment = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)
        return f"{moment:%Y-%m-%d %H:%M}"

    def who(self, notice: Notice) -> str:
        """Return how people call a customer, with its id."""
        name = notice.facts.name
        return notice.customer_id if name is None else f"{name} ({notice.customer_id})"

    def _digest(self, lines: tuple[Line, ...], now_ms: int) -> Message:
        if len(lines) == 1:
            title = self._say("title_digest_one", who=self.who(lines[0].notice))
        else:
            title = self._say("title_digest", number=len(lines))
        return Message(
            channel=self._channel.name,
            kind="digest",
            title=title,
            parts=tuple(
                Part(line.notice.customer_id, self._line(line), line.notice.instant_ms)
                for line in lines
            ),
            written_ms=now_ms,
            instant_ms=max(line.notice.instant_ms for line in lines),
        )

    def _line(self, line: Line) -> str:
        notice = line.notice
        if notice.closes:
            text = self._say(notice.status, **self._names(notice))
        elif notice.kind == "complaint":
            text = self._say("line_complaint", who=self.who(notice))
        else:
            names = self._names(notice) | {"before": self._tier(notice.grading, line.before)}
            mark = "⏳" if notice.kind == "forecast" else _MARKS.get(notice.direction, "◆")
            text = self._say("line", mark=mark, **names)
        moves = [self._say("moves", number=line.moves)] if line.moves > 1 else []
        return " · ".join([text, *moves, self._id(notice), *self._link(notice)])

    def _title(self, notice: Notice) -> str:
        names = self._names(notice)
        if notice.kind == "complaint":
            return self._say("title_complaint", **names)
        if notice.kind == "forecast":
            return self._say("title_forecast", **names)
        key = "title_first" if notice.direction == "first" else "title"
        return self._say(key, mark=_MARKS.get(notice.direction, "◆"), **names)

    def _lines(self, notice: Notice) -> Iterator[str]:
        names = self._names(notice)
        if notice.kind == "change":
            yield self._say(notice.direction, **names)
            yield self._why(notice)
        else:
            yield self._say(notice.status, **names)
        if notice.kind == "complaint" and notice.facts.tiers:
            stands = (
                f"{self._grading(grading)} {self._tier(grading, tier)}"
                for grading, tier in notice.facts.tiers.items()
            )
            yield self._say("stands", tiers=" · ".join(stands))
        yield from self._way_back(notice)
        if notice.action is not None:
            yield self._say("action", action=self._action(notice.action))
        yield from self._about(notice)
        yield from self._link(notice)

    def _way_back(self, notice: Notice) -> Iterator[str]:
        at = self.instant(notice.at_ms)
        if notice.way_back is not None:
            orders = self._orders(notice.way_back)
            if notice.kind == "forecast":
                yield self._say("keep", orders=orders, at=at)
            else:
                tier = self._tier(notice.grading, notice.way_back.to)
                yield self._say("win_back", orders=orders, tier=tier)
        if notice.kind == "change" and notice.at_ms:
            tier = self._tier(notice.grading, notice.next_tier)
            if notice.prevention is None:
                yield self._say("next", tier=tier, at=at)
            else:
                orders = self._orders(notice.prevention)
                yield self._say("next_prevented", tier=tier, at=at, orders=orders)

    def _about(self, notice: Notice) -> Iterator[str]:
        """Say what is known of the customer."""
        facts = notice.facts
        known = [] if facts.owner is None else [self._say("owner", owner=facts.owner)]
        if facts.territory is not None:
            known.append(facts.territory)
        if facts.amount_minor is not None:
            known.append(self._words.reading(facts.amount_minor, "money"))
        if known:
            yield " · ".join(known)

    def _link(self, notice: Notice) -> Iterator[str]:
        """Yield where the customer's card is: the id in the fragment, which no server is sent."""
        if self._card_url:
            yield f"{self._card_url}#customer={quote(notice.customer_id, safe='')}"

    def _why(self, notice: Notice) -> str:
        cause = self._words.say(f"cause_{notice.status}")
        crossed = [one for one in notice.reasons if one.crossed is not None]
        told = [self._reason(one) for one in (crossed or notice.reasons)[:_MOST_REASONS]]
        if not told:
            return self._say("why_cause", cause=cause)
        return self._say("why", reasons="; ".join(told), cause=cause)

    def _reason(self, moved: Moved) -> str:
        if moved.unit == "tier":
            tiers = {side: self._tier(moved.measure, _text(value)) for side, value in _sides(moved)}
            return self._say("went", measure=self._grading(moved.measure), **tiers)
        known = self._document.measures
        measure = self._words.measure(moved.measure) if moved.measure in known else moved.measure
        before, after, boundary = (
            self._reading(value, moved.unit)
            for value in (moved.before, moved.after, moved.boundary)
        )
        if moved.crossed is not None and moved.boundary is not None:
            return self._say(moved.crossed, measure=measure, after=after, boundary=boundary)
        return self._say("went", measure=measure, before=before, after=after)

    def _reading(self, value: str | int | None, unit: str) -> str:
        if unit in {"points", "policy"}:
            return "" if value is None else str(value)
        return self._words.reading(value, unit)

    def _orders(self, orders: Orders) -> str:
        amount = self._words.reading(orders.amount_minor, "money")
        if orders.orders > 1:
            return self._say("orders", number=orders.orders, amount=amount)
        return self._say("one_order" if orders.amount_minor else "any_order", amount=amount)

    def _id(self, notice: Notice) -> str:
        return self._say("id", id=notice.id, at=self.instant(notice.instant_ms))

    def _names(self, notice: Notice) -> dict[str, str]:
        return {
            "who": self.who(notice),
            "grading": self._grading(notice.grading),
            "before": self._tier(notice.grading, notice.before),
            "after": self._tier(notice.grading, notice.after),
            "at": self.instant(notice.at_ms),
        }

    def _grading(self, name: str) -> str:
        return self._words.grading(name) if name in self._document.gradings else name

    def _tier(self, grading: str, tier: str | None) -> str:
        """Return how people call a tier; its id where the policy no longer knows it."""
        known = self._document.gradings
        if tier is None or (grading in known and tier in self._document.grades_of(grading)):
            return self._words.tier(grading, tier)
        return tier

    def _action(self, name: str) -> str:
        treatments = self._document.treatments
        return name if treatments is None else treatments.called(name, self._channel.language)

    def _say(self, key: str, **filled: object) -> str:
        return SAID[key][self._column].format(**filled)


def _sides(moved: Moved) -> Iterator[tuple[str, str | int | None]]:
    yield "before", moved.before
    yield "after", moved.after


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)
