"""What a user may name for a replay: a data set, a CSV file or JSON lines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agents.replay import wholesale
from agents.replay.cdnow import DATASETS, read_cdnow
from agents.replay.events_jsonl import CONTROLS, read_events
from agents.replay.log import order_records, sorted_log
from agents.replay.mistakes import ReplayFileError
from agents.replay.orders_csv import read_orders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.replay.log import LogRecord

_JSON_LINES = frozenset({".jsonl", ".ndjson"})
_CSV = ".csv"


def load_log(
    name: str, as_of_ms: int | None = None, *, controls: bool = False
) -> Sequence[LogRecord]:
    """Return the log behind *name*, in the order in which it is replayed.

    Args:
        name: A key of `DATASETS`, ``wholesale``, or the path of a ``.csv``, ``.jsonl`` or
            ``.ndjson`` file.
        as_of_ms: Records after this instant are left out.
        controls: Whether policies that the log publishes stay in it: not where it is used to
            try other policies on what customers did.

    Raises:
        ReplayFileError: There is no such thing, it has a mistake, or nothing is left of it.
    """
    known = (*DATASETS, wholesale.DATASET)
    if name in DATASETS:
        records = order_records(read_cdnow(name))
    elif name == wholesale.DATASET:
        records = list(wholesale.wholesale_records())
    else:
        path = Path(name)
        kind = path.suffix.lower()
        if kind == _CSV:
            records = order_records(read_orders(path))
        elif kind in _JSON_LINES:
            records = list(read_events(path))
        else:
            raise ReplayFileError(
                name,
                value=kind or name,
                allowed=f"a file .csv, .jsonl or .ndjson, or one of {', '.join(known)}",
            )
    if not controls:
        records = [record for record in records if record.topic != CONTROLS or record.key]
    log = sorted_log(records, as_of_ms)
    if not log:
        wanted = "at least one record" if as_of_ms is None else "a record not after --as-of"
        raise ReplayFileError(name, allowed=wanted)
    return log
