"""What every wire record has in common: strict, frozen models and the types they share.

The models are the contract. `schemas.decode` is the fast way to the same answer.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

MAX_MINOR: Final = 10**15
"""Largest amount on the wire, in minor units."""
MAX_ATTRIBUTE: Final = 10**15
"""Largest magnitude of a whole-number attribute."""
MAX_OVERDUE_DAYS: Final = 36_500

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)

_INSTANT_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})$"
)
_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):?(\d\d))",
    re.ASCII,
)
_SAVED_DIGITS = 6
_MOST_HOURS, _MOST_MINUTES = 23, 59
_NOT_AN_INSTANT = "an RFC 3339 instant with its zone, such as 1997-01-12T08:30:00Z"


def parse_instant(text: str) -> datetime:
    """Return the instant that *text* names, to the microsecond (a seventh digit rounds half up).

    RFC 3339 with a zone, years 0001 to 9999. A space may stand for the T, and the colon of the
    offset may be left out, as many producers do. Leap seconds (:60) are refused: no clock of
    ours can hold them.

    >>> parse_instant("1997-01-12T08:30:00.25+08:00").isoformat()
    '1997-01-12T08:30:00.250000+08:00'

    Raises:
        ValueError: Anything else.
    """
    match = _INSTANT.fullmatch(text)
    if not match:
        raise ValueError(_NOT_AN_INSTANT)
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    digits, sign, off_hours, off_minutes = match.groups()[6:]
    zone = UTC
    if sign:
        hours, minutes = int(off_hours), int(off_minutes)
        if hours > _MOST_HOURS or minutes > _MOST_MINUTES:
            raise ValueError(_NOT_AN_INSTANT)
        offset = timedelta(hours=hours, minutes=minutes)
        zone = timezone(-offset if sign == "-" else offset)
    digits = digits or ""
    micros = int(digits[:_SAVED_DIGITS].ljust(_SAVED_DIGITS, "0"))
    rounds_up = digits[_SAVED_DIGITS : _SAVED_DIGITS + 1] >= "5"
    try:
        instant = datetime(year, month, day, hour, minute, second, micros, zone)
        return instant + timedelta(microseconds=1) if rounds_up else instant
    except (ValueError, OverflowError) as exc:
        raise ValueError(_NOT_AN_INSTANT) from exc


def instant_ms(instant: datetime) -> int:
    """Return *instant* as milliseconds since the epoch, rounded down.

    >>> instant_ms(parse_instant("1969-12-31T23:59:59.9999Z"))
    -1
    """
    return (instant - EPOCH) // MILLISECOND


def _checked_instant(text: str) -> str:
    try:
        parse_instant(text)
    except ValueError as exc:
        raise PydanticCustomError("instant", _NOT_AN_INSTANT) from exc
    return text


Id = Annotated[str, Field(min_length=1, max_length=128)]
Word = Annotated[str, Field(min_length=1, max_length=64)]
"""A name chosen by people or policies: grading, tier, attribute, author."""
Sentence = Annotated[str, Field(min_length=1, max_length=1024)]
CurrencyCode = Annotated[str, Field(pattern="^[A-Z]{3}$")]
"""Three capital letters. Whether the policy knows the currency is asked later."""
AmountMinor = Annotated[int, Field(ge=0, le=MAX_MINOR)]
"""Whole minor units of the currency beside it: cents, yen, fils."""
Score = Annotated[int, Field(ge=0, le=100)]
SchemaVersion = Literal[1]
Instant = Annotated[
    str,
    AfterValidator(_checked_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": _INSTANT_PATTERN}),
]
"""The text of an instant, as `parse_instant` reads it."""
OutInstant = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"),
]
"""How we write instants: UTC with milliseconds, ``1997-01-01T00:00:00.000Z``."""


class Contract(BaseModel):
    """A record on the wire. Nothing is coerced; unknown fields are ignored, for what comes."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", serialize_by_alias=True)


class Event(Contract):
    """What every event that comes in has.

    Attributes:
        schema_version: Only 1 exists.
        event_id: Unique; the same id with the same bytes is a duplicate and dropped.
        occurred_at: Event time.
    """

    schema_version: SchemaVersion = 1
    event_id: Id
    occurred_at: Instant

    @property
    def occurred_ms(self) -> int:
        """Event time in milliseconds since the epoch, rounded down."""
        return instant_ms(parse_instant(self.occurred_at))


class CustomerEvent(Event):
    """An event about one customer, who is also the key of the record.

    Attributes:
        customer_id: Whom it is about, as all systems call them.
    """

    customer_id: Id


class PolicyName(Contract):
    """Which policy a grade was given under."""

    name: Word
    version: Annotated[int, Field(ge=1)]
