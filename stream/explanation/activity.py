"""What a customer did, day by day, as far as its day buckets are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.customer import unpack
from stream.window import COUNT, GROSS, LAST_MS, REFUNDED, ROW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.calendar import LocalDays


class ActiveDay(NamedTuple):
    """One day on which something happened.

    Attributes:
        date: The local date, ``1997-01-31``.
        events: Surviving ones.
        total: Of what they carry: minor units paid less refunds for orders, points of a survey,
            days overdue; 0 where they carry nothing.
    """

    date: str
    events: int
    total: int


def activity(state: bytes, days: LocalDays) -> dict[str, list[ActiveDay]]:
    """Return the days kept of each kind of event, oldest first, from the stored form."""
    found = {}
    for kind, _, closed, newest in unpack(state).series:
        rows: list[Sequence[int]] = [*ROW.iter_unpack(closed)]
        if newest is not None:
            rows.append(newest)
        found[kind] = [
            ActiveDay(
                days.date_of(row[LAST_MS]).isoformat(), row[COUNT], row[GROSS] - row[REFUNDED]
            )
            for row in rows
        ]
    return found
