"""How everything that is logged looks, our own events and those of libraries: one line for each."""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from structlog.typing import Processor

AGAIN_AFTER_S: Final = 10.0
_REMEMBERED = 1_000


class Repeats(logging.Filter):
    """Lets a library say the same thing once in ten seconds, with how often it was left out.

    aiokafka speaks of a broker that is away some two hundred times a second.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with nothing said; *clock* gives seconds."""
        super().__init__()
        self._clock = clock
        self._said: dict[tuple[str, int, str, object], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a record is logged; its ``repeated`` tells how many were left out."""
        error = record.exc_info[0] if record.exc_info else None
        what = record.name, record.levelno, record.getMessage(), error
        now_s = self._clock()
        again_s, left_out = self._said.get(what, (now_s, 0))
        if now_s < again_s:
            self._said[what] = again_s, left_out + 1
            return False
        if len(self._said) >= _REMEMBERED:
            self._said.clear()
        self._said[what] = now_s + AGAIN_AFTER_S, 0
        if left_out:
            record.repeated = left_out
        return True


def configure_logging(*, as_json: bool) -> None:
    """Write structured events to standard error: JSON, or for people.

    Libraries log through `logging`: their warnings come out in the same form, with the name of
    the logger, and not more often than is of use (`Repeats`). What is no log is not touched: the
    stacks that the watchdog dumps, and the one line that tells why a worker could not start.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last = _json() if as_json else _console()
    structlog.configure(
        processors=[*shared, *last],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Repeats())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder({"repeated"}),
                *shared,
            ],
            processors=[_without_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


def _json() -> list[Processor]:
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


def _console() -> list[Processor]:
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The default shows local variables, passwords among them.
            exception_formatter=structlog.dev.plain_traceback,
        )
    ]


def _without_meta(
    logger: Any,  # noqa: ANN401 - structlog's own
    name: str,
    event: MutableMapping[str, Any],
) -> MutableMapping[str, Any]:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(logger, name, event)
