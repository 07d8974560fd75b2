"""`tierstream top`: figures of several workers, and how it ends where nobody answers."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from rich.console import Console

from agents.cli.top_figures import Figures, parse, quantile
from agents.cli.top_screen import screen
from agents.instruments import LATENCY_S
from agents.metrics import Metrics
from tests.unit.cli.test_command import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def told(fill: Callable[[Metrics], None]) -> str:
    """Return the page of a worker of which *fill* says what it did."""
    metrics = Metrics()
    metrics.buckets.set(256)
    metrics.build.labels("1.0", "all").set(1)
    metrics.store_up.labels("scoring").set(1)
    metrics.ready.labels("scoring").set(1)
    fill(metrics)
    return generate_latest(metrics.registry).decode()


def work(records: int, gold: int) -> Callable[[Metrics], None]:
    """Return what fills in the metrics of a worker that has read so many records."""

    def fill(metrics: Metrics) -> None:
        metrics.records.labels("orders").inc(records)
        metrics.owned_buckets.set(128)
        metrics.customers.set(100)
        metrics.lag.labels("orders").set(7)
        metrics.tier_customers.labels("value", "gold").set(gold)
        metrics.tier_customers.labels("value", "(not graded)").set(100 - gold)
        metrics.stage_seconds.labels("fold").inc(records / 10_000)
        metrics.scoring_latency.observe_since([0] * records, 40)

    return fill


URLS = "http://a:1", "http://b:1"


@pytest.fixture
def figures() -> Figures:
    """Two workers with 100 and 300 records in two seconds, and what they had done before."""
    before = {url: parse(told(work(1_000, 1)), 10.0) for url in URLS}
    now = {
        URLS[0]: parse(told(work(1_100, 10)), 12.0),
        URLS[1]: parse(told(work(1_300, 30)), 12.0),
    }
    return Figures(now, before)


def test_workers_are_added_up_and_rates_are_of_the_time_between(figures: Figures) -> None:
    """(100 + 300) records in 2 s; buckets, customers, lag and tiers of both."""
    found = figures.as_json()
    assert found["rates"]["records"] == 200
    assert found["buckets"] == {"owned": 256, "of": 256}
    assert found["customers"] == 200
    assert found["lag_records"]["orders"] == 14
    assert found["tiers"] == {"value": {"gold": 40, "(not graded)": 160}}
    assert found["stages"] == {"fold": 0.02}
    assert 0.025 <= found["latency_s"]["scoring"]["p99"] <= 0.05
    assert found["latency_s"]["deadlines"] == {"p50": None, "p99": None}
    assert all(worker["ready"] and worker["redis"] for worker in found["workers"].values())


def test_the_screen_names_what_is_wrong(figures: Figures) -> None:
    """A silent worker, and partitions that stand still."""
    console = Console(width=140, record=True, file=None, quiet=True)
    found = {**figures.as_json(), "halted_partitions": 2}
    with console.capture() as captured:
        console.quiet = False
        console.print(screen(found, {"http://c:1": "does not answer"}))
    text = captured.get()
    for words in ("2 workers, 1 silent", "2 partitions halted", "does not answer", "gold", "fold"):
        assert words in text


def test_a_worker_that_has_just_come_has_no_rate_yet() -> None:
    """Nor has one that was started again; its latencies are of all that it did since."""
    now = {URLS[0]: parse(told(work(5, 1)), 12.0)}
    assert Figures(now, {}).as_json()["rates"]["records"] == 0
    page = re.sub(r"(?m)^(process_start_time_seconds) .*$", r"\1 1", told(work(1_000, 1)))
    found = Figures(now, {URLS[0]: parse(page, 10.0)}).as_json()
    assert found["rates"]["records"] == 0
    assert 0.025 <= found["latency_s"]["scoring"]["p50"] <= 0.05


@given(st.lists(st.floats(0, 400), min_size=1, max_size=50), st.sampled_from([0.5, 0.9, 0.99]))
def test_a_quantile_lies_in_the_bucket_of_the_true_one(values: list[float], share: float) -> None:
    """Found by counting, as Prometheus finds it."""
    registry = CollectorRegistry()
    histogram = Histogram("h", "x", buckets=LATENCY_S, registry=registry)
    for value in values:
        histogram.observe(value)
    reached = {
        float(dict(key[1])["le"]): count
        for key, count in parse(generate_latest(registry).decode(), 0.0).values.items()
        if key[0] == "h_bucket"
    }
    found = quantile(share, reached)
    rank = max(1, -(-len(values) * share // 1))
    true = sorted(values)[int(rank) - 1]
    above = min((bound for bound in LATENCY_S if bound >= true), default=300)
    below = max((bound for bound in LATENCY_S if bound < true), default=0)
    assert found is not None
    assert below <= found <= above


@pytest.fixture
def page() -> Iterator[str]:
    """Serve a worker's page; return its address."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(told(work(10, 5)).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_machines_get_one_document_and_who_was_silent(page: str) -> None:
    """The address may lack its scheme; one of two workers may be away."""
    done = run("top", page, "127.0.0.1:1", "--once", "--json", "--every", "0.2")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["tiers"]["value"]["gold"] == 5
    assert found["silent"] == {"http://127.0.0.1:1": "does not answer"}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("127.0.0.1:1", "--once"), "no worker answers: http://127.0.0.1:1: does not answer"),
        (("ftp://x", "--once"), "ftp://x: is not allowed"),
        (("--json",), "--json: only with --once"),
    ],
)
def test_mistakes_are_one_line(arguments: tuple[str, ...], line: str) -> None:
    """On standard error, with exit code 1."""
    done = run("top", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert line in done.stderr
    assert len(done.stderr.splitlines()) == 1
