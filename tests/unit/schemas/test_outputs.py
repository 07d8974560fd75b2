"""What we publish, as the contracts of the output topics see it."""

import json
from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.catalog import TOPICS
from schemas.dead_letters import REASONS, DeadLetterHeaders
from schemas.tier_changes import TierChange

CHANGE: dict[str, Any] = {
    "id": "0" * 32,
    "customer_id": "c1",
    "grading": "score",
    "from": None,
    "to": "gold",
    "direction": "first",
    "sequence": 1,
    "instant": "1997-01-01T00:00:00.000Z",
    "cause": {"kind": "order", "event_id": "e1"},
    "policy": {"name": "shop", "version": 1},
    "score": {
        "value": "78.66",
        "parts": [
            {
                "indicator": "money",
                "measure": "revenue",
                "value": 100,
                "points": "100/3",
                "weight": "0.4",
                "contribution": "40/3",
                "table": None,
            }
        ],
        "rounding": "-1/150",
    },
    "reasons": [
        {
            "measure": "revenue",
            "unit": "money",
            "before": 0,
            "after": 100,
            "boundary": 50,
            "crossed": "above",
        }
    ],
    "counterfactual": {
        "to": "gold",
        "measure": "revenue",
        "amount_minor": 124_000,
        "currency": "CNY",
        "orders": 1,
    },
}


def test_a_tier_change_is_written_in_the_published_order() -> None:
    """The order of keys is part of what we promise; the alias of `from` is its name."""
    change = TierChange.model_validate_json(json.dumps(CHANGE))
    assert json.loads(change.model_dump_json()) == CHANGE
    assert list(json.loads(change.model_dump_json())) == list(CHANGE)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("instant", "1997-01-01T00:00:00Z"),
        ("sequence", 0),
        ("direction", "sideways"),
        ("id", "x"),
    ],
)
def test_a_malformed_tier_change_is_not_published(field: str, value: object) -> None:
    """The contract holds for us, too."""
    with pytest.raises(ValidationError):
        TierChange.model_validate_json(json.dumps(deepcopy(CHANGE) | {field: value}))


def test_current_tiers_and_forecasts() -> None:
    """Not graded is null."""
    tiers = {
        "customer_id": "c1",
        "instant": "1997-01-01T00:00:00.000Z",
        "grades": {"value": "gold", "score": None},
        "sequence": {"value": 1, "score": 0},
        "policy": {"name": "shop", "version": 1},
    }
    assert (
        TOPICS["customer-tiers"].contract.validate_json(json.dumps(tiers)).grades["score"] is None
    )
    forecast = {
        "id": "f",
        "customer_id": "c1",
        "grading": "value",
        "tier": "gold",
        "expected_tier": None,
        "expected_at": "1997-01-01T00:00:00.000Z",
        "issued_at": "1997-01-01T00:00:00.000Z",
        "status": "at_risk",
        "policy": {"name": "shop", "version": 1},
    }
    contract = TOPICS["tier-forecasts"].contract
    assert contract.validate_json(json.dumps(forecast)).tier == "gold"
    prevention = {"amount_minor": 1_000, "currency": "USD", "orders": 1}
    told = contract.validate_json(json.dumps(forecast | {"sequence": 1, "prevention": prevention}))
    assert contract.dump_python(told) == forecast | {"sequence": 1, "prevention": prevention}


@pytest.mark.parametrize("reason", REASONS)
def test_dead_letters_say_where_from_and_why_in_one_line(reason: str) -> None:
    """All headers are text."""
    headers = {
        "reason": reason,
        "detail": "amount_minor: must be a whole number",
        "source_topic": "orders",
        "source_partition": "0",
        "source_offset": "17",
        "source_timestamp_ms": "853057811250",
        "original_size_bytes": "236",
        "first_seen": "1997-01-01T00:00:00.000Z",
    }
    assert DeadLetterHeaders.model_validate(headers).reason == reason
    with pytest.raises(ValidationError):
        DeadLetterHeaders.model_validate(headers | {"detail": "two\nlines"})
