"""A real Prometheus for the tests, with our rules at a faster pace. No claims here."""

from __future__ import annotations

import json
import re
import shutil
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from agents.embedded.server import EmbeddedServerError, LocalServer

if TYPE_CHECKING:
    from collections.abc import Sequence

RULES = Path(__file__).parents[1] / "deploy" / "prometheus" / "rules.yml"
FASTER = 60
"""A minute of the rules is a second here."""

_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION = re.compile(r"(\[|for: )(\d+)([smhd])(\]|$)", re.MULTILINE)


def faster(rules: str, times: int = FASTER) -> str:
    """Return *rules* with every window and every `for` so many times shorter; nothing else moves.

    >>> faster("for: 2m"), faster("rate(x[1h]) > 60")
    ('for: 2s', 'rate(x[60s]) > 60')
    """

    def shorter(match: re.Match[str]) -> str:
        before, number, unit, after = match.groups()
        return f"{before}{int(number) * _UNITS_S[unit] // times}s{after}"

    return _DURATION.sub(shorter, rules)


class Prometheus(LocalServer):
    """A Prometheus that scrapes *targets* (``host:port``) as the job ``tierstream``."""

    name = "prometheus"

    def __init__(self, targets: Sequence[str]) -> None:
        super().__init__(ready_within_s=60)
        self._targets = list(targets)

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://{self.address}"

    def query(self, text: str) -> list[dict[str, Any]]:
        """Return what an instant query finds: ``metric`` and ``value`` of each series.

        Raises:
            OSError: The query is wrong, or the server does not answer.
        """
        answer: list[dict[str, Any]] = self._get("query", query=text)["result"]
        return answer

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire now."""
        alerts = self._get("alerts")["alerts"]
        return {one["labels"]["alertname"] for one in alerts if one["state"] == "firing"}

    def _get(self, page: str, **arguments: str) -> dict[str, Any]:
        url = f"{self.url}/api/v1/{page}?{urllib.parse.urlencode(arguments)}"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own
            data: dict[str, Any] = json.load(answer)["data"]
            return data

    def _command(self) -> list[str]:
        binary = shutil.which("prometheus")
        if binary is None:
            raise EmbeddedServerError("no prometheus on the PATH; on Debian: apt-get install it")
        rules = self.data_dir / "rules.yml"
        rules.write_text(faster(RULES.read_text(encoding="utf-8")), encoding="utf-8")
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": [
                {"job_name": "tierstream", "static_configs": [{"targets": self._targets}]}
            ],
        }
        path = self.data_dir / "prometheus.yml"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return [
            binary,
            f"--config.file={path}",
            f"--storage.tsdb.path={self.data_dir / 'series'}",
            f"--web.listen-address={self.address}",
        ]

    def _answers(self) -> bool:
        with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5):  # noqa: S310 - our own
            where = self._get("status/flags")["storage.tsdb.path"]
            return bool(where == str(self.data_dir / "series"))
