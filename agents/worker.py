"""One worker process: settings from the environment, a role, and Faust's worker around the app."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import threading
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import structlog
from faust import Worker

from agents import garbage
from agents.app import create_app, open_store
from agents.logs import configure_logging
from agents.preflight import await_kafka, check_store
from agents.reach import RefusedError
from agents.settings import Role, SettingsError, from_environment
from schemas.policy import PolicyFileError, load_policy
from stream.editions import first_edition
from stream.store import StoreMismatch

if TYPE_CHECKING:
    from agents.app import TierstreamApp
    from agents.settings import Settings

log = structlog.get_logger(__name__)

EXIT_UNFINISHED = 75  # EX_TEMPFAIL of sysexits.h


class PunctualWorker(Worker):
    """Faust's worker, which ends in time also where what it takes leave of does not answer.

    Faust and aiokafka ask a broker that is away again and again, also when they are to stop.
    """

    def __init__(self, app: TierstreamApp, within_ms: int) -> None:
        """Run *app*; end at the latest *within_ms* after being told to."""
        super().__init__(app, quiet=True, redirect_stdouts=False, override_logging=False)
        self.spinner = None  # it moves the cursor, terminal or not
        self._limit = threading.Timer(within_ms / 1000, _end)
        self._limit.daemon = True

    async def stop(self) -> None:
        """Stop in order, against time."""
        if not self._limit.ident:
            self._limit.start()
        await super().stop()


def _end() -> None:
    log.error("ended_unfinished", why="somebody did not answer; what was not written is done again")
    os._exit(EXIT_UNFINISHED)


def run_worker(settings: Settings, role: Role) -> None:
    """Run until a signal ends it; does not return (Faust exits the process).

    Raises:
        PolicyFileError: The policy cannot be used.
        RefusedError: Kafka refuses us, or we do not trust it.
        SettingsError: The topics do not fit.
        StoreMismatch: Redis refuses us, or is another installation's.
    """
    first = None
    if role not in {"delivery", "webhooks"}:
        document = load_policy(settings.policy)
        first = first_edition(document)
        settings = replace(settings, alerts=settings.alerts and document.routes is not None)
    with closing(open_store(settings)) as store:
        check_store(store, settings.buckets, role)
    asyncio.run(await_kafka(settings, role))
    asyncio.set_event_loop(asyncio.new_event_loop())  # Faust takes the one that is set
    app = create_app(settings, role, first)
    garbage.begin()
    PunctualWorker(app, settings.stop_within_ms).execute_from_commandline()


def main() -> None:
    """Run one worker by ``TIERSTREAM_*`` variables."""
    parser = argparse.ArgumentParser(prog="python -m agents.worker", description=__doc__)
    parser.add_argument("--role", choices=get_args(Role), default="all")
    parser.add_argument("--log-json", action="store_true", help="log as JSON lines")
    arguments = parser.parse_args()
    try:
        settings = from_environment()
        configure_logging(as_json=arguments.log_json or settings.logs == "json")
        run_worker(settings, arguments.role)
    except (PolicyFileError, RefusedError, SettingsError, StoreMismatch) as exc:
        sys.exit(str(exc))


if __name__ == "__main__":
    main()
