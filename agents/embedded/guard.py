"""A process between us and one server, so that the server never outlives us.

Run as a script: ``python -I -S guard.py SCRATCH COMMAND...``. Imports the standard library only,
because it must start in milliseconds and does not see our environment.

Why a process of its own, and not ``prctl(PR_SET_PDEATHSIG)`` from the starting process alone:

* the kernel sends that signal when the *thread* that forked ends, so a server started from a
  pool thread would die with the pool; the guard forks from its only thread;
* it exists on Linux only; the guard also watches, which works everywhere.

The guard watches its standard input, whose other end only the owner holds: the kernel closes it
however the owner dies, SIGKILL included. Because a forked copy of the owner would hold that end
open too, the guard also looks once a second whether its parent is still the owner. When the owner
is gone it kills the server and removes SCRATCH ("-" for nothing to remove). On Linux the server
in turn dies with the guard.

Protocol: the owner writes signal numbers, one a line, to pass on to the server. The guard writes
one line, the server's process id, and ends with the server's exit code (128 + n for signal n).
It lives in its own session, so that Ctrl-C in the terminal reaches only the owner, who can then
stop the servers in order.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
OWNER_CHECK_S = 1.0


def dies_with(guard_pid: int) -> None:
    """Ask the kernel to kill the calling process when *guard_pid*, its parent, ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != guard_pid:  # the guard ended before the call
        os._exit(1)


def watch(child: subprocess.Popen[bytes], wake: int, owner_pid: int) -> bool:
    """Pass signals on until *child* ends (True) or the owner is gone (False)."""
    while child.poll() is None:
        ready, _, _ = select.select([0, wake], [], [], OWNER_CHECK_S)
        if wake in ready and any(n != signal.SIGCHLD for n in os.read(wake, 64)):
            return False  # someone ends the guard itself
        if 0 in ready:
            words = os.read(0, 4096).split()
            if not words:
                return False
            for word in words:
                child.send_signal(int(word))
        if os.getppid() != owner_pid:
            return False
    return True


def main(argv: list[str]) -> int:
    """Start the server, watch, clean up; return the exit code."""
    scratch, command = argv[1], argv[2:]
    owner_pid, guard_pid = os.getppid(), os.getpid()
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    child = subprocess.Popen(  # noqa: S603 -- the owner's choice
        command,
        stdin=subprocess.DEVNULL,
        stdout=2,  # the guard's standard error is the server's log
        stderr=2,
        # Unsafe where threads could hold locks; there is one thread here.
        preexec_fn=(lambda: dies_with(guard_pid)) if sys.platform == "linux" else None,  # noqa: PLW1509
    )
    with contextlib.suppress(BrokenPipeError):  # the owner is gone already: watch() sees it
        os.write(1, b"%d\n" % child.pid)
    if not watch(child, wake_read, owner_pid):
        child.kill()
        child.wait()
        if scratch != "-":
            shutil.rmtree(scratch, ignore_errors=True)
    code = child.returncode
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv))
