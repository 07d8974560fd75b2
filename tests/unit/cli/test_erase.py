"""What `tierstream erase` sends, and what it says to a value that cannot be used."""

from __future__ import annotations

import pytest

from agents.erasing import request
from schemas.decode import decode_control
from schemas.records import CustomerErase
from stream.erasure import receipt_id
from tests.unit.cli.test_command import run


def test_every_request_is_another_one() -> None:
    """Asked twice for the same customer, there are two receipts."""
    controls = [decode_control(request("c1", "asked", 5)) for _ in range(2)]
    found = {receipt_id(one) for one in controls if isinstance(one, CustomerErase)}
    assert len(found) == 2


@pytest.mark.parametrize(
    ("customer", "reason", "line"),
    [
        ("c" * 129, "asked", "CUSTOMER: this value is not allowed; allowed: must have at most 128"),
        ("c1", "", "--reason: this value is not allowed; allowed: must have at least 1"),
    ],
)
def test_a_value_that_cannot_be_used_gives_one_line(customer: str, reason: str, line: str) -> None:
    done = run("erase", customer, "--reason", reason, "--yes")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {line}")
    assert len(done.stderr.splitlines()) == 1


def test_nothing_is_sent_without_a_yes() -> None:
    done = run("erase", "c1", "--reason", "asked")
    assert done.returncode == 1
    assert "cannot be undone" in done.stdout + done.stderr
