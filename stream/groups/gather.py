"""Putting what members have into a customer's series, and packing what it has itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.groups.kin import Packed
from stream.groups.series import GroupSeries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stream.groups.kin import Path
    from stream.groups.series import Row
    from stream.series import Series
    from stream.totals import Totals


def regroup(
    kinds: dict[str, Series], figures: Mapping[Path, list[Packed] | None], now_ms: int
) -> None:
    """Count *figures* by path in the series *kinds*, in place; None counts a path no longer.

    Every series must have been rolled to *now_ms*. One that nobody below has any events of is
    left as it is.
    """
    fresh: dict[str, dict[Path, tuple[Totals, Iterator[Row]]]] = {}
    for path, series in figures.items():
        packed = {one.kind: one for one in series or ()}
        for kind, known in kinds.items():
            one = packed.get(kind)
            if isinstance(known, GroupSeries):
                if one is None:
                    known.drop(path, now_ms)
                else:
                    known.put(path, one.totals, one.rows(), now_ms)
            elif one is not None:
                fresh.setdefault(kind, {})[path] = one.totals, one.rows()
    for kind, members in fresh.items():
        kinds[kind] = GroupSeries(kinds[kind], members, now_ms)


def pack(kinds: Mapping[str, Series]) -> list[Packed]:
    """Return what a customer has itself, under whichever id, kind by kind; none without events."""
    packed = [Packed(kind, *series.whole()) for kind, series in kinds.items()]
    return [one for one in packed if one.has_events]
