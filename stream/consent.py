"""Whether a customer allows being scored, and since when it did not. Pure."""

from __future__ import annotations

from msgspec import Struct


class Consent(Struct, array_like=True, frozen=True):
    """What a customer has said about being scored; who has said nothing allows it.

    Attributes:
        changed_ms: Event time of the word that counts: the newest, whenever it arrives.
        withdrawn_ms: Since when scoring is forbidden; None while it is allowed.
        forbidden: Earlier such times as ``[from, until)``, oldest first.
    """

    changed_ms: int = -1
    withdrawn_ms: int | None = None
    forbidden: tuple[tuple[int, int], ...] = ()

    def said(self, at_ms: int, *, allowed: bool) -> Consent:
        """Return what holds once the customer has said so at *at_ms*; of two at once, no counts."""
        start_ms = self.withdrawn_ms
        if (at_ms, not allowed) <= (self.changed_ms, start_ms is not None):
            return self
        if start_ms is None:
            return Consent(at_ms, None if allowed else at_ms, self.forbidden)
        if not allowed:
            return Consent(at_ms, start_ms, self.forbidden)
        return Consent(at_ms, None, (*self.forbidden, (start_ms, at_ms)))

    def forbids(self, at_ms: int) -> bool:
        """Say whether what happened at *at_ms* must not be taken in now.

        While scoring is forbidden that is everything, also what happened before.
        """
        if self.withdrawn_ms is not None:
            return True
        return any(start <= at_ms < end for start, end in self.forbidden)
