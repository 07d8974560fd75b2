"""The demo as a process: Ctrl-C at any moment ends everything that it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documented import command_lines
from tests.unit.replay.histories import HISTORY, POLICY, written
from tests.waiting import wait_for


def descendants(scratch: Path) -> list[str]:
    """Return the command lines of processes that work under *scratch*."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue  # it ended meanwhile
        if str(scratch) in words:
            found.append(words)
    return found


@pytest.fixture
def own(tmp_path: Path) -> list[str]:
    """Return the options for one's own orders and policy, as the README has them."""
    (line,) = (line for line in command_lines("README.md", "own-orders") if line[0] == "demo")
    paths = {
        "orders.csv": str(written(tmp_path, HISTORY)),
        "policy.yaml": str(written(tmp_path, POLICY, "policy.yaml")),
    }
    return [paths.get(word, word) for word in line[1:]]


@pytest.mark.integration
@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
@pytest.mark.parametrize(
    ("moment", "data"),
    [
        ("", "cdnow"),
        ("ready after", "cdnow"),
        ("graded for the first time", "own"),
        ("as time passed", "cdnow"),
    ],
)
def test_ctrl_c_leaves_nothing_behind(
    moment: str, data: str, own: list[str], tmp_path: Path
) -> None:
    """At once, once the servers run, at the first tier change, and in full swing."""
    screen = tmp_path / "screen"
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    options = own if data == "own" else []
    with screen.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "agents.cli.main", "demo", "--keep", *options],
            stdout=output,
            stderr=output,
            env={**os.environ, "TMPDIR": str(scratch)},
            start_new_session=True,
        )
    try:
        # "" is at once: as soon as the first server's directory is there.
        wait_for(
            lambda: moment in screen.read_text() and list(scratch.iterdir()),
            f"{moment!r} on the screen",
            60,
        )
        os.killpg(process.pid, signal.SIGINT)
        code = process.wait(30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert code == 130
    shown = screen.read_text()
    assert "Traceback" not in shown, shown
    wait_for(lambda: not list(scratch.iterdir()), "its files to be gone")
    wait_for(lambda: not descendants(scratch), "its processes to be gone")
