"""Which warnings stand: those whose fall has neither come, nor been called off."""

from __future__ import annotations

from stream.projection.at_risk import AtRisk, Told

JANUARY, FEBRUARY = "2026-01-20T00:00:00.000Z", "2026-02-10T00:00:00.000Z"
NOW_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z


def warning(number: int = 1, at: str = JANUARY, status: str = "at_risk", **more: str) -> Told:
    return Told(f"w{number}", "ann", "value", "gold", "iron", at, at, status, None, **more)


def standing(at_risk: AtRisk, tier: str | None = "gold", now_ms: int = NOW_MS) -> list[str]:
    return [told.id for told in at_risk.standing(now_ms, lambda *_: tier, None)]


def test_a_warning_stands_until_it_is_withdrawn() -> None:
    at_risk = AtRisk()
    at_risk.take(warning())
    assert standing(at_risk) == ["w1"]
    at_risk.take(warning(2, status="withdrawn", withdraws="w1"))
    assert standing(at_risk) == []


def test_a_withdrawal_that_comes_with_the_next_warning_does_not_take_it_away() -> None:
    at_risk = AtRisk()
    at_risk.take(warning(1))
    at_risk.take(warning(3, FEBRUARY))
    at_risk.take(warning(2, status="withdrawn", withdraws="w1"))
    assert standing(at_risk) == ["w3"]


def test_the_fall_itself_closes_a_warning_whichever_topic_is_read_first() -> None:
    at_risk = AtRisk()
    at_risk.take(warning())
    assert standing(at_risk, tier="iron") == []
    assert standing(at_risk, now_ms=NOW_MS + 30 * 86_400_000) == []


def test_a_grace_stands_beside_a_warning_until_it_ends() -> None:
    at_risk = AtRisk()
    at_risk.take(warning(1, FEBRUARY))
    at_risk.take(warning(2, JANUARY, "grace_started"))
    assert standing(at_risk) == ["w2", "w1"]
    at_risk.take(warning(3, JANUARY, "grace_ended"))
    assert standing(at_risk) == ["w1"]


def test_warnings_are_let_go_once_their_instant_has_come() -> None:
    at_risk = AtRisk()
    at_risk.take(warning())
    at_risk.settle(NOW_MS)
    assert len(at_risk) == 1
    at_risk.settle(NOW_MS + 30 * 86_400_000)
    assert len(at_risk) == 0
