"""`tierstream erase`: everything known of a customer has to go."""

import time
from typing import Annotated

import typer

from agents.cli import loop, options, show
from agents.cli.errors import CommandError
from agents.erasing import erase as send
from agents.erasing import request
from schemas.decode import Rejected


def erase(
    customer: options.Customer,
    reason: Annotated[str, typer.Option(help="Why; it stands in the receipt.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long to wait for the receipt.")
    ] = 30.0,
    kafka: options.Kafka = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Erase a customer for good: state, ranks, history, orders, sums of others; leave a receipt.

    Workers carry it out. Topics that expire, such as the input topics and tier-changes, keep
    what they hold until then.
    """
    settings = options.settings_from(kafka, namespace=namespace)
    try:
        value = request(customer, reason, time.time_ns() // 1_000_000)
    except Rejected as bad:
        field, _, allowed = bad.detail.partition(": ")
        option = {"customer_id": "CUSTOMER", "reason": "--reason"}.get(field, field)
        raise CommandError(f"{option}: this value is not allowed; allowed: {allowed}") from bad
    if not yes:
        typer.confirm(f"Erase everything known of {customer}? It cannot be undone", abort=True)
    receipt_id, receipt = loop.run(send(settings, value, wait))
    if receipt is None and wait:
        raise CommandError(
            f"the request was sent, but receipt {receipt_id} did not come within {wait:g} s; "
            "look for it in erasure-receipts, or see if workers run: tierstream doctor"
        )
    if as_json:
        show.print_json({"receipt": receipt_id, "erased": receipt})
    elif receipt is None:
        show.out.print(f"requested; the receipt will be {receipt_id}")
    else:
        removed = ", ".join(f"{name} {count}" for name, count in receipt["removed"].items())
        show.out.print(f"[green]erased[/] as of {receipt['instant']}: {removed}")
        show.out.print(f"receipt {receipt_id}")
