"""Which controls begin an edition, and under which conditions. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.decode import Rejected
from schemas.policy import PolicyFileError
from schemas.policy.load import policy_from_data
from schemas.records import PolicyPublished, PopulationCuts
from stream.admission import FUTURE
from stream.editions import cuts_moved, policy_published

if TYPE_CHECKING:
    from schemas.decode import Control
    from stream.editions import Begin
    from stream.plan import Plan

BAD_POLICY = BAD_CUTS = "wrong_schema"


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
    if not isinstance(control, (PolicyPublished, PopulationCuts)):
        return None
    if record_ms > latest_ms:
        raise Rejected(FUTURE, "record timestamp: too far after the wall clock")
    if isinstance(control, PopulationCuts):
        if plan is not None:
            _check_cuts(control, plan)
        return cuts_moved(control, record_ms)
    try:
        document = policy_from_data(control.policy, "policy")
    except PolicyFileError as exc:
        first = exc.findings[0]
        raise Rejected(BAD_POLICY, f"policy.{first.key}: allowed: {first.allowed}") from None
    if plan is not None and document.currency != plan.converter.reporting:
        kept = plan.converter.reporting
        raise Rejected(BAD_POLICY, f"policy.currency: allowed: {kept}, which amounts are kept in")
    return policy_published(document, record_ms, control.event_id)


def _check_cuts(control: PopulationCuts, plan: Plan) -> None:
    """Refuse cuts that do not fit the policy that they name, where that is in force."""
    if (control.policy, control.version) != (plan.name, plan.version):
        return
    known = {name: cut for ranking in plan.rankings for name, cut in ranking.cuts.items()}
    for name, levels in control.cuts.items():
        cut = known.get(name)
        if cut is None:
            raise Rejected(BAD_CUTS, "cuts.*: must be a cut of the policy that is not frozen")
        if len(levels) != cut.levels or levels != sorted(levels):
            raise Rejected(BAD_CUTS, "cuts.*: must be the levels of the cut, ascending")
