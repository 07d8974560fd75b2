"""Sending a control about one customer, and saying where it went."""

import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from agents.cli import loop, show
from agents.cli.errors import CommandError
from agents.controls import send_control
from agents.settings import Settings
from schemas.decode import Control, Rejected, decode_control
from stream.calendar import format_instant


def send(
    kind: str,
    fields: dict[str, Any],
    settings: Settings,
    check: Callable[[Control, int], None],
    options: Mapping[str, str],
    *,
    as_json: bool,
) -> None:
    """Send a control of now, once nothing speaks against it.

    Args:
        kind: Of the control.
        fields: What it says, `customer_id` included.
        settings: Where Kafka is.
        check: Refuses what a worker would refuse, given the control and the instant.
        options: What the user calls a field, where that is not ``--field``.
        as_json: Print for machines.

    Raises:
        CommandError: The control is not allowed, or `check` raised `Rejected`.
    """
    now_ms = time.time_ns() // 1_000_000
    event = {
        "schema_version": 1,
        "event_id": f"{kind}:{uuid.uuid4().hex}",
        "occurred_at": format_instant(now_ms),
        "kind": kind,
        **fields,
    }
    value = json.dumps(event, ensure_ascii=False).encode()
    try:
        check(decode_control(value), now_ms)
    except Rejected as exc:
        field, _, allowed = exc.detail.partition(": ")
        name = options.get(field, f"--{field}")
        raise CommandError(
            f"{name}: {event.get(field)!r} is not allowed; allowed: "
            f"{allowed.removeprefix('must be ')}"
        ) from exc
    customer_id = fields["customer_id"]
    sent = loop.run(send_control(settings, customer_id, value))
    if as_json:
        show.print_json({"event": event, "sent": sent._asdict()})
        return
    where = f"{sent.topic}, partition {sent.partition}, offset {sent.offset}"
    show.out.print(f"{kind} for customer {customer_id}: sent to {where}", markup=False)
