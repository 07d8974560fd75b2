"""From the trace context of a record to that of its tier changes, and to spans at a collector."""

from __future__ import annotations

import gzip
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from schemas.cloud_events import CloudEventHeaders
from tests.integration.receiver import Receiver
from tests.integration.system import order
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.system import System

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

TRACE = "0af7651916cd43dd8448eb211c80319c"
SAMPLED = f"00-{TRACE}-b7ad6b7169203331-01".encode()


class Collector:
    """Takes spans over OTLP.

    Attributes:
        linked: Trace ids that spans were linked to, or are of, by the span's name.
        text: All that was sent, as it came.
    """

    def __init__(self) -> None:
        self.linked: dict[str, set[str]] = {}
        self.text = b""

    def take(self, body: bytes) -> None:
        """Take one request."""
        self.text += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    links = {link.trace_id.hex() for link in span.links}
                    links.update({span.trace_id.hex()} if span.parent_span_id else ())
                    self.linked.setdefault(span.name, set()).update(links)


@pytest.fixture
def collector() -> Iterator[tuple[Collector, str]]:
    """A collector, and where it is."""
    found = Collector()

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            zipped = self.headers.get("Content-Encoding") == "gzip"
            found.take(gzip.decompress(body) if zipped else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def write_routes(system: System) -> None:
    """Tell a team of everything that happens to the value of a customer."""
    with Path(system.settings.policy).open("a") as policy:
        policy.write(
            "routes:\n  channels: {team: {}}\n  rules: [{gradings: [value], channels: [team]}]\n"
        )


async def test_a_trace_leads_from_a_record_to_its_changes_to_the_collector_and_to_the_alert(
    system: System, collector: tuple[Collector, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only with the changes of that record; spans are of its trace or linked, and name nobody."""
    spans, url = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    write_routes(system)
    with Receiver() as team:
        worker = await system.started(tracing="otlp", channel_team=team.address)
        now_ms = time.time_ns() // 1_000_000
        traced = [("traceparent", SAMPLED), ("other", b"1")]
        await system.send("orders", [order(1, "ann", now_ms, 40_000)], headers=traced)
        await system.send("orders", [order(2, "bob", now_ms)], headers=[("traceparent", b"bob-s")])
        await system.send("orders", [order(3, "cid", now_ms)])
        await system.published(9)
        for record in await system.read("tier-changes"):
            headers = {name: value.decode() for name, value in record.headers}
            known = CloudEventHeaders.model_validate(headers)
            assert known.ce_traceparent == (SAMPLED.decode() if record.key == b"ann" else None)
        await wait_for_async(lambda: len(team.got) == 3, "an alert of each customer")
        assert worker.stop() == 0  # what spans it still has go out
    await wait_for_async(lambda: len(spans.linked) == 4, "spans of every kind")
    assert spans.linked == {
        f"tierstream {what}": {TRACE} for what in ("score", "publish", "hear", "deliver")
    }
    assert b"ann" not in spans.text
