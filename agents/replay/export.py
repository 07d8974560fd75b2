"""The files of an export: the same bytes for the same log, replayed offline or live."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stream.calendar import format_instant
from stream.customer import decode
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from stream.plan import Plan

CUSTOMERS_FILE = "customers.jsonl"
CHANGES_FILE = "changes.jsonl"
FORECASTS_FILE = "forecasts.jsonl"
FILES = (CUSTOMERS_FILE, CHANGES_FILE, FORECASTS_FILE)

_encode = msgspec.json.Encoder().encode


class ExportError(Exception):
    """The export cannot be made as asked; the message is one line that says what would work."""


class _Place(msgspec.Struct):
    """Where a tier change stands in the order of an export."""

    instant: str
    customer_id: str
    grading: str
    sequence: int


class _Notice(msgspec.Struct):
    """Where a warning, or a notice of grace, stands in the order of an export."""

    issued_at: str
    customer_id: str
    grading: str
    sequence: int = 0


class Written(NamedTuple):
    """How many lines an export has, by file."""

    customers: int
    changes: int
    forecasts: int


_place = msgspec.json.Decoder(_Place)
_notice = msgspec.json.Decoder(_Notice)


def customer_line(customer_id: str, state: bytes, plan: Plan, as_of_ms: int) -> bytes:
    """Return one line of ``customers.jsonl``, without its line end.

    Measures are read at *as_of_ms* and stand in the order of the policy, unknown ones as null;
    gradings stand in the order in which they are evaluated.

    Raises:
        ExportError: Something happened to the customer after *as_of_ms*.
    """
    customer = decode(customer_id, state, plan.shape)
    if customer.clock_ms > as_of_ms:
        raise ExportError(
            f"as of {format_instant(as_of_ms)} is too early: customer {customer_id} was last "
            f"heard of at {format_instant(customer.clock_ms)}; allowed: that instant or later"
        )
    customer.roll(as_of_ms)
    values = plan.read(customer, as_of_ms)
    standings = list(zip(plan.gradings, customer.grades, strict=True))
    return _encode(
        {
            "customer_id": customer_id,
            "as_of": format_instant(as_of_ms),
            "measures": {
                measure.name: None if value == MISSING else value
                for measure, value in zip(plan.measures, values, strict=True)
            },
            "grades": {grading.name: grade.tier for grading, grade in standings},
            "sequence": {grading.name: grade.sequence for grading, grade in standings},
        }
    )


def sorted_changes(changes: Iterable[bytes], as_of_ms: int) -> list[bytes]:
    """Return the *changes* up to *as_of_ms* by instant, customer, grading and sequence."""
    limit = format_instant(as_of_ms)
    placed = ((_place.decode(change), change) for change in changes)
    kept = [
        ((place.instant, place.customer_id, place.grading, place.sequence), change)
        for place, change in placed
        if place.instant <= limit
    ]
    kept.sort()
    return [change for _, change in kept]


def sorted_forecasts(forecasts: Iterable[bytes], as_of_ms: int) -> list[bytes]:
    """Return what was issued up to *as_of_ms*, by instant, customer, grading and sequence.

    Notices of grace have no sequence: they stand first, in the order of their bytes.
    """
    limit = format_instant(as_of_ms)
    placed = ((_notice.decode(forecast), forecast) for forecast in forecasts)
    kept = [
        ((place.issued_at, place.customer_id, place.grading, place.sequence), forecast)
        for place, forecast in placed
        if place.issued_at <= limit
    ]
    kept.sort()
    return [forecast for _, forecast in kept]


def write_export(
    directory: Path,
    plan: Plan,
    as_of_ms: int,
    states: Mapping[str, bytes],
    changes: Iterable[bytes],
    forecasts: Iterable[bytes],
) -> Written:
    """Write all files into *directory*, which is made if needed; files there are replaced.

    Args:
        directory: Where to.
        plan: The policy that the states were folded under.
        as_of_ms: The instant to read measures at; every deadline up to it must have fired.
        states: Stored form by customer id.
        changes: Values of the records of `tier-changes`.
        forecasts: Values of the records of `tier-forecasts`.

    Raises:
        ExportError: A state is younger than *as_of_ms*, or the directory cannot be written.
    """
    customers = [customer_line(c, states[c], plan, as_of_ms) for c in sorted(states)]
    ordered = sorted_changes(changes, as_of_ms)
    issued = sorted_forecasts(forecasts, as_of_ms)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, lines in zip(FILES, (customers, ordered, issued), strict=True):
            _write(directory / name, lines)
    except OSError as exc:
        said = (exc.strerror or "not writable").lower()
        raise ExportError(f"{directory}: {said}; allowed: a directory to write into") from exc
    return Written(len(customers), len(ordered), len(issued))


def _write(path: Path, lines: Iterable[bytes]) -> None:
    """Replace the file at *path* in one step: a reader sees the old one or the new one."""
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        for line in lines:
            file.write(line)
            file.write(b"\n")
    unfinished.replace(path)
