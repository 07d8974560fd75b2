"""The base of every piece of a policy: strict, frozen, and with errors that say what is allowed."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Final, NoReturn, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from schemas.policy.findings import Location

TAG_MARK: Final = "\0"
"""Starts every union tag, so that tags can be told from keys in the location of an error."""

NOT_ALLOWED: Final = "not_allowed"
MISSING: Final = "is_missing"
UNKNOWN_KEY: Final = "unknown_key"
INCOHERENT: Final = "incoherent"
OURS: Final = frozenset({NOT_ALLOWED, MISSING, UNKNOWN_KEY, INCOHERENT, "level"})

BY_TYPE: Final = "a mapping whose type is one of "
"""Starts what is allowed where `by_type` found no known type."""

_ALLOWED: Final[dict[str, str]] = {
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "{ge} or more",
    "int_type": "a whole number",
    "less_than_equal": "{le} or less",
    "list_type": "a list",
    "literal_error": "{expected}",
    "model_type": "a mapping",
    "string_too_long": "text of at most {max_length} characters",
    "string_too_short": "text of at least {min_length} characters",
    "string_type": "text (in quotes, if it looks like a number or true/false)",
    "too_long": "at most {max_length} entries",
    "too_short": "at least {min_length} of them",
    "tuple_type": "a list",
}

_T = TypeVar("_T")
Items = Annotated[tuple[_T, ...], Field(strict=False, min_length=1)]
"""A list with at least one entry; kept as a tuple."""


def refuse(allowed: str, *, kind: str = NOT_ALLOWED) -> NoReturn:
    """Reject the value that is being validated, saying in words what is *allowed*."""
    raise PydanticCustomError(kind, "{allowed}", {"allowed": allowed})


def by_key(keys: Iterable[str], allowed: str) -> Discriminator:
    """Tell the members of a union by which one of *keys* a mapping has."""
    known = tuple(keys)

    def tag(data: object) -> str | None:
        if isinstance(data, Part):
            fields = type(data).model_fields
            present = [k for k in known if k in {f.alias or n for n, f in fields.items()}]
        else:
            present = [k for k in known if k in data] if isinstance(data, Mapping) else []
        return TAG_MARK + present[0] if len(present) == 1 else None

    return _union(tag, allowed)


def by_type(types: Iterable[str]) -> Discriminator:
    """Tell the members of a union by the value of the key ``type``."""
    known = tuple(types)

    def tag(data: object) -> str | None:
        value = data.get("type") if isinstance(data, Mapping) else getattr(data, "type", None)
        return TAG_MARK + value if value in known else None

    return _union(tag, BY_TYPE + ", ".join(known))


def _union(tag: Callable[[object], str | None], allowed: str) -> Discriminator:
    return Discriminator(
        tag,
        custom_error_type=NOT_ALLOWED,
        custom_error_message=allowed,
    )


def without_tags(location: Iterable[str | int]) -> Location:
    """Return the *location* of an error as keys of the file only."""
    return tuple(k for k in location if not (isinstance(k, str) and k.startswith(TAG_MARK)))


class Part(BaseModel):
    """A piece of a policy. Unknown keys are mistakes, nothing is coerced, nothing changes later."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", serialize_by_alias=True)

    @model_validator(mode="wrap")
    @classmethod
    def _say_what_is_allowed(cls, data: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as exc:
            errors = exc.errors(include_url=False)
        # A list whose only entries are bad also counts as too short: that is not news.
        inside = {error["loc"][:end] for error in errors for end in range(len(error["loc"]))}
        lines = [
            cls._translate(error)
            for error in errors
            if not (error["type"] == "too_short" and error["loc"] in inside)
        ]
        raise ValidationError.from_exception_data(cls.__name__, lines)

    @classmethod
    def _translate(cls, error: ErrorDetails) -> InitErrorDetails:
        kind, context = error["type"], {"allowed": error["msg"]} | error.get("ctx", {})
        if kind not in OURS:
            kind, allowed = cls._words(kind, error["loc"], context)
            context = {"allowed": allowed}
        return InitErrorDetails(
            type=PydanticCustomError(kind, "{allowed}", context),
            loc=error["loc"],
            input=error["input"],
        )

    @classmethod
    def _words(cls, kind: str, location: Location, context: dict[str, Any]) -> tuple[str, str]:
        fields = {f.alias or name: f for name, f in cls.model_fields.items()}
        last = str(location[-1]) if location else ""
        if kind == "extra_forbidden":
            near = difflib.get_close_matches(last, fields, n=3)
            keys = "the keys " + ", ".join(fields)
            return UNKNOWN_KEY, f"{' or '.join(near)} ({keys})" if near else keys
        if kind == "missing":
            field = fields.get(last)
            return MISSING, (field and field.description) or "a value"
        if kind == "model_type" and not location:
            needed = [name for name, field in fields.items() if field.is_required()]
            return NOT_ALLOWED, "a mapping with " + ", ".join(needed or fields)
        if kind == "int_type" and last.endswith("_days"):
            return NOT_ALLOWED, "a whole number of days without a unit, such as 30"
        return NOT_ALLOWED, _ALLOWED.get(kind, kind.replace("_", " ")).format_map(context)
