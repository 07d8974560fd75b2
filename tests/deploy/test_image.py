"""The Dockerfile: linted, and its steps done on this machine, as there may be no Docker engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from agents.embedded.server import free_port
from tests.deploy.conftest import ROOT
from tests.integration.system import POLICY, System
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(600)]

DOCKERFILE = ROOT / "deploy" / "Dockerfile"


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile and their arguments, lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in lines if line]


def stages() -> list[list[tuple[str, str]]]:
    """Return the instructions of each stage, without the FROM."""
    found: list[list[tuple[str, str]]] = []
    for name, arguments in instructions():
        if name == "FROM":
            found.append([])
        elif found:
            found[-1].append((name, arguments))
    return found


def test_hadolint_finds_nothing(tool: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """No exceptions are made."""
    done = tool("hadolint", DOCKERFILE)
    assert (done.stdout, done.returncode) == ("", 0)


def test_the_image_holds_what_the_lock_file_pins_and_no_more() -> None:
    """Every runtime dependency, at the version that the tests run with (else: make lock)."""
    pins = {}
    for name in ("requirements.lock", "requirements-runtime.lock"):
        text = (ROOT / name).read_text()
        pins[name] = set(re.findall(r"^([a-z0-9._-]+)(?:\[[a-z]+\])?==([^ ]+)", text, re.MULTILINE))
    assert pins["requirements-runtime.lock"] < pins["requirements.lock"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[^A-Za-z0-9_-]", name)[0].lower() for name in project["dependencies"]}
    assert wanted <= {name for name, _ in pins["requirements-runtime.lock"]}


def test_the_context_has_what_is_copied() -> None:
    """.dockerignore lets through what the Dockerfile wants, and nothing it does not."""
    let_through = set(re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    copied = {
        source
        for name, arguments in stages()[0]
        if name == "COPY"
        for source in arguments.split()[:-1]
    }
    assert copied == let_through


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Do the steps of the first stage in a folder; returns where /opt/tierstream is."""
    root = tmp_path_factory.mktemp("image")
    (source := root / "src").mkdir()
    opt = root / "opt"
    env = {"PATH": os.environ["PATH"], "HOME": str(root), "LANG": "C.UTF-8"}
    env |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    for name, arguments in stages()[0]:
        if name == "COPY":
            *sources, _ = arguments.split()
            for path in sources:
                copy(ROOT / path, source / path)
        elif name == "RUN":
            script = arguments.replace("/opt/tierstream", str(opt))
            script = script.replace("python -m", f"{sys.executable} -m")
            done = subprocess.run(  # noqa: S603 -- our own Dockerfile
                ["/bin/sh", "-c", script], cwd=source, env=env, capture_output=True, text=True,
                check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
    shutil.rmtree(source)
    return opt


def copy(source: Path, target: Path) -> None:
    """Copy a file or a folder, as the context of a build would be."""
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def test_no_build_tool_is_in_the_image(built: Path) -> None:
    """Not even pip: what is there can be run, and nothing can be added."""
    packages = {path.name for path in built.glob("lib/python3*/site-packages/*")}
    assert "aiokafka" in packages
    assert not packages & {"pip", "setuptools", "wheel", "hatchling", "pytest", "mypy", "sklearn"}
    assert not [path.name for path in (built / "bin").iterdir() if path.name.startswith("pip")]


def test_its_commands_find_what_they_bring(built: Path, tmp_path: Path) -> None:
    """Scripts, policies and schemas are inside the wheel, away from the source tree."""
    policy = built.glob("lib/python3*/site-packages/deploy/policies/starter.yaml")
    done = subprocess.run(  # noqa: S603 -- what was just built
        [built / "bin" / "tierstream", "policy", "check", next(policy)],
        cwd=tmp_path, env={"LANG": "C.UTF-8"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.integration
async def test_a_worker_of_the_image_gets_ready_and_its_health_check_sees_it(
    built: Path, kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    """Started as the image starts it: its command line, and its health check."""
    told = dict(stages()[1])
    command = [*json.loads(told["ENTRYPOINT"]), *json.loads(told["CMD"])]
    check = json.loads(told["HEALTHCHECK"].split(" CMD ", 1)[1].strip())
    port = str(free_port())
    env = {
        "PATH": f"{built / 'bin'}:{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "TIERSTREAM_WEB_HOST": "127.0.0.1",
        "TIERSTREAM_WEB_PORT": port,
        "TIERSTREAM_KAFKA": kafka_bootstrap,
        "TIERSTREAM_REDIS": redis_url,
        "TIERSTREAM_NAMESPACE": "image",
        "TIERSTREAM_POLICY": str(tmp_path / "policy.yaml"),
    }

    def healthy() -> bool:
        done = subprocess.run(check, env=env, capture_output=True, check=False)  # noqa: S603
        return done.returncode == 0

    async with System(kafka_bootstrap, redis_url, "image", tmp_path, POLICY):
        assert not healthy()
        (log := tmp_path / "log").touch()
        with log.open("ab") as out:
            worker = subprocess.Popen(  # noqa: ASYNC220, S603 -- what was just built
                [built / "bin" / command[0], *command[1:]],
                cwd="/", env=env, stdout=out, stderr=out,
            )  # fmt: skip
        try:
            await wait_for_async(healthy, f"a healthy worker ({log})", 60)
        finally:
            worker.terminate()
            assert worker.wait(40) == 0
