"""The chart: Helm's own linter, Kubernetes' own schemas, and the manifests made from it."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from typer.main import get_command

from agents.cli.commands import app
from agents.settings import INPUTS, PREFIX, KafkaSecurity, Settings, from_environment
from tests.deploy.conftest import ROOT

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Tool = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.deploy

RENDER = ROOT / "tests" / "deploy" / "render.py"
MANIFESTS = ROOT / "deploy" / "kubernetes" / "tierstream.yaml"
EVERYTHING: dict[str, Any] = {
    "image": {"tag": "1.2.3"},
    "imagePullSecrets": ["registry"],
    "namespace": "shop",
    "kafka": {
        "bootstrap": "a:9093,b:9093",
        "protocol": "SASL_SSL",
        "credentialsSecret": "kafka-user",
        "caSecret": "kafka-ca",
        "clientSecret": "kafka-client",
    },
    "redis": {"caSecret": "redis-ca"},
    "policy": {"text": "policy: shop\nversion: 1\n"},
    "settings": {"batch_records": "50000"},
    "podAnnotations": {"team": "crm"},
    "workers": {"alerts": {"channelsSecret": "channels"}, "webhooks": {"enabled": True}},
    "api": {"enabled": True, "tokensSecret": "api-tokens"},
    "keda": {"enabled": True},
    "networkPolicy": {
        "metricsFrom": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}],
        "extraEgress": [{"ports": [{"port": 443, "protocol": "TCP"}]}],
    },
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True},
}
OF_OTHERS = {"ScaledObject", "TriggerAuthentication", "ServiceMonitor", "PrometheusRule"}


@pytest.fixture
def render(tool: Tool, tmp_path: Path) -> Callable[[dict[str, Any]], str]:
    """Render the chart with values of the test's own."""

    def run(values: dict[str, Any]) -> str:
        file = tmp_path / "values.json"
        file.write_text(json.dumps(values))
        done = tool("python", RENDER, "render", file)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def objects(text: str) -> list[dict[str, Any]]:
    """Return the Kubernetes objects of a rendering."""
    return [found for found in yaml.safe_load_all(text) if found]


