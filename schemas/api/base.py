"""What answers have in common."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from schemas.base import CurrencyCode, Id, OutInstant, Word

Minor = int
"""Whole minor units of the currency beside it; may be negative."""
Count = Annotated[int, Field(ge=0)]
Reading = str | int | None
"""A measure in its unit (money: minor units); null while unknown."""
ReadingUnit = Literal["money", "count", "days", "bp", "number", "text", "stage", "points"]
Exact = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+|/[1-9][0-9]*)?$")]
"""A number without loss: a decimal where one exists, else a fraction ("236/3")."""


def _no_text(value: object) -> object:
    if isinstance(value, str | bool):
        raise PydanticCustomError("int_type", "Input should be a whole number")
    return value


NO_TEXT = BeforeValidator(_no_text)
"""Beside a lax integer: JSON knows no integers: 30.0 is 30, but "30" is not."""


class Answer(BaseModel):
    """What the API answers. Clients should ignore fields that they do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Question(BaseModel):
    """What the API is asked in a body."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class CustomerQuestion(Question):
    """Which customer. In the body, so that no id stands in a URL, which proxies write down."""

    customer_id: Id


class Problem(Answer):
    """What went wrong, by RFC 9457 (`application/problem+json`).

    Attributes:
        type: Names the kind of problem; "about:blank" where the status says it all.
        title: The kind in words, always the same for one kind.
        status: The HTTP status.
        detail: What to do about this one.
    """

    type: str = "about:blank"
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str


class Label(Answer):
    """How people call something, in English and in Chinese."""

    en: str
    zh: str


class Policy(Answer):
    """A policy by name and version."""

    name: Word
    version: Annotated[int, Field(ge=1)]


class Orders(Answer):
    """Equal orders, all placed at once.

    Attributes:
        amount_minor: Of each.
        orders: How many.
    """

    amount_minor: Minor
    currency: CurrencyCode
    orders: Annotated[int, Field(ge=1)]


__all__ = [
    "NO_TEXT",
    "Answer",
    "Count",
    "CustomerQuestion",
    "Exact",
    "Label",
    "Minor",
    "Orders",
    "OutInstant",
    "Policy",
    "Problem",
    "Question",
    "Reading",
    "ReadingUnit",
    "Word",
]
