"""How everything that is logged looks, our own events and those of libraries: one line for each."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from structlog.typing import Processor


def configure_logging(*, as_json: bool) -> None:
    """Write structured events to standard error: JSON, or for people.

    Libraries log through `logging`: their warnings come out in the same form, with the name of
    the logger. What is no log is not touched: the stacks that the watchdog dumps, and the one
    line that tells why a worker could not start.
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
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
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
