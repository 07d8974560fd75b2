"""`tierstream demo`: a business through a real broker, a real Redis and a worker, live."""

import importlib.resources
import signal
import time
import uuid
from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated

import typer
from rich.markup import escape

from agents.cli import loop, options, show
from agents.cli.demo_cleanup import forget_redis, forget_topics
from agents.cli.demo_run import run
from agents.cli.demo_screen import Screen
from agents.cli.demo_summary import show_outcome
from agents.cli.serve_process import ServeProcess
from agents.cli.topics import create
from agents.cli.worker_process import WorkerProcess
from agents.embedded import EmbeddedBroker, EmbeddedRedis
from agents.replay.retention import FOREVER
from agents.replay.source import load_log
from agents.settings import Settings
from agents.topics import TopicPlan

PARTITIONS = 4
BATCH_RECORDS = 1_000


OWN_POLICY = ("cdnow", "wholesale")
"""Data sets that come with a policy."""


def demo(
    data: Annotated[
        str,
        typer.Option(
            metavar="DATASET|FILE",
            help="cdnow: a real music shop's orders; wholesale: an invented wholesaler; or your "
            "own, as for replay, with --policy.",
        ),
    ] = "cdnow",
    keep: Annotated[
        bool | None,
        typer.Option(
            "--keep/--no-keep",
            help="Leave everything running at the end, until Ctrl-C; so it is on a terminal.",
            show_default=False,
        ),
    ] = None,
    kafka: options.Kafka = None,
    redis: options.Redis = None,
    policy: options.Policy = None,
) -> None:
    """Replay a business, and watch customers change tiers: here and in the browser.

    Starts a Kafka-compatible broker, a Redis, a worker and the live page of its own, and ends
    all of them, also on Ctrl-C. On servers named by --kafka and --redis it works under a
    namespace of its own, which it removes.
    """
    started_s = time.monotonic()
    # Ended by `kill`, it cleans up as on Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    given = options.settings_from(kafka, redis, policy=policy)
    if data in OWN_POLICY:
        shipped = importlib.resources.files("deploy").joinpath("policies", f"{data}.yaml")
        given = replace(given, policy=given.policy or str(shipped))
    log = load_log(data)
    plan = options.plan_from(given)
    keep = show.out.is_terminal if keep is None else keep
    with ExitStack() as stack:
        settings = _prepare(stack, kafka, redis, given)
        worker = stack.enter_context(WorkerProcess(settings))
        # What it knows ends with the demo: no reason to wait for it to leave in order.
        stack.callback(worker.kill)
        page = stack.enter_context(ServeProcess())
        stack.callback(page.kill)
        first, last = (show.instant(record.record_ms)[:7] for record in (log[0], log[-1]))
        show.out.print(
            f"[dim]Kafka {settings.kafka}, Redis {_address(settings)}, worker {worker.url}; "
            f"ready after {time.monotonic() - started_s:.1f} s[/]",
            soft_wrap=True,
        )
        show.out.print(
            f"{len(log):,} records of [bold]{escape(data)}[/], {first} to {last}, under the policy "
            f"{plan.name} version {plan.version}. Tier changes come out of the topic "
            f"{settings.topic('tier-changes')}: all are counted, a few a second are shown.",
            soft_wrap=True,
        )
        show.out.print(f"The live page: [bold]{page.url}[/]\n", soft_wrap=True)
        with Screen(plan, len(log)) as screen:
            outcome = loop.run(run(settings, plan, log, worker, screen))
        show_outcome(outcome, outcome.first_s - started_s)
        if keep:
            _keep(settings, worker, page, log[0].key.decode())


def _prepare(stack: ExitStack, kafka: str | None, redis: str | None, given: Settings) -> Settings:
    """Start the servers that were not named, create topics, and return where everything is."""
    settings = replace(given, namespace=f"demo-{uuid.uuid4().hex[:6]}", batch_records=BATCH_RECORDS)
    if kafka is None:
        settings = replace(settings, kafka=stack.enter_context(EmbeddedBroker()).address)
    else:
        stack.callback(lambda: loop.run(forget_topics(settings)))
    if redis is None:
        settings = replace(settings, redis=stack.enter_context(EmbeddedRedis()).url)
    else:
        stack.callback(forget_redis, settings)
    loop.run(create(settings, TopicPlan(PARTITIONS), FOREVER))
    return settings


def _keep(settings: Settings, worker: WorkerProcess, page: ServeProcess, somebody: str) -> None:
    """Tell how to look around, and wait for Ctrl-C."""
    show.out.print(f"\nEverything keeps running until Ctrl-C: [bold]{page.url}[/]", soft_wrap=True)
    show.out.print("In another terminal:")
    lines = (
        f"export TIERSTREAM_KAFKA={settings.kafka} TIERSTREAM_REDIS={_address(settings)}",
        f"export TIERSTREAM_NAMESPACE={settings.namespace} TIERSTREAM_POLICY={settings.policy}",
        f"tierstream explain {somebody}",
        "tierstream doctor",
        f"curl {worker.url}/metrics",
    )
    for line in lines:
        show.out.print(f"  {line}", markup=False, soft_wrap=True)
    signal.pause()


def _address(settings: Settings) -> str:
    """Return the URL of Redis without user and password, which may be in its query too."""
    scheme, _, rest = settings.redis.partition("?")[0].partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
