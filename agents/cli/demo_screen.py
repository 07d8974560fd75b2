"""What the demo shows while it runs: a line per tier change, and progress."""

import time
from types import TracebackType
from typing import Any, Self

import msgspec
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from agents.cli import show
from agents.cli.sentences import sentence
from schemas.base import instant_ms, parse_instant
from stream.plan import Plan

_COLOURS = {"up": "green", "down": "red", "first": "cyan", "lateral": "yellow"}
_SIGNS = {"up": "▲", "down": "▼", "first": "•", "lateral": "◆"}
_PLAIN_EVERY_S = 5.0

_decode = msgspec.json.Decoder()


class Screen:
    """Lines on standard output; below them, on a terminal, a bar that moves.

    Args:
        plan: The policy.
        records: Length of the log.
    """

    def __init__(self, plan: Plan, records: int) -> None:
        self._currency = plan.converter.reporting
        self._records = records
        self._said_s = time.monotonic()
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,} of {task.total:,} records"),
            TimeElapsedColumn(),
            console=show.out,
            transient=True,
            disable=not show.out.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=records)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def change(self, value: bytes) -> None:
        """Show one tier change: when, who, from, to, why."""
        change: dict[str, Any] = _decode.decode(value)
        way = change["direction"]
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(show.instant(instant_ms(parse_instant(change["instant"]))), style="dim")
        line.append(f"  {change['customer_id']}  ", style="bold")
        line.append(f"{_SIGNS[way]} {change['grading']:<8}", style=_COLOURS[way])
        line.append(f"{change['from'] or '-'} → {change['to'] or '-'}", style=_COLOURS[way])
        line.append(f"  {sentence(change, self._currency)}")
        show.out.print(line, soft_wrap=not show.out.is_terminal)

    def progress(self, sent: int, clock_ms: int) -> None:
        """Show how much has been sent, and how far time has come."""
        self._bar.update(self._task, completed=sent, description=show.instant(clock_ms)[:10])
        if sent < self._records:
            self._plainly(f"... {sent:,} of {self._records:,} records sent")

    def waiting(self, text: str) -> None:
        """Show what the end of the run still waits for."""
        self._bar.update(self._task, description=f"waiting for {text}")
        self._plainly(f"... waiting for {text}")

    def _plainly(self, text: str) -> None:
        """Where there is no terminal, say so in a line now and then."""
        if not show.out.is_terminal and time.monotonic() - self._said_s > _PLAIN_EVERY_S:
            self._said_s = time.monotonic()
            show.out.print(text, markup=False, soft_wrap=True)
