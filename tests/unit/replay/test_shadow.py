"""A policy that runs beside, in a replay: files of a log with its controls and without."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from agents.replay.export import write_export
from agents.replay.log import LogRecord
from agents.replay.offline import replay_offline
from stream.calendar import format_instant
from stream.plan import compile_policy
from tests.unit.replay.test_population import DAY, censuses, document, log

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RIVAL = document(cadence="daily").model_dump(mode="json") | {"version": 2}


def control(kind: str, at_ms: int, **more: object) -> LogRecord:
    """Return a control that concerns everyone."""
    event = {"kind": kind, "event_id": f"{kind}@{at_ms}", "occurred_at": format_instant(at_ms)}
    return LogRecord("controls", b"", json.dumps(event | more).encode(), at_ms)


def exported(folder: Path, records: Sequence[LogRecord], as_of_ms: int) -> list[bytes]:
    """Return the files that a replay leaves."""
    plan = compile_policy(document())
    found = replay_offline(records, plan, as_of_ms=as_of_ms, buckets=16)
    assert not found.refused
    write_export(folder, found.plan, as_of_ms, found.states, found.changes, found.forecasts)
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def test_censuses_and_changes_are_those_without_a_shadow(tmp_path: Path) -> None:
    """One begins at the very instant of a census, another takes its place, and it ends again."""
    policy = document()
    first_ms = log()[0].record_ms
    second, third = censuses(policy, first_ms + 100 * DAY)[1:3]
    as_of_ms = third + 20 * DAY
    records = [record for record in log() if record.record_ms <= as_of_ms]
    controls = [
        control("shadow.started", second, policy=RIVAL),
        control("shadow.started", second + 3 * DAY, policy=RIVAL | {"version": 3}),
        control("shadow.ended", third + DAY),
    ]
    watched = sorted([*records, *controls], key=lambda record: record.record_ms)
    alone = exported(tmp_path / "alone", records, as_of_ms)
    assert exported(tmp_path / "watched", watched, as_of_ms) == alone
    assert b"boundary_moved" in b"".join(alone)
