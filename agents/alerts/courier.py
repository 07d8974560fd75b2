"""Getting a message to people through apprise, whatever the other side does."""

from __future__ import annotations

import asyncio
import logging
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from agents.attempts import Attempts
from agents.dispatch import UndeliveredError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.alerts.channels import Addresses
    from stream.alerting.message import Message

_STATUS = re.compile(r"\berror=(\d{3})\b")
_URGENT = {"alert", "escalation"}


class Courier:
    """Delivers messages, each attempt in a thread of its own that may hang without harm.

    What went wrong is said without quoting apprise, whose words may hold an address.
    """

    def __init__(self, addresses: Addresses, timeout_s: float) -> None:
        """Give each attempt *timeout_s*."""
        self._addresses = addresses
        self._attempts = Attempts(timeout_s)
        silence()

    async def prepare(self) -> None:
        """Load apprise and all it can reach, so that the first alert does not wait for that."""
        await asyncio.to_thread(_load)

    async def deliver(self, message: Message) -> None:
        """Deliver *message* to every address of its channel.

        Raises:
            UndeliveredError: At least one has not taken it. Others may have.
        """
        channel = message.channel
        addresses = self._addresses.of(channel)
        if not addresses:
            raise UndeliveredError("no address is known for this channel")
        work = partial(notify, addresses, message.title, message.body, message.kind)
        await self._attempts.run(channel, work)


def notify(addresses: Sequence[str], title: str, body: str, kind: str) -> str:
    """Send to every address; return why one has not taken it, "" if all have. Blocks.

    What is said holds no address.
    """
    import apprise  # noqa: PLC0415 - takes a second, and only those who send need it

    # One after the other in this thread: its time-out is ours.
    asset = apprise.AppriseAsset(
        app_id="tierstream",
        app_desc="tierstream",
        async_mode=False,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        service_timeout=0,
    )
    to = apprise.Apprise(asset=asset)
    for number, address in enumerate(addresses, 1):
        if not to.add(address):
            return f"address {number} of this channel is none that apprise knows"
    urgent = kind in _URGENT
    result = to.notify(
        title=title,
        body=body,
        notify_type=apprise.NotifyType.WARNING if urgent else apprise.NotifyType.INFO,
        body_format=apprise.NotifyFormat.TEXT,
    )
    if result:
        return ""
    return "; ".join(_why(one) for one in result if not one) or "refused"


def _load() -> None:
    import apprise  # noqa: PLC0415 - as above

    apprise.Apprise().add("json://127.0.0.1")


def silence() -> None:
    """Let nothing that apprise logs get anywhere but into its results: it may hold addresses."""
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.WARNING)
    logger.addHandler(logging.NullHandler())
    logger.propagate = False


def _why(result: Any) -> str:  # noqa: ANN401 - apprise's result
    said = " ".join(entry.message for attempt in result.attempts for entry in attempt.logs)
    status = _STATUS.search(said)
    service = str(result.name)
    return f"{service} answered {status[1]}" if status else f"{service} could not be reached"
