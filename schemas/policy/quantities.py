"""Scalars of the policy language: names, durations, money, levels, percents and points.

Numbers are exact. A binary float is never accepted: the loader builds decimals from the text
of the file, and a policy that travels as JSON carries decimals as strings.
"""

import re
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Annotated, Final, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, PlainSerializer, PlainValidator, WithJsonSchema

from schemas.currencies import EXPONENTS
from schemas.policy.part import refuse

Unit = Literal["money", "count", "days", "bp", "number", "text", "stage"]
"""What a measure counts: minor units, events, days, basis points, plain integers, text, or one
of `schemas.vocabulary.STAGES` (a name to people, its position to the scorer)."""

NAMED_UNITS: Final = frozenset({"text", "stage"})
"""Units whose values are names: they are listed, not compared with levels."""

MAX_DAYS: Final = 36_500
MAX_LEVEL: Final = Decimal(10) ** 15
MAX_PLAIN_POINTS: Final = 1000

_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_POLICY_NAME = re.compile(r"[a-z0-9-]{1,64}")
_DAYS = re.compile(r"([1-9][0-9]{0,4})d")
_DECIMAL = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,9})?")
_PERCENT = re.compile(r"(-?[0-9]{1,9}(?:\.[0-9]{1,6})?) ?%")
_RATIO = re.compile(r"([0-9]{1,9})/([1-9][0-9]{0,8})")


class BasisPoints(Decimal):
    """A level that was written as a percent: ``"12.5%"`` is 1250 basis points."""

    __slots__ = ()


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        refuse("a name of at most 64 characters of a-z 0-9 _ . - that starts with a letter")
    return value


def _policy_name(value: str) -> str:
    if not _POLICY_NAME.fullmatch(value):
        refuse("a name of at most 64 characters of a-z 0-9 -")
    return value


def _currency(value: str) -> str:
    if value not in EXPONENTS:
        refuse("an ISO 4217 currency code in upper case, such as USD, or CNY for renminbi")
    return value


@cache
def _time_zones() -> frozenset[str]:
    """Return the names of all zones: finding them walks through a directory of files."""
    return frozenset(available_timezones())


def _time_zone(value: str) -> str:
    if value not in _time_zones():
        refuse("an IANA time zone, such as UTC or Asia/Shanghai")
    return value


def _days(value: object) -> int:
    match = _DAYS.fullmatch(value) if isinstance(value, str) else None
    if not match or int(match[1]) > MAX_DAYS:
        refuse(f"a number of days from 1d to {MAX_DAYS}d, such as 365d")
    return int(match[1])


def _window(value: object) -> int | None:
    if value is None or value == "lifetime":
        return None
    match = _DAYS.fullmatch(value) if isinstance(value, str) else None
    if not match or int(match[1]) > MAX_DAYS:
        refuse(f"a number of days from 1d to {MAX_DAYS}d, such as 365d, or lifetime")
    return int(match[1])


def exact(value: object) -> Decimal | None:
    """Return a whole or decimal number, or its text, as a Decimal; None for anything else."""
    if isinstance(value, str):
        return Decimal(value) if _DECIMAL.fullmatch(value) else None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _level(value: object) -> Decimal:
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    number = BasisPoints(Decimal(match[1]) * 100) if match else exact(value)
    if isinstance(value, BasisPoints):
        number = value
    if number is None or abs(number) > MAX_LEVEL:
        refuse("a number, such as 1000.00", kind="level")
    return number


def _rate(value: object) -> Decimal:
    number = exact(value)
    if number is None or not 0 < number <= MAX_LEVEL:
        refuse('a decimal number above 0, in quotes, such as "1.08"')
    return number


def _weight(value: object) -> Fraction:
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    part = Fraction(match[1]) / 100 if match else None
    if isinstance(value, Fraction):
        part = value
    if part is None or not 0 < part <= 1:
        refuse('a percent above 0% and at most 100%, in quotes, such as "40%"')
    return part


def _top(value: object) -> int | Fraction:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    part = Fraction(match[1]) / 100 if match else None
    if isinstance(value, Fraction):
        part = value
    if part is None or not 0 < part <= 1:
        refuse('a whole number of customers from 1, such as 100, or a percent such as "5%"')
    return part


def _points(value: object) -> Fraction | None:
    if value == "full":
        return None
    number = exact(value)
    points = None if number is None else Fraction(number)
    ratio = _RATIO.fullmatch(value) if isinstance(value, str) else None
    if ratio:
        points = Fraction(int(ratio[1]), int(ratio[2]))
    if isinstance(value, Fraction):
        points = value
    if points is None or not 0 <= points <= 100:  # noqa: PLR2004 - points are on a scale of 100
        refuse('points from 0 to 100, such as 20, 12.5 or "100/3", or full')
    return points


