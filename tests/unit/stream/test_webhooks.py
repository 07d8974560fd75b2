"""Secrets and schedule of webhooks."""

from __future__ import annotations

import json

from stream.webhooks import SCHEDULE_MS, Endpoint, Secret, body, retry_ms

HOUR_MS = 3_600_000
ENDPOINT = Endpoint("ep", "https://x.example/", ("tier-changes",), (Secret("a"),), 0)


def test_after_a_rotation_both_secrets_sign_until_the_old_one_is_over() -> None:
    rotated = ENDPOINT.rotated("b", 0, 24 * HOUR_MS)
    assert rotated.signing(0) == ("b", "a")
    assert rotated.signing(24 * HOUR_MS - 1) == ("b", "a")
    assert rotated.signing(24 * HOUR_MS) == ("b",)


def test_a_second_rotation_keeps_the_newest_of_the_old_ones() -> None:
    """Never more than two signatures."""
    twice = ENDPOINT.rotated("b", 0, HOUR_MS).rotated("c", 1, HOUR_MS)
    assert twice.signing(1) == ("c", "b")
    assert ENDPOINT.rotated("b", 0, 0).signing(0) == ("b",)


def test_the_schedule_lasts_three_days_and_ends() -> None:
    delays = [retry_ms(tries) for tries in range(1, 11)]
    assert delays == [*SCHEDULE_MS, None]
    assert delays[:2] == [5_000, 300_000]
    assert sum(SCHEDULE_MS) > 3 * 24 * HOUR_MS


def test_the_body_is_the_record_in_an_envelope() -> None:
    value = {"id": "a", "to": "铂金"}
    made = body("tier-forecasts", "2026-11-22T00:00:00.000Z", json.dumps(value).encode())
    assert json.loads(made) == {
        "type": "tier.forecast",
        "timestamp": "2026-11-22T00:00:00.000Z",
        "data": value,
    }
