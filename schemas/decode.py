"""Bytes of one record to one struct, at the speed of msgspec and with the answer of pydantic.

Two roads. The fast one accepts plain records only: no unknown fields, currencies of ISO 4217.
It accepts nothing that the contract refuses. Whatever it does not accept goes to the contract
itself, which decides; so both give the same answer for every input, which
`tests/properties/test_decode.py` tries to refute. Records with unknown fields next to the known
ones take a middle road: the same structs again, skipping what they do not know, behind a guard.

One record at a time, always. Joining records into one array before parsing would let two
malformed ones pass as a well-formed third.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, Union

import msgspec
from pydantic import TypeAdapter, ValidationError

from schemas import records
from schemas.base import EPOCH, MILLISECOND, Event, parse_instant
from schemas.controls import ControlEvent
from schemas.interactions import InteractionEvent
from schemas.orders import OrderEvent
from schemas.profiles import ProfileEvent
from schemas.records import (
    NO_DETAILS,
    ClockAdvanced,
    ConsentChanged,
    CustomerErase,
    Details,
    IdentityLinked,
    IdentityMerged,
    IdentitySplit,
    Interaction,
    OrderCancelled,
    OrderPaid,
    OrderRefunded,
    PolicyPublished,
    PopulationCuts,
    ProfileChanged,
    ReviewSubmitted,
    ShadowEnded,
    ShadowStarted,
    TierPinned,
    TierUnpinned,
)
from schemas.vocabulary import INTERACTION_KINDS

Order = OrderPaid | OrderRefunded | OrderCancelled
Profile = ProfileChanged | IdentityLinked | ConsentChanged
Control = (
    PolicyPublished
    | CustomerErase
    | TierPinned
    | TierUnpinned
    | ReviewSubmitted
    | IdentityMerged
    | IdentitySplit
    | ClockAdvanced
    | PopulationCuts
    | ShadowStarted
    | ShadowEnded
)
Record = TypeVar("Record", bound=records._Record)  # noqa: SLF001 - the base is not for others

ORDER_CONTRACT: Final[TypeAdapter[OrderEvent]] = TypeAdapter(OrderEvent)
INTERACTION_CONTRACT: Final[TypeAdapter[InteractionEvent]] = TypeAdapter(InteractionEvent)
PROFILE_CONTRACT: Final[TypeAdapter[ProfileEvent]] = TypeAdapter(ProfileEvent)
CONTROL_CONTRACT: Final[TypeAdapter[ControlEvent]] = TypeAdapter(ControlEvent)

# TypeError is what a null value raises.
_REFUSED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError)
_SAFE_BYTES = 4_000  # below this no number is too long for one parser but not for the other
_SAFE_DEPTH = 100  # both parsers follow at least so many levels
_OPEN_FIELDS = frozenset(
    {"attributes", "policy", "cuts", "customers"}
)  # below these, keys are the sender's


class Rejected(Exception):  # noqa: N818 - the domain's word
    """This record is bad and stays bad. Send it to the dead letters and go on.

    Attributes:
        reason: not_json, wrong_schema or null_value.
        detail: One line: the field and what is allowed; nothing from the payload.
    """

    def __init__(self, reason: str, detail: str) -> None:
        """Keep *reason* and *detail*."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def decode_order(data: bytes | None) -> Order:
    """Decode the value of a record of `orders`.

    Raises:
        Rejected: The record is bad.
    """
    try:
        order = _fast_order(data)
    except _REFUSED:
        order = _slow_order(data)
    order.occurred_ms = (order.occurred_at - EPOCH) // MILLISECOND
    return order


def decode_interaction(data: bytes | None) -> Interaction:
    """Decode the value of a record of `interactions`.

    Raises:
        Rejected: The record is bad.
    """
    try:
        interaction = _fast_interaction(data)
        if _given(interaction.details) != _DETAILS.get(interaction.kind, ()):
            interaction = _by_contract(data, INTERACTION_CONTRACT, _INTERACTIONS)
    except _REFUSED:
        interaction = _by_contract(data, INTERACTION_CONTRACT, _INTERACTIONS)
    interaction.occurred_ms = (interaction.occurred_at - EPOCH) // MILLISECOND
    return interaction


def decode_profile(data: bytes | None) -> Profile:
    """Decode the value of a record of `profiles`.

    Raises:
        Rejected: The record is bad.
    """
    try:
        profile = _fast_profile(data)
    except _REFUSED:
        profile = _slow_profile(data)
    profile.occurred_ms = (profile.occurred_at - EPOCH) // MILLISECOND
    return profile


def decode_control(data: bytes | None) -> Control:
    """Decode the value of a record of `controls`. Rare, so always by the contract.

    Raises:
        Rejected: The record is bad.
    """
    control = _by_contract(data, CONTROL_CONTRACT, _CONTROLS)
    control.occurred_ms = (control.occurred_at - EPOCH) // MILLISECOND
    return control


_ORDERS: Final[dict[str, type[Order]]] = {
    "order.paid": OrderPaid,
    "order.refunded": OrderRefunded,
    "order.cancelled": OrderCancelled,
}
_PROFILES: Final[dict[str, type[Profile]]] = {
    "profile.changed": ProfileChanged,
    "identity.linked": IdentityLinked,
    "consent.changed": ConsentChanged,
}
_CONTROLS: Final[dict[str, type[Control]]] = {
    "policy.published": PolicyPublished,
    "customer.erase": CustomerErase,
    "tier.pinned": TierPinned,
    "tier.unpinned": TierUnpinned,
    "review.submitted": ReviewSubmitted,
    "identity.merged": IdentityMerged,
    "identity.split": IdentitySplit,
    "clock.advanced": ClockAdvanced,
    "population.cuts": PopulationCuts,
    "shadow.started": ShadowStarted,
    "shadow.ended": ShadowEnded,
}
_INTERACTIONS: Final[dict[str, type[Interaction]]] = dict.fromkeys(INTERACTION_KINDS, Interaction)
_DETAILS: Final[dict[str, tuple[str, ...]]] = {
    "survey": ("score",),
    "payment.received": ("amount_minor", "currency"),
    "payment.overdue": ("days",),
    "stage.changed": ("stage",),
}

