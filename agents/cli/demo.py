"""`tierstream demo`: CDNOW through a real broker, a real Redis and a worker, live on screen."""

import importlib.resources
import signal
import time
import uuid
from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated

import typer

from agents.cli import loop, options, show
from agents.cli.demo_cleanup import forget_redis, forget_topics
from agents.cli.demo_run import run
from agents.cli.demo_screen import Screen
from agents.cli.demo_summary import show_outcome
from agents.cli.topics import create
from agents.cli.worker_process import WorkerProcess
from agents.embedded import EmbeddedBroker, EmbeddedRedis
from agents.replay.retention import FOREVER
from agents.replay.source import load_log
from agents.settings import Settings
from agents.topics import TopicPlan

DATASET = "cdnow"
PARTITIONS = 4
BATCH_RECORDS = 1_000


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everything running at the end, until Ctrl-C.")
    ] = False,
    kafka: options.Kafka = None,
    redis: options.Redis = None,
    policy: options.Policy = None,
) -> None:
    """Replay CDNOW, a real order log, and watch customers change tiers.

    Starts a Kafka-compatible broker, a Redis and a worker of its own, and ends all of them,
    also on Ctrl-C. On servers named by --kafka and --redis it works under a namespace of its
    own, which it removes.
    """
    started_s = time.monotonic()
    # Ended by `kill`, it cleans up as on Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    log = load_log(DATASET)
    with ExitStack() as stack:
        settings = _prepare(stack, kafka, redis, options.settings_from(kafka, redis, policy=policy))
        plan = options.plan_from(settings)
        worker = stack.enter_context(WorkerProcess(settings))
        # What it knows ends with the demo: no reason to wait for it to leave in order.
        stack.callback(worker.kill)
        show.out.print(
            f"[dim]Kafka {settings.kafka}, Redis {_address(settings)}, worker {worker.url}; "
            f"ready after {time.monotonic() - started_s:.1f} s[/]",
            soft_wrap=True,
        )
        show.out.print(
            f"{len(log):,} orders of [bold]{DATASET}[/], 1997-01 to 1998-06, under the policy "
            f"{plan.name} version {plan.version}. Tier changes come out of the topic "
            f"{settings.topic('tier-changes')}: all are counted, a few a second are shown.\n",
            soft_wrap=True,
        )
        with Screen(plan, len(log)) as screen:
            outcome = loop.run(run(settings, plan, log, worker, screen))
        show_outcome(outcome, outcome.first_s - started_s)
        if keep:
            _keep(settings, worker)


def _prepare(stack: ExitStack, kafka: str | None, redis: str | None, given: Settings) -> Settings:
    """Start the servers that were not named, create topics, and return where everything is."""
    policy = importlib.resources.files("deploy").joinpath("policies", "cdnow.yaml")
    settings = replace(
        given,
        namespace=f"demo-{uuid.uuid4().hex[:6]}",
        policy=given.policy or str(policy),
        batch_records=BATCH_RECORDS,
    )
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


def _keep(settings: Settings, worker: WorkerProcess) -> None:
    """Tell how to look around, and wait for Ctrl-C."""
    show.out.print("\nEverything keeps running until Ctrl-C. In another terminal:")
    lines = (
        f"export TIERSTREAM_KAFKA={settings.kafka} TIERSTREAM_REDIS={_address(settings)}",
        f"export TIERSTREAM_NAMESPACE={settings.namespace} TIERSTREAM_POLICY={settings.policy}",
        "tierstream explain 00003",
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