def _plain_points(value: object) -> Decimal:
    number = exact(value)
    if number is None or not 0 <= number <= MAX_PLAIN_POINTS:
        refuse(f"points from 0 to {MAX_PLAIN_POINTS}, such as 10 or 2.5")
    return number


def _write_level(level: Decimal) -> str:
    return f"{level / 100:f}%" if isinstance(level, BasisPoints) else f"{level:f}"


def _write_weight(weight: Fraction) -> str:
    percent = weight * 100
    return f"{Decimal(percent.numerator) / Decimal(percent.denominator):f}%"


def _write_top(top: int | Fraction) -> int | str:
    return _write_weight(top) if isinstance(top, Fraction) else top


_number_schema = {"type": "number"}
_decimal_schema = {"type": "string", "pattern": "^-?[0-9]{1,16}(\\.[0-9]{1,9})?$"}
_percent_schema = {"type": "string", "pattern": "^-?[0-9]{1,9}(\\.[0-9]{1,6})? ?%$"}

Name = Annotated[
    str,
    AfterValidator(_name),
    WithJsonSchema({"type": "string", "pattern": "^[a-z][a-z0-9_.-]{0,63}$"}),
]
PolicyName = Annotated[
    str,
    AfterValidator(_policy_name),
    WithJsonSchema({"type": "string", "pattern": "^[a-z0-9-]{1,64}$"}),
]
Currency = Annotated[
    str,
    AfterValidator(_currency),
    WithJsonSchema({"type": "string", "enum": sorted(EXPONENTS)}),
]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Days = Annotated[
    int,
    PlainValidator(_days),
    PlainSerializer(lambda days: f"{days}d", return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,4}d$"}),
]
"""Whole days of exactly 86,400,000 ms, written ``365d``."""
Window = Annotated[
    int | None,
    PlainValidator(_window),
    PlainSerializer(lambda days: "lifetime" if days is None else f"{days}d", return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^([1-9][0-9]{0,4}d|lifetime)$"}),
]
"""Whole days, or None for the whole lifetime of the customer."""
Level = Annotated[
    Decimal,
    PlainValidator(_level),
    PlainSerializer(_write_level, return_type=str),
    WithJsonSchema({"anyOf": [_number_schema, _decimal_schema, _percent_schema]}),
]
"""A threshold as written: money in major units, counts and days whole, percents as BasisPoints."""
Rate = Annotated[
    Decimal,
    PlainValidator(_rate),
    PlainSerializer(lambda rate: f"{rate:f}", return_type=str),
    WithJsonSchema({"anyOf": [_number_schema, _decimal_schema]}),
]
Weight = Annotated[
    Fraction,
    PlainValidator(_weight),
    PlainSerializer(_write_weight, return_type=str),
    WithJsonSchema(_percent_schema),
]
"""A share of the whole, 0 < weight <= 1, written as a percent."""
Top = Annotated[
    int | Fraction,
    PlainValidator(_top),
    PlainSerializer(_write_top, return_type=int | str),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, _percent_schema]}),
]
"""So many customers, or a share of all of them, 0 < share <= 1, written as a percent."""
Points = Annotated[
    Fraction | None,
    PlainValidator(_points),
    PlainSerializer(lambda p: "full" if p is None else str(p), return_type=str),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 100},
                _decimal_schema,
                {"type": "string", "pattern": "^([0-9]{1,9}/[1-9][0-9]{0,8}|full)$"},
            ]
        }
    ),
]
"""Exact points, or None for full points."""
PlainPoints = Annotated[
    Decimal,
    PlainValidator(_plain_points),
    PlainSerializer(lambda points: f"{points:f}", return_type=str),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0, "maximum": 1000}, _decimal_schema]}),
]
"""Points on no particular scale, as written."""


def whole_level(level: Decimal, unit: Unit, exponent: int) -> int | None:
    """Return *level* as an integer of *unit*, money scaled by *exponent*; None if it does not fit.

    >>> whole_level(Decimal("1000.10"), "money", 2), whole_level(Decimal("1.5"), "days", 2)
    (100010, None)
    >>> whole_level(BasisPoints(1250), "bp", 2), whole_level(BasisPoints(1250), "count", 2)
    (1250, None)
    """
    if unit in NAMED_UNITS or (isinstance(level, BasisPoints) and unit != "bp"):
        return None
    scaled = level.scaleb(exponent) if unit == "money" else level
    whole = int(scaled)
    if whole != scaled or (whole < 0 and unit in {"count", "days"}):
        return None
    return whole
