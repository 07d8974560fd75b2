"""Which controls begin an edition, and under which conditions. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.decode import Rejected
from schemas.policy import PolicyFileError
from schemas.policy.load import policy_from_data
from schemas.records import PolicyPublished, PopulationCuts, ShadowEnded, ShadowStarted
from stream.admission import FUTURE
from stream.editions import cuts_moved, policy_published, shadow_ended, shadow_started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.decode import Control
    from schemas.policy import PolicyDocument
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
    if not isinstance(control, (PolicyPublished, PopulationCuts, ShadowStarted, ShadowEnded)):
        return None
    if record_ms > latest_ms:
        raise Rejected(FUTURE, "record timestamp: too far after the wall clock")
    if isinstance(control, PopulationCuts):
        if plan is not None:
            _check_cuts(control, plan)
        return cuts_moved(control, record_ms)
    if isinstance(control, ShadowEnded):
        return shadow_ended(record_ms, control.event_id)
    document = _checked(control, plan)
    if isinstance(control, PolicyPublished):
        return policy_published(document, record_ms, control.event_id)
    if plan is not None:
        for key, allowed in unfit_beside(document, plan):
            raise Rejected(BAD_POLICY, f"policy.{key}: allowed: {allowed}")
    return shadow_started(document, record_ms, control.event_id)


def unfit_beside(document: PolicyDocument, plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield why a policy cannot run beside the one in force: a key, and what is allowed."""
    if document.groups is not None:
        yield "groups", "none, for a policy that runs beside another"
    elif plan.shape.groups:
        yield "groups", "a policy that runs beside another only where the one in force has none"
    kept_days = plan.document.refund_days
    if document.refund_days > kept_days:
        yield "refund_days", f"at most {kept_days}, as the policy in force keeps orders no longer"


def _checked(control: PolicyPublished | ShadowStarted, plan: Plan | None) -> PolicyDocument:
    """Return the policy of a control. Raises `Rejected` if it cannot be used."""
    try:
        document = policy_from_data(control.policy, "policy")
    except PolicyFileError as exc:
        first = exc.findings[0]
        raise Rejected(BAD_POLICY, f"policy.{first.key}: allowed: {first.allowed}") from None
    if plan is not None and document.currency != plan.converter.reporting:
        kept = plan.converter.reporting
        raise Rejected(BAD_POLICY, f"policy.currency: allowed: {kept}, which amounts are kept in")
    return document


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
