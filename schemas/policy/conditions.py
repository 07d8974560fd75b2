"""Conditions over measures and other gradings, nested as deep as the author likes."""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, Tag, model_validator

from schemas.policy.part import TAG_MARK, Items, Part, by_key, refuse
from schemas.policy.quantities import Level, Name

_TESTS = "exactly one of at_least, below, is, is_known"


class MeasureCondition(Part):
    """One test of one measure. An unknown measure fails every test but ``is_known: false``.

    Attributes:
        at_least: Holds from this level up.
        below: Holds under this level.
        is_: Holds for any of these texts (or, of a number, integers).
        is_known: Holds when the measure has a value (or, if False, has none).
    """

    measure: Name = Field(description="the name of a measure")
    at_least: Level | None = None
    below: Level | None = None
    is_: Items[str | int] | None = Field(default=None, alias="is")
    is_known: bool | None = None

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        tests = (self.at_least, self.below, self.is_, self.is_known)
        if sum(test is not None for test in tests) != 1:
            refuse("a measure with " + _TESTS)
        return self


class GradingCondition(Part):
    """Holds while another grading is at any of the named grades."""

    grading: Name = Field(description="the name of a grading")
    is_: Items[str] = Field(alias="is", description="a list of grades")


class AllOf(Part):
    """Holds while every part holds."""

    all_of: Items["Condition"] = Field(alias="all", description="a list of conditions")


class AnyOf(Part):
    """Holds while at least one part holds."""

    any_of: Items["Condition"] = Field(alias="any", description="a list of conditions")


class Not(Part):
    """Holds while its part does not."""

    negated: "Condition" = Field(alias="not", description="a condition")


_KEYS = ("measure", "grading", "all", "any", "not")

Condition = Annotated[
    Annotated[MeasureCondition, Tag(TAG_MARK + "measure")]
    | Annotated[GradingCondition, Tag(TAG_MARK + "grading")]
    | Annotated[AllOf, Tag(TAG_MARK + "all")]
    | Annotated[AnyOf, Tag(TAG_MARK + "any")]
    | Annotated[Not, Tag(TAG_MARK + "not")],
    by_key(_KEYS, "a condition: a mapping with exactly one of " + ", ".join(_KEYS)),
]
"""Told apart by which key it has."""

for _model in (AllOf, AnyOf, Not):
    _model.model_rebuild()


def leaves(
    condition: Condition, at: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], MeasureCondition | GradingCondition]]:
    """Yield every test inside *condition* with its place, depth first, in file order."""
    if isinstance(condition, MeasureCondition | GradingCondition):
        yield at, condition
    elif isinstance(condition, Not):
        yield from leaves(condition.negated, (*at, "not"))
    else:
        key, parts = (
            ("all", condition.all_of) if isinstance(condition, AllOf) else ("any", condition.any_of)
        )
        for position, part in enumerate(parts):
            yield from leaves(part, (*at, key, position))
