"""An offline replay and its export: figures worked out by hand, and bytes that do not vary."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.replay.events_jsonl import read_events
from agents.replay.export import ExportError, sorted_changes, sorted_forecasts, write_export
from agents.replay.log import OrderRow, order_records, sorted_log
from agents.replay.offline import replay_offline
from agents.replay.orders_csv import read_orders
from schemas.policy import parse_policy
from stream.calendar import DAY_MS, format_instant
from stream.plan import compile_policy
from tests.unit.replay.histories import HISTORY, POLICY, small_plan, written

if TYPE_CHECKING:
    from pathlib import Path

    from agents.replay.offline import OfflineResult

PLAN = small_plan()
JAN_5_MS = 1_704_412_800_000


def replayed(directory: Path, text: str, as_of_ms: int | None = None) -> OfflineResult:
    log = sorted_log(order_records(read_orders(written(directory, text))), as_of_ms)
    return replay_offline(log, PLAN, as_of_ms=as_of_ms)


def exported(directory: Path, result: OfflineResult, as_of_ms: int | None = None) -> None:
    at_ms = result.as_of_ms if as_of_ms is None else as_of_ms
    write_export(directory, PLAN, at_ms, result.states, result.changes, result.forecasts)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_export_holds_what_a_person_would_work_out(tmp_path: Path) -> None:
    """60.00 + 50.50 - 2 * 20.00 = 70.50, kept at silver; a cancelled order counts for nothing."""
    result = replayed(tmp_path, HISTORY)
    exported(tmp_path / "out", result)
    ann, bob = lines(tmp_path / "out" / "customers.jsonl")
    assert ann == {
        "customer_id": "ann",
        "as_of": "2024-01-05T00:00:00.000Z",
        "measures": {"revenue_30d": 7_050, "orders": 2, "average": 3_525},
        "grades": {"value": "silver", "score": "a"},
        "sequence": {"value": 3, "score": 2},
    }
    assert bob["measures"] == {"revenue_30d": 0, "orders": 0, "average": None}
    changes = [
        (c["customer_id"], c["from"], c["to"])
        for c in lines(tmp_path / "out" / "changes.jsonl")
        if c["grading"] == "value"
    ]
    assert changes == [
        ("ann", None, "silver"),
        ("bob", None, "bronze"),
        ("ann", "silver", "gold"),
        ("ann", "gold", "silver"),
    ]


def test_time_goes_on_to_the_instant_asked_for(tmp_path: Path) -> None:
    """Both of ann's days leave the window of 30 days: silver is lost by time alone."""
    as_of_ms = JAN_5_MS + 60 * DAY_MS
    result = replayed(tmp_path, HISTORY, as_of_ms)
    exported(tmp_path / "out", result, as_of_ms)
    ann = lines(tmp_path / "out" / "customers.jsonl")[0]
    assert ann["grades"] == {"value": "bronze", "score": "b"}
    by_time = [
        (change["instant"], change["to"])
        for change in lines(tmp_path / "out" / "changes.jsonl")
        if change["cause"] == {"kind": "time", "event_id": None} and change["grading"] == "value"
    ]
    assert by_time == [("2024-01-31T10:00:00.000Z", "bronze")]


def test_records_after_the_instant_are_left_out(tmp_path: Path) -> None:
    result = replayed(tmp_path, HISTORY, JAN_5_MS - 2 * DAY_MS)
    assert (result.records, len(result.states)) == (2, 2)


def test_a_second_payment_of_an_order_is_refused_and_a_repeat_is_dropped(tmp_path: Path) -> None:
    again = "ann,1,paid,2024-01-01T10:00:00Z,60.00,USD\n"
    other = "ann,1,paid,2024-01-06T10:00:00Z,99.00,USD\n"
    result = replayed(tmp_path, HISTORY + again + other)
    assert (result.repeated, [r.reason for r in result.refused]) == (1, ["conflict"])


def test_a_currency_without_a_rate_is_refused_and_makes_no_customer(tmp_path: Path) -> None:
    result = replayed(tmp_path, HISTORY + "eve,1,paid,2024-01-01,5,EUR\n")
    assert [(r.reason, r.record.key) for r in result.refused] == [("unknown_currency", b"eve")]
    assert "eve" not in result.states


def test_customers_may_use_the_same_order_ids(tmp_path: Path) -> None:
    result = replayed(tmp_path, HISTORY)
    assert not result.refused


