"""Reading server-sent events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN_S = 60


def events(url: str, last: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield (id, data) of the stream of changes at *url*, behind the event *last*."""
    headers = {} if last is None else {"Last-Event-ID": last}
    with requests.get(
        f"{url}/v1/changes/stream", headers=headers, stream=True, timeout=WITHIN_S
    ) as answer:
        assert answer.ok, answer.text
        assert answer.headers["content-type"].startswith("text/event-stream")
        event_id = ""
        for raw in answer.iter_lines():
            line = raw.decode()
            if line.startswith("id: "):
                event_id = line[4:]
            elif line.startswith("data: "):
                yield event_id, line[6:]
