"""Looking at every customer in the store, over and over, paced so that nobody notices."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog

from agents.web.board import InForce, Surveyed
from stream.editions import edition_in_force, scorer_of
from stream.fold import Scorer
from stream.in_force import bringer
from stream.projection.survey import Survey
from stream.store import StoreError

if TYPE_CHECKING:
    from agents.web.board import Board
    from stream.editions import Edition
    from stream.plan import Plan
    from stream.store import BucketHead, Store

log = structlog.get_logger(__name__)

_SHARE = 0.15
"""Of one processor, at most, over a whole pass."""
_LEAST_PAUSE_S = 2.0


class SurveyService:
    """Keeps `Board.surveyed`, the amounts, the clock and the policy in force up to date.

    Args:
        store: Used by this service alone.
        buckets: How many there are.
        own: The policy that the workers were started with.
    """

    def __init__(self, store: Store, buckets: int, own: Plan, board: Board) -> None:
        self._store, self._buckets, self._board = store, buckets, board
        self._scorer = Scorer(own)

    async def run(self) -> None:
        """Survey until cancelled; a store that does not answer is asked again."""
        while True:
            started_s = time.monotonic()
            try:
                await self.look_at_everyone()
                self._board.survey_error = None
            except StoreError as exc:
                self._board.survey_error = str(exc)
                log.warning("survey_failed", error=str(exc))
            self._board.wake()
            await asyncio.sleep(max(_LEAST_PAUSE_S, time.monotonic() - started_s))

    async def look_at_everyone(self) -> None:
        """Make one pass; it ends early, and counts for nothing, where a policy is published.

        Raises:
            StoreError: The store does not answer.
        """
        board = self._board
        survey: Survey | None = None
        begun = board.in_force.plan
        for bucket in range(self._buckets):
            started_s = time.monotonic()
            head, states = await asyncio.to_thread(self._read, bucket)
            edition = self._come_to(head)
            if survey is None:
                begun = board.in_force.plan
                survey = Survey(begun, board.amount)
            elif not _same_policy(begun, board.in_force.plan):
                return  # begin anew, under the new one
            if edition is None or _same_policy(begun, scorer_of(edition).plan):
                found = await asyncio.to_thread(self._look, survey, head, states)
                for customer_id, amount in found:
                    board.population.value(customer_id, amount)
            await asyncio.sleep((time.monotonic() - started_s) * (1 / _SHARE - 1))
        if survey is not None:
            survey.finish()
            board.at_risk.settle(board.clock_ms)
            board.surveyed = Surveyed(board.clock_ms, survey.axes, survey.points, survey.candidates)

    def _read(self, bucket: int) -> tuple[BucketHead, dict[str, bytes]]:
        (head,) = self._store.heads([bucket])
        return head, dict(self._store.scan_states(bucket))

    def _look(
        self, survey: Survey, head: BucketHead, states: dict[str, bytes]
    ) -> list[tuple[str, int | None]]:
        now_ms, brought = head.clock_ms or 0, bringer(head.editions, self._scorer)
        return [
            (customer_id, survey.look(customer_id, brought(customer_id, state), now_ms))
            for customer_id, state in states.items()
        ]

    def _come_to(self, head: BucketHead) -> Edition | None:
        """Take in how far a bucket has come, and return the edition in force there."""
        board = self._board
        board.clock_ms = max(board.clock_ms, head.clock_ms or 0)
        edition = edition_in_force([head])
        if edition is not None and edition.number > board.in_force.edition:
            plan = scorer_of(edition).plan
            board.begin(InForce(plan, edition.number, edition.instant_ms))
        return edition


def _same_policy(one: Plan, other: Plan) -> bool:
    return (one.name, one.version) == (other.name, other.version)
