"""An HTTP server that stands for a chat's webhook: it keeps what it is sent, or hangs."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType


class Receiver:
    """Use it as a context manager; *status* is what it answers, *hangs* that it never does.

    Attributes:
        got: Every message: headers in lower case, and the body.
    """

    def __init__(self, status: int = 200, *, hangs: bool = False) -> None:
        self.status = status
        self.got: list[tuple[dict[str, str], bytes]] = []
        self._released = threading.Event()
        if not hangs:
            self._released.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer._released.wait()
                outer.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
                outer.noted(body)
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def port(self) -> int:
        """Where it listens on this machine."""
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        """Where apprise finds it; the path is a secret, as a chat's would be."""
        return f"json://127.0.0.1:{self.port}/secret-of-the-channel?rto=300"

    def noted(self, body: bytes) -> None:
        """Take note of a message that has come."""

    def messages(self) -> list[dict[str, Any]]:
        """Return what apprise has sent: title and message."""
        return [json.loads(body) for _, body in self.got]

    def titles(self) -> list[str]:
        """Return the titles of what apprise has sent."""
        return [message["title"] for message in self.messages()]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
