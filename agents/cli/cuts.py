"""`tierstream policy cuts`: what the population says a policy's relative levels are."""

import json
from decimal import Decimal
from typing import Annotated

import typer

from agents.cli import options, show
from agents.cli.errors import CommandError
from agents.replay.snapshots import snapshots
from agents.replay.source import load_log
from schemas.policy import PolicyDocument
from stream.calendar import format_instant
from stream.population.census import census

Log = Annotated[
    str,
    typer.Argument(
        metavar="FILE|DATASET",
        help="A .csv of orders, .jsonl of wire events, or a data set: cdnow, cdnow-sample.",
        show_default=False,
    ),
]


def cuts(
    source: Log,
    policy: options.Policy = None,
    as_of: options.AsOf = None,
    as_json: options.Json = False,
) -> None:
    """Print the population section that freezes the cuts of a policy as they are in a log.

    Means, medians, quantiles and Pareto levels over all customers of the log, exact; cuts that
    the policy freezes already are worked out anew.
    """
    document = options.policy_from(options.settings_from(policy=policy))
    if not document.relative_cuts():
        raise CommandError(f"{document.policy}: no grading of this policy is relative to others")
    as_of_ms = options.instant_from(as_of)
    log = load_log(source, as_of_ms)
    now_ms = log[-1].record_ms if as_of_ms is None else as_of_ms
    with show.progress_bar() as bar:
        task = bar.add_task("census", total=len(log))
        customers = snapshots(log, document, now_ms, lambda done: bar.advance(task, done))
    found = census(document, [customer.values for customer in customers])
    if as_json:
        show.print_json(
            {
                "policy": document.policy,
                "version": document.version,
                "as_of": format_instant(now_ms),
                "customers": len(customers),
                "cuts": found,
            }
        )
        return
    typer.echo(f"# {len(customers):,} customers of {source} as of {show.instant(now_ms)}")
    typer.echo("population:\n  frozen:")
    for name, levels in found.items():
        # The value of a segment may be any text.
        key = json.dumps(name, ensure_ascii=False) if "[" in name else name
        typer.echo(f"    {key}: [{', '.join(_written(document, name, x) for x in levels)}]")


def _written(document: PolicyDocument, cut: str, level: int) -> str:
    """Return a level as the author of the policy would write it: money in major units."""
    if document.unit_of(document.relative_cuts()[cut].measure) != "money":
        return str(level)
    return f"{Decimal(level).scaleb(-document.exponent):f}"
