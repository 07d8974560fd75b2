"""Closed lists of words that both the wire records and the policy language use."""

from typing import Final, Literal, get_args

InteractionKind = Literal[
    "visit",
    "contact",
    "meeting",
    "trial",
    "complaint",
    "complaint.resolved",
    "referral",
    "survey",
    "service.requested",
    "service.resolved",
    "payment.received",
    "payment.overdue",
    "stage.changed",
    "treatment.sent",
    "treatment.responded",
]
Stage = Literal["demand", "contract", "delivery", "operation", "renewal", "lost"]

INTERACTION_KINDS: Final[tuple[str, ...]] = get_args(InteractionKind)
STAGES: Final[tuple[str, ...]] = get_args(Stage)
