"""One worker process: settings from the environment, a role, and Faust's worker around the app."""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

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
    from agents.settings import Settings


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
    worker = Worker(app, quiet=True, redirect_stdouts=False, override_logging=False)
    worker.spinner = None  # it moves the cursor, terminal or not
    worker.execute_from_commandline()


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
