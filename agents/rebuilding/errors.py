"""Why nothing can be rebuilt."""


class RebuildError(Exception):
    """The log does not lead to what Redis held; the message is one line that says why."""
