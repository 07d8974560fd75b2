"""`tierstream replay`: an order history through the core alone, or into Kafka."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from agents.cli import loop, options, show
from agents.cli.errors import CommandError
from agents.cli.export import export_live
from agents.cli.stores import opened
from agents.cli.summary import (
    causes_table,
    changes_by_cause,
    customers_by_tier,
    read_note,
    tiers_table,
)
from agents.replay.coordinator import Coordinator
from agents.replay.export import write_export
from agents.replay.log import LogRecord
from agents.replay.offline import OfflineResult, Refused, replay_offline
from agents.replay.producer import Sent, Watcher, replay_live
from agents.replay.sections import sections
from agents.replay.source import load_log
from agents.settings import Settings
from stream.calendar import format_instant
from stream.plan import Plan

_REFUSED_SHOWN = 5


def replay(  # noqa: PLR0913, PLR0917 - these are the options of a command
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|DATASET",
            help="A .csv of orders, .jsonl of wire events, or a data set: cdnow, cdnow-sample.",
            show_default=False,
        ),
    ],
    offline: Annotated[
        bool, typer.Option("--offline", help="Through the pure core alone: no Kafka, no Redis.")
    ] = False,
    policy: options.Policy = None,
    as_of: options.AsOf = None,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export",
            metavar="DIR",
            help="Write customers, changes and forecasts here (live: once the workers caught up).",
        ),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            metavar="FACTOR",
            min=0.001,
            help="Seconds of event time per second; without it, as fast as it goes.",
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(help="Longest wait for the workers, of --export or a census, in seconds."),
    ] = 300.0,
    kafka: options.Kafka = None,
    redis: options.Redis = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Replay an order history: into Kafka with its own times, or --offline.

    Where the workers' policy follows the population, name it: the replay waits for them at each
    census, and sends the cuts.

    The CSV has the header customer_id,order_id,kind,occurred_at,amount,currency and perhaps
    cost,category; kind is paid, refunded or cancelled, amounts are decimals.
    """
    settings = options.settings_from(kafka, redis, namespace, policy)
    as_of_ms = options.instant_from(as_of)
    if offline and speed is not None:
        raise CommandError("--speed: not allowed with --offline, which knows no waiting")
    needed = offline or export is not None or settings.policy
    plan = options.plan_from(settings) if needed else None
    log = load_log(source, as_of_ms, controls=True)
    if offline and plan is not None:
        _offline(log, plan, as_of_ms, export, as_json=as_json)
        return
    if plan is not None and _takes_censuses(log, plan, as_of_ms):
        with opened(settings, timeout) as (store, known):
            coordinator = Coordinator(known, store, plan, timeout)
            sent = loop.run(_live(known, log, as_of_ms, speed, coordinator))
    else:
        sent = loop.run(_live(settings, log, as_of_ms, speed))
    _show_sent(sent, source, settings, as_json=as_json and export is None)
    if export is not None and plan is not None:
        export_live(settings, plan, export, sent.as_of_ms, timeout, as_json=as_json)


def _takes_censuses(log: Sequence[LogRecord], plan: Plan, as_of_ms: int | None) -> bool:
    until_ms = log[-1].record_ms if as_of_ms is None else as_of_ms
    return any(section.census for section in sections(log, plan, until_ms))


class _Progress(Watcher):
    """Moves a progress bar."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance

    def after(self, records: int, clock_ms: int) -> None:
        """See `Watcher.after`."""
        del clock_ms
        self._advance(records)


async def _live(
    settings: Settings,
    log: Sequence[LogRecord],
    as_of_ms: int | None,
    speed: float | None,
    coordinator: Coordinator | None = None,
) -> Sent:
    with show.progress_bar() as bar:
        task = bar.add_task(f"to {settings.kafka}", total=len(log))
        return await replay_live(
            settings,
            log,
            as_of_ms=as_of_ms,
            speed=speed,
            watcher=_Progress(lambda sent: bar.advance(task, sent)),
            coordinator=coordinator,
        )


def _show_sent(sent: Sent, source: str, settings: Settings, *, as_json: bool) -> None:
    rate = round(sent.records / sent.seconds) if sent.seconds else 0
    if as_json:
        show.print_json(
            {
                "source": source,
                "records": sent.records,
                "clock_records": sent.clock_records,
                "as_of": format_instant(sent.as_of_ms),
                "seconds": round(sent.seconds, 3),
                "records_per_second": rate,
            }
        )
        return
    show.err.print(
        f"{source}: {sent.records:,} records in {settings.kafka} after {sent.seconds:.1f} s "
        f"({rate:,}/s); time has come to {show.instant(sent.as_of_ms)}"
    )


def _offline(
    log: Sequence[LogRecord],
    plan: Plan,
    as_of_ms: int | None,
    export: Path | None,
    *,
    as_json: bool,
) -> None:
    started = time.perf_counter()
    with show.progress_bar() as bar:
        task = bar.add_task("offline", total=len(log))
        result = replay_offline(
            log, plan, as_of_ms=as_of_ms, progress=lambda done: bar.advance(task, done)
        )
    seconds = time.perf_counter() - started
    if export is not None:
        write_export(
            export,
            result.plan,
            result.as_of_ms,
            result.states,
            result.changes,
            result.forecasts,
        )
    tiers = customers_by_tier(result.states, result.plan)
    causes = changes_by_cause(map(read_note, result.changes))
    if as_json:
        show.print_json(
            {
                "as_of": format_instant(result.as_of_ms),
                "records": result.records,
                "applied": result.applied,
                "repeated": result.repeated,
                "ignored": result.ignored,
                "refused": Counter(refused.reason for refused in result.refused),
                "customers": len(result.states),
                "changes": len(result.changes),
                "customers_by_tier": tiers,
                "changes_by_cause": causes,
                "seconds": round(seconds, 3),
                "export": None if export is None else str(export),
            }
        )
        return
    show.out.print(tiers_table(tiers))
    show.out.print(causes_table(causes))
    _tell_offline(result, seconds, export)


def _tell_offline(result: OfflineResult, seconds: float, export: Path | None) -> None:
    show.out.print(
        f"{result.records:,} records of {len(result.states):,} customers up to "
        f"{show.instant(result.as_of_ms)} in {seconds:.1f} s "
        f"({result.records / max(seconds, 1e-9):,.0f}/s): {len(result.changes):,} tier changes"
    )
    if result.repeated:
        show.out.print(f"{result.repeated:,} repeated records were dropped")
    if result.refused:
        _tell_refused(result.refused)
    if export is not None:
        show.out.print(f"written to {export}", markup=False)


def _tell_refused(refused: Sequence[Refused]) -> None:
    """Show how many records were refused for each reason, and who was the first."""
    show.out.print(f"[yellow]{len(refused):,} records were refused[/]:")
    firsts: dict[tuple[str, str], str] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for record, reason, detail in refused:
        firsts.setdefault((reason, detail), record.key.decode())
        counts[reason, detail] += 1
    for (reason, detail), count in counts.most_common(_REFUSED_SHOWN):
        first = firsts[reason, detail]
        show.out.print(
            f"  {count:,} {reason}: {detail}; first: customer {first}", markup=False, soft_wrap=True
        )
