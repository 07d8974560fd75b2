"""Ctrl-C where Python would lose it: inside a finalizer, and while a server is being made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from agents.embedded.interrupts import held

STRUCK_IN_A_FINALIZER = """
import signal, sys, time
from agents.cli import main

class Held:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

sys.unraisablehook = main._interrupt_again
held = Held()
del held
try:
    time.sleep(60)
except KeyboardInterrupt:
    print("stopped")
"""


def test_an_interrupt_that_strikes_a_finalizer_is_not_lost() -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-c", STRUCK_IN_A_FINALIZER],
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    assert done.stdout == "stopped\n"
    assert not done.stderr


def test_an_interrupt_takes_effect_after_what_it_is_held_for() -> None:
    reached = []

    def interrupted() -> None:
        with held():
            os.kill(os.getpid(), signal.SIGINT)
            reached.append("the end of the block")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert reached == ["the end of the block"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
