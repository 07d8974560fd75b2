"""Data sets and JSON lines: what a replay may name, and what is said when it cannot be used."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from typing import TYPE_CHECKING

import pytest

from agents.replay.cdnow import read_cdnow
from agents.replay.events_jsonl import read_events
from agents.replay.mistakes import ReplayFileError
from agents.replay.source import load_log
from tests.unit.replay.histories import HEADER, written

if TYPE_CHECKING:
    from pathlib import Path

VISIT = {
    "event_id": "v1",
    "occurred_at": "2024-01-02T00:00:00Z",
    "customer_id": "ann",
    "kind": "visit",
}
PROFILE = VISIT | {"event_id": "p1", "kind": "profile.changed", "attributes": {"tier": "x"}}


def test_cdnow_is_the_whole_published_log() -> None:
    """69,659 purchases by 23,570 customers, of 0 dollars some of them (Fader and Hardie)."""
    rows = list(read_cdnow("cdnow"))
    assert len(rows) == 69_659
    assert len({row.customer_id for row in rows}) == 23_570
    assert rows[0].customer_id == "00001"
    assert (rows[0].occurred_at, rows[0].amount_minor) == ("1997-01-01T00:00:00Z", 1_177)
    assert (rows[-1].order_id, rows[-1].occurred_at) == ("69659", "1997-03-26T00:00:00Z")
    assert max(row.occurred_at for row in rows) == "1998-06-30T00:00:00Z"
    assert any(row.amount_minor == 0 for row in rows)


def test_the_sample_has_the_customer_numbers_of_the_published_table() -> None:
    rows = list(read_cdnow("cdnow-sample"))
    assert len(rows) == 6_919
    assert {int(row.customer_id) for row in rows} == set(range(1, 2_358))


def test_the_distribution_is_read_but_never_imported() -> None:
    """Its own dependencies are not installed: importing it would fail."""
    list(read_cdnow("cdnow-sample"))
    assert "lifetimes" not in sys.modules


def test_without_the_distribution_one_line_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "files", gone)
    with pytest.raises(ReplayFileError, match=r"pip install --no-deps lifetimes==0\.11\.3"):
        list(read_cdnow("cdnow"))


def test_the_topic_is_told_by_the_kind_and_the_bytes_stay_as_they_are(tmp_path: Path) -> None:
    lines = [json.dumps(VISIT), "", " " + json.dumps(PROFILE)]
    path = written(tmp_path, "\n".join(lines), "events.jsonl")
    visit, profile = read_events(path)
    assert (visit.topic, visit.key) == ("interactions", b"ann")
    assert visit.value == json.dumps(VISIT).encode()
    assert profile.topic == "profiles"


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("{", ""),
        ("[]", ""),
        ('{"a": 1}', ""),
        (json.dumps(VISIT | {"kind": "dance"}), "kind"),
        (json.dumps(VISIT | {"kind": "clock.advanced"}), "kind"),
        (json.dumps(VISIT | {"occurred_at": "yesterday"}), "occurred_at"),
        (json.dumps(VISIT | {"occurred_at": "1969-01-01T00:00:00Z"}), "occurred_at"),
        (json.dumps(VISIT | {"customer_id": ""}), "customer_id"),
    ],
)
def test_a_wrong_event_is_told_in_one_line(tmp_path: Path, line: str, column: str) -> None:
    path = written(tmp_path, json.dumps(VISIT) + "\n" + line + "\n", "events.jsonl")
    with pytest.raises(ReplayFileError) as caught:
        list(read_events(path))
    assert (caught.value.line, caught.value.column) == (2, column)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["orders.xlsx", "cdnou", "none.csv", "none.jsonl"])
def test_what_cannot_be_replayed_is_told_in_one_line(name: str) -> None:
    with pytest.raises(ReplayFileError, match="allowed: "):
        load_log(name)


def test_a_file_without_a_row_to_replay_is_a_mistake(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEADER}\nann,1,paid,2024-01-01,1,USD\n")
    assert len(load_log(str(path))) == 1
    with pytest.raises(ReplayFileError, match="--as-of"):
        load_log(str(path), as_of_ms=0)