def containers(text: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return every pod specification with its only container."""
    pods = [
        found["spec"]["template"]["spec"]
        for found in objects(text)
        if found["kind"] in {"Deployment", "Job"}
    ]
    return [(pod, pod["containers"][0]) for pod in pods]


def test_the_manifests_are_the_chart_with_its_own_values(
    render: Callable[[dict[str, Any]], str],
) -> None:
    """After changing the chart, run `make generate-manifests`."""
    committed = MANIFESTS.read_text()
    assert committed[committed.index("---\n") :] == render({})


def test_helm_finds_nothing_but_the_missing_icon(tool: Tool) -> None:
    """Templates, values and their schema, as `helm lint --strict` sees them."""
    assert tool("python", RENDER, "lint").stdout == "Chart.yaml: icon is recommended"


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_what_is_rendered_satisfies_kubernetes(
    tool: Tool,
    render: Callable[[dict[str, Any]], str],
    tmp_path: Path,
    values: dict[str, Any],
) -> None:
    """Strictly: a misspelt field is an error. Objects of operators have no schema here."""
    known = [found for found in objects(render(values)) if found["kind"] not in OF_OTHERS]
    file = tmp_path / "manifests.yaml"
    file.write_text(yaml.safe_dump_all(known))
    for version in ("1.30", "1.36"):
        done = tool("kubernetes-validate", "--strict", "-k", version, file)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count("passed for resource") == len(known)


def test_people_and_systems_are_told_only_where_it_is_asked_for(
    render: Callable[[dict[str, Any]], str],
) -> None:
    """Alerts with a secret that has channels, webhooks where they are enabled."""

    def roles(values: dict[str, Any]) -> set[str]:
        found = (container["args"] for _, container in containers(render(values)))
        return {args[2] for args in found if args[:2] == ["worker", "--role"]}

    always = {"scoring", "delivery"}
    assert roles({}) == always
    assert roles({"workers": {"webhooks": {"enabled": True}}}) == {*always, "webhooks"}
    assert roles(EVERYTHING) == {*always, "alerts", "webhooks"}


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_workers_are_told_by_settings_that_exist(
    render: Callable[[dict[str, Any]], str], values: dict[str, Any]
) -> None:
    """No variable is misspelt; what is not secret is accepted as it stands."""
    known = {PREFIX + setting.name.upper() for setting in fields(Settings)}
    known.add(f"{PREFIX}CHANNELS_FILE")
    known |= {f"{PREFIX}KAFKA_{setting.name.upper()}" for setting in fields(KafkaSecurity)}
    for _, container in containers(render(values)):
        given = {env["name"]: env.get("value", "from-a-secret") for env in container["env"]}
        assert set(given) <= known
        if f"{PREFIX}REDIS" in given:
            given[f"{PREFIX}REDIS"] = "redis://from-a-secret"
        settings = from_environment(given)
        assert settings.namespace == values.get("namespace", "")
        if container["name"] == "worker":
            assert settings.batch_records == (50_000 if values else 100_000)


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_every_pod_is_started_by_a_command_line_that_the_command_takes(
    render: Callable[[dict[str, Any]], str], values: dict[str, Any]
) -> None:
    """Subcommands, options and their values, as `tierstream` itself reads them."""
    for _, container in containers(render(values)):
        command: Any = get_command(app)
        arguments = list(container["args"])
        while hasattr(command, "commands"):
            command = command.commands[arguments.pop(0)]
        with command.make_context("tierstream", arguments) as context:
            assert not context.args


def test_secrets_stand_nowhere_but_in_references(
    render: Callable[[dict[str, Any]], str],
) -> None:
    """Passwords and the URL of Redis come from Secrets, files from mounted ones."""
    text = render(EVERYTHING)
    assert not [found for found in objects(text) if found["kind"] == "Secret"]
    for pod, container in containers(text):
        for env in container["env"]:
            if env["name"].endswith(("_REDIS", "_USERNAME", "_PASSWORD")):
                assert set(env["valueFrom"]) == {"secretKeyRef"}
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
        assert {"kafka-ca", "kafka-client"} <= mounted


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["defaults", "everything"])
def test_every_pod_runs_with_as_little_as_it_needs(
    render: Callable[[dict[str, Any]], str], values: dict[str, Any]
) -> None:
    """Not root, nothing to write to, no capability, no token, bounded memory, both probes."""
    for pod, container in containers(render(values)):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is pod["enableServiceLinks"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "memory" in container["resources"]["limits"]
        if container["name"] != "topics":
            assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
            assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
            assert pod["topologySpreadConstraints"]


def test_workers_are_scaled_by_the_lag_of_the_groups_and_topics_that_exist(
    render: Callable[[dict[str, Any]], str],
) -> None:
    """KEDA sets the number, so the Deployment does not; each trigger proves who it is."""
    found = {(one["kind"], one["metadata"]["name"]): one for one in objects(render(EVERYTHING))}
    assert "replicas" not in found["Deployment", "tierstream-scoring"]["spec"]
    assert found["Deployment", "tierstream-delivery"]["spec"]["replicas"] == 2
    settings = Settings(namespace="shop")
    triggers = found["ScaledObject", "tierstream-scoring"]["spec"]["triggers"]
    topics = {trigger["metadata"]["topic"] for trigger in triggers}
    assert topics < {settings.topic(name) for name in INPUTS}
    for trigger in triggers:
        assert trigger["metadata"]["consumerGroup"] == settings.group("scoring")
        assert trigger["metadata"]["sasl"] == "scram_sha512"
        reference = trigger["authenticationRef"]["name"]
        assert ("TriggerAuthentication", reference) in found


def test_pages_are_reached_through_labels_that_only_workers_have(
    render: Callable[[dict[str, Any]], str],
) -> None:
    """The Service and its monitor see every worker, and not the job that makes topics."""
    found = objects(render(EVERYTHING))
    by_kind = {one["kind"]: one for one in found}
    service = next(one for one in found if one["metadata"]["name"] == "tierstream-workers")
    wanted = service["spec"]["selector"].items()
    for one in found:
        if one["kind"] in {"Deployment", "Job"}:
            template = one["spec"]["template"]
            is_worker = template["spec"]["containers"][0]["name"] == "worker"
            assert (wanted <= template["metadata"]["labels"].items()) is is_worker
    monitor = by_kind["ServiceMonitor"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= (
        service["metadata"]["labels"].items()
    )
    # The rules add up by job, and look for jobs whose name begins with tierstream.
    assert monitor["spec"]["endpoints"][0]["relabelings"][0]["replacement"].startswith("tierstream")


def test_the_rules_are_those_that_are_tested(
    render: Callable[[dict[str, Any]], str],
) -> None:
    """Helm leaves alone what Prometheus itself fills in."""
    told = yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules.yml").read_text())
    rule = next(one for one in objects(render(EVERYTHING)) if one["kind"] == "PrometheusRule")
    assert rule["spec"] == told


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"kafka": {"protocol": "SASL_SSL"}}, "kafka.credentialsSecret"),
        ({"kafka": {"bootstrap": "kafka"}}, "/kafka/bootstrap"),
        ({"kafka": {"protocol": "TLS"}}, "/kafka/protocol"),
        ({"topics": {"partitions": 12}}, "/topics/partitions"),
        ({"keda": {"enabled": True, "maxReplicas": 16}}, "keda.maxReplicas"),
        ({"policy": {"configMap": ""}}, "policy.configMap"),
        ({"api": {"enabled": True}}, "api.tokensSecret"),
        ({"settings": {"kafka_password": "p"}}, "kafka_password"),
        ({"worker": {}}, "worker"),
    ],
)
def test_a_mistake_in_the_values_is_refused_and_named(
    tool: Tool, tmp_path: Path, values: dict[str, Any], named: str
) -> None:
    """The schema of the values, and what the templates ask for."""
    file = tmp_path / "values.json"
    file.write_text(json.dumps(values))
    done = tool("python", RENDER, "render", file)
    assert done.returncode == 1
    assert named in done.stderr
