"""What is logged comes out in one form, whoever logs it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SCRIPT = """
import logging, structlog
from agents.logs import configure_logging
configure_logging(as_json={as_json})
log = structlog.get_logger("ours")
password = "hunter2"
log.info("bucket_opened", bucket=7)
logging.getLogger("aiokafka").warning("lost %s", "broker-1")
logging.getLogger("aiokafka").info("chatter")
try:
    raise RuntimeError("broken")
except RuntimeError:
    log.exception("failed")
    logging.getLogger("mode").exception("crashed")
"""


def logged(*, as_json: bool) -> list[str]:
    """Return what the script writes to standard error."""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", SCRIPT.format(as_json=as_json)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_json_is_one_object_a_line_also_from_libraries() -> None:
    """With level, time and logger; a traceback is a field."""
    said = [json.loads(line) for line in logged(as_json=True)]
    assert [line["event"] for line in said] == [
        "bucket_opened",
        "lost broker-1",
        "failed",
        "crashed",
    ]
    assert [line["level"] for line in said] == ["info", "warning", "error", "error"]
    assert said[0]["bucket"] == 7
    assert said[1]["logger"] == "aiokafka"
    assert all("RuntimeError: broken" in line["exception"] for line in said[2:])


@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_shows_no_local_variables(*, as_json: bool) -> None:
    """Passwords are among them."""
    text = "\n".join(logged(as_json=as_json))
    assert "RuntimeError: broken" in text
    assert "hunter2" not in text.replace('password = "hunter2"', "")
