"""The compose file: the specification's schema, and what it says of tierstream."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from agents.settings import from_environment
from schemas.policy import load_policy
from tests.deploy.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.deploy

COMPOSE = ROOT / "deploy" / "compose.yaml"


def test_it_satisfies_the_compose_specification(
    tool: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """Names and shapes of every field."""
    done = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)
    assert done.returncode == 0, done.stdout


def test_two_workers_are_told_where_everything_is() -> None:
    """Settings exist and point at services of the file; the policy can be used."""
    told = yaml.safe_load(COMPOSE.read_text())
    worker, kafka = told["services"]["worker"], told["services"]["kafka"]
    assert worker["deploy"]["replicas"] == 2
    settings = from_environment(worker["environment"])
    assert f"INSIDE://{settings.kafka}" in kafka["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert settings.redis.split("/")[2].split(":")[0] in told["services"]
    mounted, inside, _ = worker["volumes"][0].removeprefix("${TIERSTREAM_POLICY:-").split(":")
    assert inside == settings.policy
    assert load_policy(str(COMPOSE.parent / mounted.rstrip("}"))).gradings


def test_the_api_asks_for_a_token_that_is_in_no_file_of_ours() -> None:
    """Compose refuses to start without one; it comes from a file that git and images leave out."""
    api = yaml.safe_load(COMPOSE.read_text())["services"]["api"]
    assert api["environment"]["TIERSTREAM_API_TOKEN"].startswith("${TIERSTREAM_API_TOKEN:?")
    assert "deploy/.env" in (ROOT / ".gitignore").read_text().splitlines()
    assert "**/.env" in (ROOT / ".dockerignore").read_text().splitlines()


def test_nothing_is_open_to_other_machines() -> None:
    """Every published port is on the loopback address: there are no passwords."""
    services = yaml.safe_load(COMPOSE.read_text())["services"].values()
    ports = [port for service in services for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not on the PATH")
def test_prometheus_scrapes_the_workers_and_loads_the_rules(tmp_path: Path) -> None:
    """Its configuration stands in the compose file; Prometheus itself finds nothing wrong."""
    told = yaml.safe_load(COMPOSE.read_text())
    config = told["configs"]["prometheus"]["content"]
    (tmp_path / "prometheus.yml").write_text(config)
    source, inside, _ = told["services"]["prometheus"]["volumes"][1].split(":")
    shutil.copy(COMPOSE.parent / source, tmp_path / Path(inside).name)
    done = subprocess.run(  # noqa: S603 -- Prometheus's own check
        ["promtool", "check", "config", tmp_path / "prometheus.yml"],  # noqa: S607 -- from Debian
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    scraped = yaml.safe_load(config)["scrape_configs"][0]
    assert scraped["job_name"].startswith("tierstream")
    assert scraped["dns_sd_configs"][0]["names"][0] in told["services"]


def test_topics_come_before_workers_and_workers_wait_for_kafka_and_redis() -> None:
    """The order of starting is written down, not hoped for."""
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    assert services["worker"]["depends_on"] == {
        "topics": {"condition": "service_completed_successfully"},
        "redis": {"condition": "service_healthy"},
    }
    assert services["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}
