"""The entry point of the command, and how it ends."""

import logging
import os
import signal
import sys
import threading

DEBUG = "TIERSTREAM_DEBUG"
INTERRUPTED = 130
_AGAIN_AFTER_S = 0.05


def main() -> None:
    """Run the command line and end the process.

    Exit codes: 0 done; 1 it could not be done, and one line on standard error says why; 2 the
    command line itself is wrong; 130 interrupted. With ``TIERSTREAM_DEBUG`` set, errors come
    with their traceback and clients log.
    """
    debug = bool(os.environ.get(DEBUG))
    sys.unraisablehook = _interrupt_again
    logging.basicConfig(level=logging.INFO if debug else logging.CRITICAL)
    try:
        # Not at the top: it takes long enough for someone to press Ctrl-C.
        from agents.cli.commands import app  # noqa: PLC0415
        from agents.cli.errors import said  # noqa: PLC0415
        from agents.cli.show import err  # noqa: PLC0415
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    try:
        app()
    except Exception as exc:
        if debug:
            raise
        line = said(exc)
        if line is None:
            line = f"{type(exc).__name__}: {exc} (unexpected; {DEBUG}=1 shows where)"
        err.print(f"error: {line}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)


def _interrupt_again(unraisable: "sys.UnraisableHookArgs") -> None:
    """Repeat a Ctrl-C that struck inside a finalizer, where Python prints it and forgets it."""
    if unraisable.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(unraisable)
        return
    main_thread = threading.main_thread().ident
    if main_thread is not None:
        again = threading.Timer(_AGAIN_AFTER_S, signal.pthread_kill, (main_thread, signal.SIGINT))
        again.daemon = True
        again.start()


if __name__ == "__main__":
    main()