_fast_order: Final[Callable[[Any], Order]] = msgspec.json.Decoder(Order).decode
_fast_interaction: Final[Callable[[Any], Interaction]] = msgspec.json.Decoder(Interaction).decode
_fast_profile: Final[Callable[[Any], Profile]] = msgspec.json.Decoder(Profile).decode
_parse = msgspec.json.Decoder().decode


def _given(details: Details) -> tuple[str, ...]:
    if details is NO_DETAILS:
        return ()
    return tuple(name for name in Details.__struct_fields__ if getattr(details, name) is not None)


def _lenient(kinds: Mapping[str, type[Record]]) -> Callable[[bytes], Any]:
    """Return a decoder of the same records that skips unknown fields."""
    structs = [
        msgspec.defstruct(
            struct.__name__, (), bases=(struct,), tag=kind, gc=False, forbid_unknown_fields=False
        )
        for kind, struct in kinds.items()
    ]
    return msgspec.json.Decoder(Union[tuple(structs)]).decode  # noqa: UP007 - known at run time


_lenient_order = _lenient(_ORDERS)
_lenient_profile = _lenient(_PROFILES)


def _slow_order(data: bytes | None) -> Order:
    lean = _known_fields_only(data, _lenient_order, _ORDERS)
    return lean or _by_contract(data, ORDER_CONTRACT, _ORDERS)


def _slow_profile(data: bytes | None) -> Profile:
    lean = _known_fields_only(data, _lenient_profile, _PROFILES)
    return lean or _by_contract(data, PROFILE_CONTRACT, _PROFILES)


def _known_fields_only(
    data: bytes | None, decode: Callable[[bytes], Any], kinds: Mapping[str, type[Record]]
) -> Record | None:
    """Decode a record whose only fault is unknown fields; None for any other.

    What msgspec skips it reads as carefully as the contract's parser does, but for three things:
    bytes that are not UTF-8, numbers of thousands of digits and nesting of hundreds of levels.
    """
    if data is None or len(data) > _SAFE_BYTES or data.count(b"{") + data.count(b"[") > _SAFE_DEPTH:
        return None
    try:
        if not data.isascii():
            data.decode()
        lenient = decode(data)
    except _REFUSED:
        return None
    return kinds[lenient.kind](**msgspec.structs.asdict(lenient))


def _by_contract(
    data: bytes | None, contract: TypeAdapter[Any], kinds: Mapping[str, type[Record]]
) -> Record:
    """Let the contract decide about *data*, and say why if it refuses.

    Raises:
        Rejected: Always with a reason that names no value of the payload.
    """
    if data is None:
        raise Rejected("null_value", "a value is required")
    try:
        event = contract.validate_json(data)
    except ValidationError as exc:
        raise _rejection(data, exc, kinds) from None
    return _struct(event, kinds[event.kind])


def _struct(event: Event, struct: type[Record]) -> Record:
    fields = {
        name: value
        for name in struct.__struct_fields__
        if (value := getattr(event, name)) is not None
    }
    for name in ("occurred_at", "expires_at"):
        if name in fields:
            fields[name] = parse_instant(fields[name])
    if "details" in fields:
        fields["details"] = Details(**fields["details"].model_dump())
    return struct(**fields)


def _rejection(data: bytes, exc: ValidationError, kinds: Mapping[str, object]) -> Rejected:
    error = exc.errors(include_url=False, include_input=False, include_context=True)[0]
    if error["type"] == "json_invalid" or not _is_json(data):
        return Rejected("not_json", "one JSON object in UTF-8 is required")
    path: list[str] = []
    for key in error["loc"]:
        if not path and key in kinds:
            continue
        path.append("*" if path and path[0] in _OPEN_FIELDS else str(key))
        if path[-1] == "*":
            break
    return Rejected("wrong_schema", f"{'.'.join(path) or 'record'}: {_allowed(error, kinds)}")


def _is_json(data: bytes) -> bool:
    try:
        _parse(data)
    except _REFUSED:
        return False
    return True


def _allowed(error: Any, kinds: Mapping[str, object]) -> str:  # noqa: ANN401 - ErrorDetails
    """Return what is allowed, in words of ours: pydantic's may quote the payload."""
    context = error.get("ctx", {})
    if error["type"].startswith("union_tag"):
        return "kind must be one of " + ", ".join(kinds)
    words = {
        "missing": "is required",
        "instant": "must be an RFC 3339 instant with its zone, such as 1997-01-12T08:30:00Z",
        "literal_error": "must be {expected}",
        "greater_than_equal": "must be {ge} or more",
        "less_than_equal": "must be {le} or less",
        "string_too_short": "must have at least {min_length} characters",
        "string_too_long": "must have at most {max_length} characters",
        "string_pattern_mismatch": "must match {pattern}",
        "too_long": "must have at most {max_length} entries",
        "int_type": "must be a whole number",
        "string_type": "must be text",
        "bool_type": "must be true or false",
        "dict_type": "must be an object",
        "model_type": "must be an object",
        "model_attributes_type": "must be an object",
    }
    return words.get(error["type"], "has a wrong type").format_map(context)
