"""From trials to a table: medians, ratios inside each round, and the targets. Runs nothing."""

from __future__ import annotations

import platform
from dataclasses import asdict
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.bench.trial import Trial
    from tests.bench.workload import Workload

TITLES = {
    "drain": "aiokafka getmany, nothing done (the drain)",
    "parse": "the same, JSON parsed (msgspec)",
    "faust-each": "Faust agent, tuned, nothing done: async for",
    "faust-take": "Faust agent, tuned, nothing done: take",
    "tierstream": "tierstream, fetch to commit and publish",
}
_OURS = "tierstream"
_FAUST = ("faust-each", "faust-take")


class Target(NamedTuple):
    """One figure that is wanted.

    Attributes:
        text: What it is.
        value: Median over the rounds; None where nothing was measured.
        limit: What it may be at most, or must be at least.
        at_least: Which of the two.
    """

    text: str
    value: float | None
    limit: float
    at_least: bool

    @property
    def met(self) -> bool | None:
        """Whether it is; None where nothing was measured."""
        if self.value is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit


class Report:
    """All trials of a run."""

    def __init__(self, broker: str, workload: Workload, value_bytes: int) -> None:
        self._broker = broker
        self._workload = workload
        self._value_bytes = value_bytes / (workload.events + workload.warmup)
        self._rounds: dict[int, dict[str, Trial]] = {}
        self._console = Console(width=None if Console().is_terminal else 140)

    def add(self, number: int, name: str, trial: Trial) -> None:
        """Take in one trial and say so."""
        self._rounds.setdefault(number, {})[name] = trial
        self._console.print(
            f"round {number + 1}  {name:<11} {trial.rate:>9,.0f} events/s  "
            f"{trial.cpu_us:6.2f} CPU µs/event  steal {trial.steal:.0%}  "
            f"other processes {trial.others:.0%}",
            highlight=False,
        )

    def best_of(self, names: Sequence[str]) -> list[str]:
        """Return the fastest of *names*, as a list of one (or none)."""
        known = [name for name in names if self._trials(name)]
        return sorted(known, key=lambda name: -median(t.rate for t in self._trials(name)))[:1]

    def ratios(self, name: str, to: str) -> list[float]:
        """Return rate by rate of the same round."""
        both = [r for r in self._rounds.values() if name in r and to in r]
        return [r[name].rate / r[to].rate for r in both]

    def targets(self) -> list[Target]:
        """Return what is wanted of tierstream, with what it reached."""
        faust = [r for best in self.best_of(_FAUST) for r in self.ratios(_OURS, best)]
        return [
            Target("share of the drain", _median(self.ratios(_OURS, "drain")), 0.33, at_least=True),
            Target(
                "CPU µs/event", _median(t.cpu_us for t in self._trials(_OURS)), 10, at_least=False
            ),
            Target("times the tuned Faust agent", _median(faust), 10, at_least=True),
        ]

    def show(self) -> None:
        """Print everything."""
        work = self._workload
        self._console.print(
            f"\n{len(self._rounds)} rounds on {platform.machine()}, Python "
            f"{platform.python_version()}, broker {self._broker}; {work.events:,} records of "
            f"{self._value_bytes:.0f} bytes after {work.warmup:,} of warm-up, "
            f"{work.customers:,} customers (Zipf), one day. Median [min..max] over the rounds.",
            highlight=False,
        )
        self._console.print(self._table())
        if self._trials(_OURS):
            self._console.print(self._stages())
            self._say_memory()
        for target in self.targets():
            if target.value is not None:
                sign = "at least" if target.at_least else "at most"
                mark = "[green]met[/]" if target.met else "[red]missed[/]"
                self._console.print(
                    f"{mark}: {target.text} {target.value:.2f} (target: {sign} {target.limit:g})",
                    highlight=False,
                )

    def encode(self) -> bytes:
        """Return every figure as JSON."""
        return msgspec.json.format(
            msgspec.json.encode(
                {
                    "broker": self._broker,
                    "workload": asdict(self._workload),
                    "rounds": [
                        {name: _figures(trial) for name, trial in trials.items()}
                        for trials in self._rounds.values()
                    ],
                    "targets": [{**t._asdict(), "met": t.met} for t in self.targets()],
                }
            )
        )

    def _trials(self, name: str) -> list[Trial]:
        return [trials[name] for trials in self._rounds.values() if name in trials]

    def _table(self) -> Table:
        table = Table()
        table.add_column("one process each")
        for title in ("events/s", "CPU µs/event", "share of the drain", "steal", "others"):
            table.add_column(title, justify="right")
        table.add_column("Redis µs", justify="right")
        table.add_column("broker µs", justify="right")
        for name, title in TITLES.items():
            trials = self._trials(name)
            if trials:
                table.add_row(
                    title,
                    _spread((t.rate / 1_000 for t in trials), "{:.1f}", "k"),
                    _spread((t.cpu_us for t in trials), "{:.2f}"),
                    _spread(self.ratios(name, "drain"), "{:.3f}"),
                    _spread((t.steal * 100 for t in trials), "{:.0f}", "%"),
                    _spread((t.others * 100 for t in trials), "{:.0f}", "%"),
                    _per_event(trials, lambda t: t.redis_cpu_s),
                    _per_event(trials, lambda t: t.broker_cpu_s),
                )
        return table

    def _stages(self) -> Table:
        trials = self._trials(_OURS)
        table = Table(title="tierstream: where the wall-clock time goes, µs/event")
        names = list(trials[0].stages_s)
        for name in (*names, "rest of the loop", "publishing after", "sum"):
            table.add_column(name, justify="right")
        rest = [t.committed_s - sum(t.stages_s.values()) for t in trials]
        after = [t.wall_s - t.committed_s for t in trials]
        per_event = [t.events / 1e6 for t in trials]
        columns = [
            *([t.stages_s[name] for t in trials] for name in names),
            rest,
            after,
            [t.wall_s for t in trials],
        ]
        table.add_row(
            *(
                f"{median(s / n for s, n in zip(column, per_event, strict=True)):.2f}"
                for column in columns
            )
        )
        table.caption = (
            f"CPU: event loop {_per_event(trials, lambda t: t.main_cpu_s)}, other threads "
            f"{_per_event(trials, lambda t: t.cpu_s - t.main_cpu_s)} µs/event; "
            f"{median(t.changes for t in trials):,.0f} tier changes, "
            f"{median(t.published for t in trials):,.0f} records published"
        )
        return table

    def _say_memory(self) -> None:
        last = self._trials(_OURS)[-1]
        per = {k: b / last.customers for k, b in sorted(last.redis_bytes.items()) if b}
        orders = self._workload.events + self._workload.warmup
        self._console.print(
            f"Redis: {last.used_memory / last.customers:,.0f} bytes per customer "
            f"({orders / last.customers:.0f} orders each), of these "
            + ", ".join(f"{kind} {size:,.0f}" for kind, size in per.items())
            + f"; the ledger is {last.redis_bytes.get('orders', 0) / orders:.0f} bytes per order",
            highlight=False,
        )


def targets_met(report: Report) -> bool:
    """Tell whether every target was measured and met."""
    return all(target.met for target in report.targets())


def _figures(trial: Trial) -> dict[str, object]:
    known: dict[str, object] = msgspec.to_builtins(trial)
    return known | {"rate": trial.rate, "cpu_us": trial.cpu_us}


def _median(values: Iterable[float]) -> float | None:
    known = list(values)
    return median(known) if known else None


def _spread(values: Iterable[float], form: str, unit: str = "") -> str:
    """Return ``median [min..max]``, or one figure where there is one value."""
    known = list(values)
    if not known:
        return ""
    low, middle, high = (form.format(v) for v in (min(known), median(known), max(known)))
    return f"{middle}{unit}" if len(known) == 1 else f"{middle}{unit} [{low}..{high}]"


def _per_event(trials: Iterable[Trial], spent_s: Callable[[Trial], float]) -> str:
    return f"{median(spent_s(t) / t.events * 1e6 for t in trials):.2f}"
