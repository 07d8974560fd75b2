"""One example of every record that goes in or comes out, for the documents made from the models."""

from typing import Any, Final

_AT: Final = "2026-03-14T10:32:05+01:00"
_UTC: Final = "2026-03-14T09:32:05.000Z"
_SHOP: Final = {"name": "shop", "version": 3}
_TERMS: Final = {
    "response_hours": 4,
    "owner": "senior",
    "survey_days": 90,
    "visit_days": None,
    "action": "invite",
}
_NOTHING: Final = dict.fromkeys(_TERMS)


def _event(kind: str, number: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "kind": kind,
        "event_id": f"e-{number}",
        "occurred_at": _AT,
        "customer_id": "c-42",
        **more,
    }


EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "OrderPaid": _event(
        "order.paid",
        1,
        order_id="o-7",
        amount_minor=12_990,
        currency="EUR",
        cost_minor=9_100,
        category="books",
    ),
    "OrderRefunded": _event(
        "order.refunded", 2, order_id="o-7", amount_minor=2_990, currency="EUR"
    ),
    "OrderCancelled": _event("order.cancelled", 3, order_id="o-7"),
    "PlainInteraction": _event("complaint", 4),
    "SurveyAnswered": _event("survey", 5, details={"score": 80}),
    "PaymentReceived": _event(
        "payment.received", 6, details={"amount_minor": 12_990, "currency": "EUR"}
    ),
    "PaymentOverdue": _event("payment.overdue", 7, details={"days": 30}),
    "StageChanged": _event("stage.changed", 8, details={"stage": "contract"}),
    "ProfileChanged": _event(
        "profile.changed", 9, attributes={"industry": "steel", "headcount": 250, "owner": "ann"}
    ),
    "IdentityLinked": _event("identity.linked", 10, relation="member_of", target_id="g-1"),
    "ConsentChanged": _event("consent.changed", 11, scoring=False),
    "PolicyPublished": {
        "kind": "policy.published",
        "event_id": "e-12",
        "occurred_at": _AT,
        "policy": {
            "policy": "shop",
            "version": 3,
            "time_zone": "Europe/Berlin",
            "currency": "EUR",
            "measures": {"revenue_365d": {"sum": "revenue", "window": "365d"}},
            "gradings": {
                "value": {
                    "type": "bands",
                    "measure": "revenue_365d",
                    "tiers": [{"tier": "gold", "enter": "1000.00"}, {"tier": "bronze"}],
                }
            },
        },
    },
    "CustomerErase": _event("customer.erase", 13, reason="request of 14 March"),
    "TierPinned": _event(
        "tier.pinned",
        14,
        grading="value",
        tier="gold",
        author="ann",
        reason="contract signed, first order in April",
        expires_at="2026-06-30T00:00:00Z",
    ),
    "TierUnpinned": _event("tier.unpinned", 15, grading="value", author="ann", reason="ordered"),
    "ReviewSubmitted": _event(
        "review.submitted",
        16,
        grading="score",
        indicator="cooperation",
        score=85,
        author="ann",
        approved_by="ben",
    ),
    "IdentityMerged": _event(
        "identity.merged",
        21,
        into="c-2",
        author="ann",
        reason="the same person with a new phone number",
    ),
    "IdentitySplit": _event("identity.split", 22, author="ann", reason="two people after all"),
    "ClockAdvanced": {"kind": "clock.advanced", "event_id": "e-17", "occurred_at": _AT},
    "PopulationCuts": {
        "kind": "population.cuts",
        "event_id": "e-18",
        "occurred_at": _AT,
        "policy": "shop",
        "version": 3,
        "cuts": {"cells.monetary": [1_200, 3_400, 7_900, 21_000]},
        "customers": {"cells.monetary": 23_570},
    },
    "ShadowStarted": {
        "kind": "shadow.started",
        "event_id": "e-19",
        "occurred_at": _AT,
        "policy": {"policy": "shop", "version": 4},
    },
    "ShadowEnded": {"kind": "shadow.ended", "event_id": "e-20", "occurred_at": _AT},
    "TierChange": {
        "id": "7f9c2ba4e88f827d616045507605853e",
        "customer_id": "c-42",
        "grading": "value",
        "from": "gold",
        "to": "bronze",
        "direction": "down",
        "sequence": 2,
        "instant": _UTC,
        "cause": {"kind": "time", "event_id": None},
        "policy": _SHOP,
        "score": None,
        "reasons": [
            {
                "measure": "revenue_365d",
                "unit": "money",
                "before": 104_000,
                "after": 79_990,
                "boundary": 80_000,
                "crossed": "below",
            }
        ],
        "treatment": {
            "granted": [],
            "withdrawn": ["free_shipping"],
            "before": _TERMS,
            "after": _NOTHING,
        },
        "counterfactual": {
            "to": "gold",
            "measure": "revenue_365d",
            "amount_minor": 20_010,
            "currency": "EUR",
            "orders": 1,
        },
    },
    "CustomerTiers": {
        "customer_id": "c-42",
        "instant": _UTC,
        "grades": {"value": "bronze", "score": None},
        "sequence": {"value": 2, "score": 0},
        "policy": _SHOP,
    },
    "TierDifferences": {
        "customer_id": "c-42",
        "instant": _UTC,
        "differences": {"value": {"live": "bronze", "shadow": "silver", "since": _UTC}},
        "policy": _SHOP,
        "shadow": _SHOP | {"version": 4},
    },
    "TierForecast": {
        "id": "b1946ac92492d2347c6235b4d2611184",
        "customer_id": "c-42",
        "grading": "value",
        "tier": "gold",
        "expected_tier": "bronze",
        "expected_at": _UTC,
        "issued_at": "2026-02-28T09:32:05.000Z",
        "status": "at_risk",
        "policy": _SHOP,
        "sequence": 1,
        "prevention": {"amount_minor": 20_010, "currency": "EUR", "orders": 1},
    },
    "DeadLetterHeaders": {
        "reason": "wrong_schema",
        "detail": "amount_minor: must be a whole number",
        "source_topic": "orders",
        "source_partition": "3",
        "source_offset": "1917",
        "source_timestamp_ms": "1773480725000",
        "original_size_bytes": "236",
        "first_seen": _UTC,
    },
    "ErasureReceipt": {
        "id": "591785b794601e212b260e25925636fd",
        "subject": "6ef7bbcc3dd3ee3d3a3ea5a8b2ba1f5c",
        "instant": _UTC,
        "told_until": _UTC,
        "reason": "request of 14 March",
        "removed": {"state": True, "orders": 12, "event_ids": 15, "members": 0, "parent": False},
    },
}
"""By the name of the model."""
