"""`tierstream fit cltv`: the parameters of customer lifetime value, from an order history."""

import time
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from agents.cli import options, show
from agents.cli.errors import CommandError
from agents.replay.purchases import counting_policy, currency_of, orders_of, purchases_in
from agents.replay.source import load_log
from schemas.policy import PolicyDocument, load_policy
from stream.calendar import format_instant
from stream.cltv.fit import PurchaseFit, SpendFit, fit_purchases, fit_spend
from stream.cltv.purchases import Purchases

_WRITTEN_PLACES = 6
_SMALL = 0.01
_SMALL_PLACES = 9


class TimeUnit(StrEnum):
    """The unit of time of alpha."""

    DAYS = "days"
    WEEKS = "weeks"


_DAYS = {TimeUnit.DAYS: 1, TimeUnit.WEEKS: 7}


def fit_cltv(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE|DATASET",
            help="A .csv of orders, .jsonl of wire events, or a data set: cdnow, cdnow-sample.",
            show_default=False,
        ),
    ],
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="INSTANT",
            help="End of the calibration period: RFC 3339, or a date for its midnight; "
            "without it, the last record.",
        ),
    ] = None,
    time_unit: Annotated[
        TimeUnit, typer.Option("--time-unit", help="The unit of time of alpha.")
    ] = TimeUnit.WEEKS,
    one_in: Annotated[
        int,
        typer.Option(
            "--one-in", metavar="N", min=1, help="Only one customer in N, always the same ones."
        ),
    ] = 1,
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy",
            metavar="FILE",
            help="Time zone, currencies and refund days; without it, UTC and the log's currency.",
        ),
    ] = None,
    horizon: Annotated[
        int, typer.Option(metavar="DAYS", min=1, max=36_500, help="Of the measure that is shown.")
    ] = 365,
    as_json: options.Json = False,
) -> None:
    """Estimate BG/NBD and Gamma-Gamma by maximum likelihood; print a measure to paste."""
    started = time.perf_counter()
    as_of_ms = options.instant_from(as_of)
    log = orders_of(load_log(source, as_of_ms), source, one_in)
    as_of_ms = log[-1].record_ms if as_of_ms is None else as_of_ms
    document = _document(policy, currency_of(log))
    with show.progress_bar() as bar:
        task = bar.add_task("purchases", total=len(log))
        seen, refused = purchases_in(log, document, as_of_ms, lambda n: bar.advance(task, n))
        search = bar.add_task("likelihood", total=None)
        often = fit_purchases(seen, _DAYS[time_unit], lambda _: bar.advance(search))
        much = fit_spend(seen, 10**document.exponent, lambda _: bar.advance(search))
    measure = _measure(often, much, time_unit, horizon)
    if as_json:
        show.print_json(
            {
                "source": source,
                "as_of": format_instant(as_of_ms),
                "currency": document.currency,
                "time_unit": time_unit,
                "refused": refused,
                "purchases": _numbers(often),
                "spend": _numbers(much),
                "measure": measure,
                "seconds": round(time.perf_counter() - started, 3),
            }
        )
        return
    _tell(seen, often, much, document.currency)
    show.out.print(f"{source} up to {show.instant(as_of_ms)}; as a measure of a policy:\n")
    show.out.print(_yaml(measure), markup=False, soft_wrap=True)
    if refused:
        show.err.print(f"[yellow]{refused:,} records were refused[/], as in a replay --offline")


def _document(policy: Path | None, currency: str | None) -> PolicyDocument:
    if policy is not None:
        return load_policy(policy)
    if currency is None:
        raise CommandError("the log has no order with a currency; allowed: at least one paid order")
    return counting_policy(currency)


def _numbers(fit: PurchaseFit | SpendFit) -> dict[str, Any]:
    found = asdict(fit)
    return {**found.pop("model"), **found}


def _measure(
    often: PurchaseFit, much: SpendFit, time_unit: TimeUnit, horizon: int
) -> dict[str, Any]:
    """Return the measure as a policy writes it."""
    purchases = {name: _written(value) for name, value in asdict(often.model).items()}
    return {
        "cltv": "bgnbd_gamma_gamma",
        "purchases": {**purchases, "time_unit": str(time_unit)},
        "spend": {name: _written(value) for name, value in asdict(much.model).items()},
        "horizon": f"{horizon}d",
    }


def _written(value: float) -> str:
    places = _SMALL_PLACES if value < _SMALL else _WRITTEN_PLACES
    return f"{value:.{places}f}"


def _yaml(measure: dict[str, Any]) -> str:
    """Return the measure as YAML, one line for each model.

    >>> print(_yaml({"cltv": "m", "spend": {"p": "6.25"}, "horizon": "365d"}))
    measures:
      lifetime_value:
        cltv: m
        spend: {p: "6.25"}
        horizon: 365d
    """
    lines = ["measures:", "  lifetime_value:"]
    for key, value in measure.items():
        if isinstance(value, dict):
            inside = ", ".join(
                f'{name}: "{text}"' if text[0].isdigit() else f"{name}: {text}"
                for name, text in value.items()
            )
            value = "{" + inside + "}"  # noqa: PLW2901 - the same value, as it is written
        lines.append(f"    {key}: {value}")
    return "\n".join(lines)


def _tell(seen: list[Purchases], often: PurchaseFit, much: SpendFit, currency: str) -> None:
    table = show.table("", "model", "parameter", "value", right=("value",))
    for name, fit in (("BG/NBD: how often", often), ("Gamma-Gamma: how much", much)):
        for key, value in asdict(fit.model).items():
            table.add_row(name, key, f"{value:,.3f}")
            name = ""  # noqa: PLW2901 - said once
        table.add_row("", "log-likelihood", f"{fit.log_likelihood:,.1f}")
        table.add_row("", "customers", f"{fit.customers:,}", end_section=True)
    show.out.print(table)
    show.out.print(
        f"{len(seen):,} customers, {often.repeating:,} of them with a repeat purchase; "
        f"a purchase is worth {much.model.mean:,.2f} {currency} on average over customers"
    )
