"""`tierstream policy simulate`: what a new policy would have done to a real history."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from agents.cli import options, show
from agents.cli.errors import CommandError
from agents.cli.simulation_tables import tell
from agents.replay.log import LogRecord
from agents.replay.snapshots import snapshots
from agents.replay.source import load_log
from agents.report.page import page
from agents.report.payload import payload
from agents.simulation.run import Simulated, simulate
from agents.simulation.shard import Job
from schemas.policy import PolicyDocument, load_policy
from stream.population.census import census
from stream.simulation.comparison import Rules


def simulate_policies(  # noqa: PLR0913, PLR0917 - these are the options of a command
    new: Annotated[
        Path, typer.Argument(metavar="NEW", help="The new policy, YAML.", show_default=False)
    ],
    against: Annotated[
        Path, typer.Option("--against", metavar="OLD", help="The policy it would replace, YAML.")
    ],
    on: Annotated[
        str,
        typer.Option(
            "--on",
            metavar="FILE|DATASET",
            help="A .csv of orders, .jsonl of wire events, or a data set: cdnow, cdnow-sample.",
        ),
    ],
    as_of: options.AsOf = None,
    grading: Annotated[
        str | None, typer.Option("--grading", metavar="NAME", help="Tell of this grading only.")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page with pictures, in one file."),
    ] = None,
    top: Annotated[
        int, typer.Option(metavar="N", min=0, max=1000, help="Customers named in each list.")
    ] = 20,
    flapping: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, help="More changes back and forth than this are too many."
        ),
    ] = 3,
    revenue_days: Annotated[
        int,
        typer.Option(metavar="DAYS", min=1, max=3660, help="Revenue is that of so many last days."),
    ] = 365,
    as_json: options.Json = False,
) -> None:
    """Simulate a NEW policy against an OLD one on a real history, offline.

    Who would stand where, who moves and why, what revenue is at stake, how often tiers change
    under each, and what it means for every account manager.
    """
    old, policy = load_policy(against), load_policy(new)
    as_of_ms = options.instant_from(as_of)
    log = load_log(on, as_of_ms)
    rules = Rules(log[-1].record_ms if as_of_ms is None else as_of_ms, top, flapping, revenue_days)
    _check_names(old, policy, grading)
    started = time.perf_counter()
    job = Job(
        old, policy, rules, (_cuts(old, log, rules.as_of_ms), _cuts(policy, log, rules.as_of_ms))
    )
    with show.progress_bar() as bar:
        task = bar.add_task("two policies", total=len(log))
        found = simulate(log, job, progress=lambda done: bar.advance(task, done))
    seconds = time.perf_counter() - started
    told = [c for c in found.comparisons if grading in {None, c.name}]
    if html is not None:
        _write(html, page(found, told, on))
    if as_json:
        show.print_json(payload(found, told) | {"seconds": round(seconds, 3)})
        return
    tell(found, told)
    _tell_cost(found, seconds, html)


def _cuts(
    document: PolicyDocument, log: Sequence[LogRecord], as_of_ms: int
) -> Mapping[str, tuple[int, ...]]:
    """Return what the population sets at the end, where *document* leaves that open."""
    if not document.open_cuts():
        return {}
    with show.progress_bar() as bar:
        task = bar.add_task(f"census for {document.policy}", total=len(log))
        customers = snapshots(log, document, as_of_ms, lambda done: bar.advance(task, done))
    return census(document, [customer.values for customer in customers])


def _check_names(old: PolicyDocument, new: PolicyDocument, grading: str | None) -> None:
    """Raise `CommandError` where there is nothing to compare."""
    both = [name for name in new.gradings if name in old.gradings]
    if not both:
        raise CommandError(
            "--against: no grading has the same name in both policies; "
            f"old: {', '.join(old.gradings)}; new: {', '.join(new.gradings)}"
        )
    if grading is not None and grading not in both:
        raise CommandError(
            f"--grading: {grading!r} is not allowed; allowed: {', '.join(both)}"
            " (the gradings that both policies have)"
        )


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as exc:
        said = (exc.strerror or "not writable").lower()
        raise CommandError(f"--html: {file}: {said}; allowed: a file that can be written") from exc


def _tell_cost(found: Simulated, seconds: float, html: Path | None) -> None:
    rate = 2 * found.records / max(seconds, 1e-9)
    by = "one process" if found.processes == 1 else f"{found.processes} processes"
    show.out.print(
        f"[dim]{found.records:,} records under two policies in {seconds:.1f} s "
        f"by {by} ({rate:,.0f}/s)[/]"
    )
    if html is not None:
        show.out.print(f"written to {html}", markup=False)
