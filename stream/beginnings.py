"""Which controls begin an edition, and under which conditions. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.decode import Rejected
from schemas.policy import PolicyFileError
from schemas.policy.load import policy_from_data
from schemas.records import PolicyPublished
from stream.admission import FUTURE
from stream.editions import policy_published

if TYPE_CHECKING:
    from schemas.decode import Control
    from stream.editions import Begin
    from stream.plan import Plan

BAD_POLICY = "wrong_schema"


def beginning(
    control: Control, record_ms: int, latest_ms: int, plan: Plan | None = None
) -> Begin | None:
    """Return the edition that *control* begins; None where it begins none.

    Args:
        control: As decoded.
        record_ms: Its record time: the instant of the edition.
        latest_ms: Record times after this are not believed.
        plan: What is in force now; None where that is not known.

    Raises:
        Rejected: It would, but cannot be used; dead-letter it.
    """
    if not isinstance(control, PolicyPublished):
        return None
    if record_ms > latest_ms:
        raise Rejected(FUTURE, "record timestamp: too far after the wall clock")
    try:
        document = policy_from_data(control.policy, "policy")
    except PolicyFileError as exc:
        first = exc.findings[0]
        raise Rejected(BAD_POLICY, f"policy.{first.key}: allowed: {first.allowed}") from None
    if plan is not None and document.currency != plan.converter.reporting:
        kept = plan.converter.reporting
        raise Rejected(BAD_POLICY, f"policy.currency: allowed: {kept}, which amounts are kept in")
    return policy_published(document, record_ms, control.event_id)
