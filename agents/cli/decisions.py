"""`tierstream pin`, `unpin` and `review`: what people decide about one customer."""

from pathlib import Path
from typing import Annotated, Any

import typer

from agents.cli import options, show
from agents.cli.sending import send
from agents.settings import Settings
from schemas.decode import Control
from stream.calendar import format_instant
from stream.decisions import DECISIONS, check

Grading = Annotated[
    str, typer.Argument(metavar="GRADING", help="A grading of the policy.", show_default=False)
]
Author = Annotated[str, typer.Option(metavar="NAME", help="Who decides this.", show_default=False)]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why.", show_default=False)]
_OPTIONS = {
    "grading": "GRADING",
    "tier": "TIER",
    "indicator": "INDICATOR",
    "score": "SCORE",
    "customer_id": "CUSTOMER",
    "expires_at": "--until",
    "approved_by": "--approved-by",
}


def pin(  # noqa: PLR0913, PLR0917 - these are the options of a command
    customer: options.Customer,
    grading: Grading,
    tier: Annotated[
        str, typer.Argument(metavar="TIER", help="The tier to hold.", show_default=False)
    ],
    reason: Reason,
    author: Author,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT",
            help="When the pin ends: RFC 3339, or a date for its midnight.  "
            "\\[default: when it is lifted]",
            show_default=False,
        ),
    ] = None,
    policy: options.Policy = None,
    kafka: options.Kafka = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Hold a customer at a tier, whatever is earned. A new pin replaces the one before."""
    until_ms = options.instant_from(until, "--until")
    ends = {} if until_ms is None else {"expires_at": format_instant(until_ms)}
    fields = {"grading": grading, "tier": tier, "author": author, "reason": reason, **ends}
    _send("tier.pinned", customer, fields, _settings(kafka, namespace, policy), as_json=as_json)


def unpin(  # noqa: PLR0913, PLR0917 - these are the options of a command
    customer: options.Customer,
    grading: Grading,
    reason: Reason,
    author: Author,
    policy: options.Policy = None,
    kafka: options.Kafka = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """End a customer's pin; the tier that is earned takes over at once."""
    fields = {"grading": grading, "author": author, "reason": reason}
    _send("tier.unpinned", customer, fields, _settings(kafka, namespace, policy), as_json=as_json)


def review(  # noqa: PLR0913, PLR0917 - these are the options of a command
    customer: options.Customer,
    grading: Grading,
    indicator: Annotated[
        str,
        typer.Argument(
            metavar="INDICATOR", help="An indicator that a measure reviews.", show_default=False
        ),
    ],
    score: Annotated[
        int, typer.Argument(metavar="SCORE", min=0, max=100, help="0 to 100.", show_default=False)
    ],
    author: Author,
    approved_by: Annotated[
        str, typer.Option(metavar="NAME", help="Who approves it: another person.")
    ],
    policy: options.Policy = None,
    kafka: options.Kafka = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Submit a person's score of an indicator, which another person approves."""
    fields = {
        "grading": grading,
        "indicator": indicator,
        "score": score,
        "author": author,
        "approved_by": approved_by,
    }
    settings = _settings(kafka, namespace, policy)
    _send("review.submitted", customer, fields, settings, as_json=as_json)


def _settings(kafka: str | None, namespace: str | None, policy: Path | None) -> Settings:
    return options.settings_from(kafka, namespace=namespace, policy=policy)


def _send(
    kind: str, customer_id: str, fields: dict[str, Any], settings: Settings, *, as_json: bool
) -> None:
    def fits(control: Control, now_ms: int) -> None:
        """Look at names only if a policy is named."""
        if settings.policy and isinstance(control, DECISIONS):
            check(control, now_ms, options.plan_from(settings))

    named = {"customer_id": customer_id, **fields}
    send(kind, named, settings, fits, _OPTIONS, as_json=as_json)
    if not (settings.policy or as_json):
        show.err.print(
            "no policy was named, so names were not checked; a worker that does not know them "
            "sends the record to the dead letters",
            style="yellow",
        )
