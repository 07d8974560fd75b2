"""The life of one local server process: port, data, log, readiness, end. Knows no protocol."""

from __future__ import annotations

import abc
import asyncio
import contextlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from agents.embedded.interrupts import held

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType

HOST = "127.0.0.1"
GUARD = Path(__file__).with_name("guard.py")
POLL_S = 0.02
PORT_TRIES = 5
STOP_WITHIN_S = 10.0


class EmbeddedServerError(Exception):
    """A server could not be found, started or kept running.

    The message is one line for people: what failed and what to do about it.
    """


class _EndedAtOnceError(EmbeddedServerError):
    """It ended before it answered; perhaps its port was taken, so another may help."""


def free_port(taken: Collection[int] = ()) -> int:
    """Return a loopback port that nobody listens on at this moment, and not in *taken*.

    Chosen below the range from which systems take the source ports of outgoing connections
    (32768 and up on Linux, 49152 and up on macOS): a client that keeps reconnecting while its
    server restarts can otherwise be given the server's own port and connect to itself.

    Another process may take the port before it is used; callers try again.
    """
    for _ in range(200):
        port = random.randint(20_000, 32_000)  # noqa: S311 -- spreads, hides nothing
        if port in taken:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return port
    msg = "no free port between 20000 and 32000 on 127.0.0.1; stop some servers"
    raise EmbeddedServerError(msg)


class LocalServer(abc.ABC):
    """One server on loopback, owned by this process.

    Use it as a context manager (plain or async) or call :meth:`start` and :meth:`stop`.
    Guaranteed: after :meth:`start` it answers; after :meth:`stop` it is gone, and its data too
    unless *data_dir* was given; it never outlives this process, however this process ends (see
    :mod:`agents.embedded.guard`). Methods block; in a running event loop use ``async with`` or
    a thread. Not safe for use from two threads at once.

    Args:
        port: Port to listen on; None picks a free one.
        data_dir: Directory for its data and log, kept afterwards; None makes one and removes it.
        log_path: File its output is appended to; None puts it beside the data.
        ready_within_s: Seconds to wait for the first answer, more than 0.
    """

    name: ClassVar[str]

    def __init__(
        self,
        *,
        port: int | None = None,
        data_dir: Path | None = None,
        log_path: Path | None = None,
        ready_within_s: float = 30.0,
    ) -> None:
        self._port_is_given = port is not None
        self._has_run = False
        self._log_offset = 0
        self._port: int | None = port
        self._given_data_dir = data_dir
        self._given_log_path = log_path
        self._ready_within_s = ready_within_s
        self._scratch: Path | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None

    @abc.abstractmethod
    def _command(self) -> list[str]:
        """Return the command line; may write configuration into :attr:`data_dir`."""

    @abc.abstractmethod
    def _answers(self) -> bool:
        """Tell whether *this* process (not another one on the same port) serves requests.

        Raises:
            OSError: It cannot be reached yet; the caller asks again.
        """

    @property
    def port(self) -> int:
        """Port it listens on; known once started, and kept over restarts."""
        if self._port is None:
            msg = f"{self.name} has no port before it was started"
            raise EmbeddedServerError(msg)
        return self._port

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the server itself, not of its guard."""
        if self._pid is None:
            msg = f"{self.name} is not running"
            raise EmbeddedServerError(msg)
        return self._pid

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._guard is not None and self._guard.poll() is None

    @property
    def data_dir(self) -> Path:
        """Directory of its data."""
        return self._directory() / "data"

    @property
    def log_path(self) -> Path:
        """File with everything it printed."""
        return self._given_log_path or self._directory() / f"{self.name}.log"

    def start(self) -> Self:
        """Start it and wait until it answers; no effect when it is running.

        Raises:
            EmbeddedServerError: It is not installed, ended at once, or did not answer in time.
                Nothing is left behind, except the data of a server that ran before.
        """
        if self.running:
            return self
        tried: set[int] = set()
        while True:
            if self._port is None:
                self._port = free_port(tried)
            try:
                self._spawn()
                self._await_ready()
            except BaseException as exc:  # Ctrl-C while waiting included
                self._end(signal.SIGKILL)
                if self._has_run:
                    raise
                if not self._port_is_given:
                    # Someone may have taken the port between our look and the server's.
                    tried.add(self._port)
                    self._port = None
                    if isinstance(exc, _EndedAtOnceError) and len(tried) < PORT_TRIES:
                        continue
                self._remove_scratch()
                raise
            self._has_run = True
            return self

    def stop(self) -> None:
        """End it (SIGTERM, after 10 s SIGKILL) and remove its data; no effect when stopped."""
        self._end(signal.SIGTERM)
        self._remove_scratch()

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would; data and port are kept for :meth:`restart`."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """End it in order if it runs, then start it on the same port and data."""
        self._end(signal.SIGTERM)
        self.start()

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the server process: SIGSTOP freezes it, SIGCONT lets it go on."""
        if self._guard is None or self._guard.stdin is None:
            msg = f"{self.name} is not running"
            raise EmbeddedServerError(msg)
        with contextlib.suppress(BrokenPipeError):  # it ended meanwhile
            self._guard.stdin.write(b"%d\n" % number)
            self._guard.stdin.flush()

    def output(self) -> str:
        """Return what it printed since it was last started."""
        try:
            with self.log_path.open("rb") as log:
                log.seek(self._log_offset)
                return log.read().decode(errors="replace")
        except OSError:
            return ""

    def _last_words(self) -> str:
        said = [line.strip() for line in self.output().splitlines() if line.strip()]
        errors = [line for line in said if line.lower().startswith("error")]
        return (errors or said or ["it printed nothing"])[-1]

    def _directory(self) -> Path:
        if self._given_data_dir is not None:
            return self._given_data_dir
        if self._scratch is None:
            with held():
                self._scratch = Path(tempfile.mkdtemp(prefix=f"tierstream-{self.name}-"))
                weakref.finalize(self, shutil.rmtree, self._scratch, ignore_errors=True)
        return self._scratch

    def _spawn(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        command = self._command()
        self._pid = None
        with self.log_path.open("ab") as log, held():
            self._log_offset = log.tell()
            guard = subprocess.Popen(  # noqa: S603 -- our own interpreter and a binary we chose
                [sys.executable, "-I", "-S", str(GUARD), str(self._scratch or "-"), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
            self._guard = guard
        line = guard.stdout.readline() if guard.stdout is not None else b""
        if not line.strip().isdigit():
            msg = f"{self.name} could not be executed: {self._last_words()}"
            raise EmbeddedServerError(msg)
        self._pid = int(line)

    def _await_ready(self) -> None:
        give_up = time.monotonic() + self._ready_within_s
        while time.monotonic() < give_up:
            if not self.running:
                msg = f"{self.name} ended at once: {self._last_words()}"
                raise _EndedAtOnceError(msg)
            with contextlib.suppress(OSError):
                if self._answers() and self.running:
                    return
            time.sleep(POLL_S)
        msg = (
            f"{self.name} did not answer on {self.address} within {self._ready_within_s:g} s: "
            f"{self._last_words()}"
        )
        raise EmbeddedServerError(msg)

    def _end(self, number: signal.Signals) -> None:
        guard = self._guard
        if guard is None:
            return
        self.send_signal(number)
        self.send_signal(signal.SIGCONT)  # a frozen process cannot act on SIGTERM
        try:
            guard.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.send_signal(signal.SIGKILL)
            guard.wait(STOP_WITHIN_S)
        for pipe in (guard.stdin, guard.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._guard = self._pid = None

    def _remove_scratch(self) -> None:
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.stop)
