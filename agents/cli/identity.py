"""`tierstream merge` and `split`: which ids are one customer."""

from typing import Annotated

import typer

from agents.cli import options
from agents.cli.decisions import Author, Reason
from agents.cli.sending import send
from schemas.decode import Control, Rejected
from schemas.records import IdentityMerged

_OPTIONS = {"customer_id": "CUSTOMER"}


def merge(
    customer: options.Customer,
    into: Annotated[
        str, typer.Option(metavar="CUSTOMER", help="The id that stays.", show_default=False)
    ],
    reason: Reason,
    author: Author,
    kafka: options.Kafka = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Let a customer count for another id of the same person, past events and future ones.

    It is no longer graded itself. What cannot be merged, as it is merged already or the other one
    is merged into it, goes to the dead letters.
    """
    fields = {"customer_id": customer, "into": into, "author": author, "reason": reason}
    settings = options.settings_from(kafka, namespace=namespace)
    send("identity.merged", fields, settings, _check, _OPTIONS, as_json=as_json)


def split(
    customer: options.Customer,
    reason: Reason,
    author: Author,
    kafka: options.Kafka = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Take a merge back: the customer is graded by its own events again, as if never merged."""
    fields = {"customer_id": customer, "author": author, "reason": reason}
    settings = options.settings_from(kafka, namespace=namespace)
    send("identity.split", fields, settings, _check, _OPTIONS, as_json=as_json)


def _check(control: Control, now_ms: int) -> None:
    """Refuse what any worker would refuse."""
    del now_ms
    if isinstance(control, IdentityMerged) and control.into == control.customer_id:
        raise Rejected("conflict", "into: must be another customer")
