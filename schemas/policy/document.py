"""The root of the policy language."""

from typing import Self

from pydantic import ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from schemas.policy.checks import Checker
from schemas.policy.part import INCOHERENT
from schemas.policy.shape import PolicyShape


class PolicyDocument(PolicyShape):
    """A whole policy. Every instance is coherent: what it refers to exists and fits.

    Money stays decimal, in major units, as the author wrote it; ``threshold`` turns a level
    into the integers that measures are kept in.
    """

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        errors = [
            InitErrorDetails(
                type=PydanticCustomError(
                    INCOHERENT,
                    "{allowed}",
                    {"allowed": m.allowed, "value": m.value, "at_key": m.at_key},
                ),
                loc=m.location,
                input=m.value,
            )
            for m in Checker(self).mistakes()
        ]
        if errors:
            raise ValidationError.from_exception_data(type(self).__name__, errors)
        return self