def test_forecasts_stand_in_the_order_in_which_they_were_issued() -> None:
    """Notices of grace have no number of their own; what is issued later is left out."""

    def issued(instant: str, customer_id: str, sequence: int | None) -> bytes:
        told: dict[str, object] = {"issued_at": instant, "customer_id": customer_id, "grading": "v"}
        return json.dumps(told if sequence is None else told | {"sequence": sequence}).encode()

    at, later = format_instant(JAN_5_MS), format_instant(JAN_5_MS + 1)
    wanted = [issued(at, "ann", None), issued(at, "ann", 2), issued(at, "ann", 10)]
    wanted.append(issued(at, "bob", 1))
    assert sorted_forecasts([*reversed(wanted), issued(later, "ann", 11)], JAN_5_MS) == wanted


def test_an_export_does_not_go_back_behind_a_customer(tmp_path: Path) -> None:
    result = replayed(tmp_path, HISTORY)
    with pytest.raises(ExportError, match="too early: customer"):
        exported(tmp_path / "out", result, JAN_5_MS - DAY_MS)
    assert not (tmp_path / "out").exists()


def test_an_export_into_a_file_says_so_in_one_line(tmp_path: Path) -> None:
    result = replayed(tmp_path, HISTORY)
    taken = tmp_path / "orders.csv"
    with pytest.raises(ExportError, match="allowed: a directory to write into"):
        exported(taken, result)


rows = st.lists(
    st.builds(
        lambda customer, order, day, amount: OrderRow(
            customer, order, "paid", format_instant(day * DAY_MS), day * DAY_MS, amount, "USD"
        ),
        st.sampled_from("abc"),
        st.sampled_from("123456"),
        st.integers(0, 90),
        st.integers(0, 20_000),
    ),
    min_size=1,
    max_size=25,
    unique_by=lambda row: (row.customer_id, row.order_id),
)


@given(rows, st.sampled_from([1, 4, 256]))
def test_the_number_of_buckets_and_where_a_log_is_cut_change_nothing(
    history: list[OrderRow], buckets: int
) -> None:
    """A customer's history depends on that customer's own records alone."""
    log = sorted_log(order_records(history))
    whole = replay_offline(log, PLAN, buckets=64)
    other = replay_offline(log, PLAN, buckets=buckets)
    assert other.states == whole.states
    wanted = sorted_changes(whole.changes, whole.as_of_ms)
    assert sorted_changes(other.changes, whole.as_of_ms) == wanted
    for customer in {row.customer_id for row in history}:
        own = [record for record in log if record.key == customer.encode()]
        alone = replay_offline(own, PLAN, as_of_ms=whole.as_of_ms)
        assert alone.states[customer] == whole.states[customer]


@given(rows, st.randoms())
def test_changes_are_sorted_whatever_order_they_come_in(
    history: list[OrderRow], random: object
) -> None:
    result = replay_offline(sorted_log(order_records(history)), PLAN)
    shuffled = list(result.changes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    ordered = sorted_changes(shuffled, result.as_of_ms)
    keys = [
        (c["instant"], c["customer_id"], c["grading"], c["sequence"])
        for c in map(json.loads, ordered)
    ]
    assert keys == sorted(keys)
    assert ordered == sorted_changes(result.changes, result.as_of_ms)


def test_members_count_for_their_parent_wherever_their_buckets_are(tmp_path: Path) -> None:
    """Ann and bob belong to a group: 60.00 + 20.00 is silver, 50.50 more is gold."""
    plan = compile_policy(parse_policy(POLICY + "groups: {}\n", "policy.yaml"))
    links = tmp_path / "links.jsonl"
    links.write_text("".join(link(name) + "\n" for name in ("ann", "bob")))
    orders = order_records(read_orders(written(tmp_path, HISTORY)))
    log = sorted_log([*read_events(links), *orders])
    for buckets in (1, 256):
        result = replay_offline(log, plan, buckets=buckets)
        group = [json.loads(c) for c in sorted_changes(result.changes, result.as_of_ms)]
        assert [
            (c["to"], c["cause"]["kind"], c["instant"][:10])
            for c in group
            if c["customer_id"] == "group" and c["grading"] == "value"
        ] == [
            ("bronze", "profile", "2023-12-31"),
            ("silver", "order", "2024-01-01"),
            ("gold", "order", "2024-01-03"),
            ("silver", "refund", "2024-01-05"),
        ]


def link(name: str) -> str:
    """Return a link to the group, made on the last day of 2023."""
    return json.dumps(
        {
            "event_id": f"link-{name}",
            "kind": "identity.linked",
            "occurred_at": "2023-12-31T00:00:00Z",
            "customer_id": name,
            "relation": "member_of",
            "target_id": "group",
        }
    )
