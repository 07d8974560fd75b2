"""What is logged comes out in one form, whoever logs it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest

from agents.logs import AGAIN_AFTER_S, Repeats

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


class Clock:
    """A clock that a test moves."""

    now_s = 100.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now_s


def test_a_library_says_the_same_thing_once_in_a_while() -> None:
    """And how often it would have; another text, logger or level is another thing."""
    clock = Clock()
    repeats = Repeats(clock)

    def said(text: str, name: str = "aiokafka", level: int = logging.ERROR) -> int | None:
        record = logging.LogRecord(name, level, __file__, 1, "lost %s", (text,), None)
        return getattr(record, "repeated", 0) if repeats.filter(record) else None

    assert said("broker-1") == 0
    assert [said("broker-1") for _ in range(5)] == [None] * 5
    assert said("broker-2") == said("broker-1", "faust") == 0
    assert said("broker-1", level=logging.WARNING) == 0
    clock.now_s += AGAIN_AFTER_S
    assert [said("broker-1"), said("broker-1"), said("broker-2")] == [5, None, 0]
    assert [said(str(number)) for number in range(2_000)] == [0] * 2_000
