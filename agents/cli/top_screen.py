"""How `tierstream top` looks: one screen of tables, drawn anew each time."""

from collections.abc import Mapping
from typing import Any

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agents.cli import show
from agents.cli.top_figures import order_of

_BAR = 24
_MB = 1_000_000
_LATE_S = {"scoring": 5.0, "publishing": 10.0, "deadlines": 5.0}
_WORDS = {
    "scoring": "record to effect",
    "publishing": "change to publication",
    "deadlines": "deadline to effect",
}


def screen(figures: Mapping[str, Any], silent: Mapping[str, str]) -> RenderableType:
    """Return the whole screen; *silent* are workers that do not answer, and what they say."""
    return Group(
        _head(figures, silent),
        Columns([_flow(figures), _latency(figures), _stages(figures)], padding=(0, 3)),
        Columns([_tiers(g, tiers) for g, tiers in figures["tiers"].items()], padding=(0, 3)),
        _workers(figures["workers"], silent),
    )


def _head(figures: Mapping[str, Any], silent: Mapping[str, str]) -> Text:
    buckets, troubles = figures["buckets"], figures["troubles"]
    line = Text()
    line.append(f"{len(figures['workers'])} workers", style="bold")
    if silent:
        line.append(f", {len(silent)} silent", style="bold red")
    line.append("  ·  ")
    whole = buckets["owned"] == buckets["of"]
    line.append(f"{buckets['owned']} of {buckets['of']} buckets", style="" if whole else "bold red")
    line.append(f"  ·  {figures['customers']:,} customers")
    if figures["uncounted_buckets"]:
        line.append(" and counting", style="dim")
    for name, count in {
        "partitions halted": figures["halted_partitions"],
        "chains broken": figures["broken_chains"],
        "buckets on the way to a new edition": figures["sweep_remaining_buckets"],
        "dead letters": troubles["dead_letters"],
        "records deleted unread": troubles["input_gap_records"],
        "stalls": troubles["stalls"],
    }.items():
        if count:
            line.append("  ·  ")
            line.append(f"{count:,} {name}", style="yellow")
    return line


def _flow(figures: Mapping[str, Any]) -> Table:
    rates = figures["rates"]
    made = show.table("Flow", "", "per second", right=("per second",))
    made.add_row("records in", f"{rates['records']:,.0f}")
    made.add_row("tier changes", f"{rates['tier_changes']:,.1f}")
    made.add_row("published", f"{rates['published']:,.1f}")
    made.add_section()
    for topic, lag in figures["lag_records"].items():
        if lag or topic == "orders":
            made.add_row(f"lag of {topic}", f"{lag:,}")
    made.add_row("outbox rows", f"{figures['outbox_rows']:,}")
    made.add_row("time is behind", f"{figures['clock_age_s']:.1f} s")
    return made


def _latency(figures: Mapping[str, Any]) -> Table:
    made = show.table("Latency", "", "half", "99%", right=("half", "99%"))
    for name, quantiles in figures["latency_s"].items():
        late = (quantiles["p99"] or 0) > _LATE_S[name]
        made.add_row(
            _WORDS[name], *map(_duration, quantiles.values()), style="red" if late else None
        )
    return made


def _stages(figures: Mapping[str, Any]) -> Table:
    made = show.table("Stages", "", "busy", "", right=("busy",))
    workers = max(len(figures["workers"]), 1)
    for stage, busy in figures["stages"].items():
        made.add_row(stage, f"{busy / workers:.0%}", _bar(busy / workers))
    return made


def _tiers(grading: str, tiers: Mapping[str, int]) -> Table:
    made = show.table(grading, "", "customers", "", right=("customers",))
    total = max(sum(tiers.values()), 1)
    for tier in order_of(tiers):
        made.add_row(show.escaped(tier), f"{tiers[tier]:,}", _bar(tiers[tier] / total))
    return made


def _workers(workers: Mapping[str, Any], silent: Mapping[str, str]) -> Table:
    right = ("buckets", "records", "memory")
    made = show.table("Workers", "address", "role", *right, "policy", "state", right=right)
    for url, one in workers.items():
        good = one["ready"] and one["redis"]
        state = "ready" if good else "waiting" if one["redis"] else "no Redis"
        made.add_row(
            url,
            one["role"],
            f"{one['buckets']:,}",
            f"{one['records']:,}",
            f"{one['memory_bytes'] / _MB:,.0f} MB",
            show.escaped(", ".join(one["policies"])),
            Text(state, style="green" if good else "bold red"),
        )
    for url, why in silent.items():
        made.add_row(url, "", "", "", "", "", Text(why, style="bold red"))
    return made


def _bar(share: float) -> Text:
    full = round(min(max(share, 0.0), 1.0) * _BAR)
    return Text("█" * full, style="cyan") + Text("░" * (_BAR - full), style="dim")


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1000:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"
