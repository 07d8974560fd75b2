"""The API and the live page as a child process of the demo: it never outlives it."""

import sys
import urllib.request

from agents.embedded.server import HOST, LocalServer

_ASK_WITHIN_S = 2.0
_READY_WITHIN_S = 60.0


class ServeProcess(LocalServer):
    """`tierstream serve` on stream time, on a free loopback port.

    Where Kafka, Redis and the policy are it is told by this process's environment, as
    `WorkerProcess` has left it.
    """

    name = "serve"

    def __init__(self) -> None:
        super().__init__(ready_within_s=_READY_WITHIN_S)

    @property
    def url(self) -> str:
        """The address to open in a browser."""
        return f"http://{self.address}"

    def _command(self) -> list[str]:
        command = [sys.executable, "-m", "agents.cli.main", "serve", "--clock", "stream"]
        return [*command, "--host", HOST, "--port", str(self.port), "--log-json"]

    def _answers(self) -> bool:
        with urllib.request.urlopen(f"{self.url}/healthz", timeout=_ASK_WITHIN_S) as answer:  # noqa: S310
            return bool(answer.status == 200)  # noqa: PLR2004 - OK
