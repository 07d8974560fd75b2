"""What every route needs, and how it gets it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from agents.web.problems import ProblemError, not_ready

if TYPE_CHECKING:
    from agents.settings import Settings
    from agents.web.board import Board
    from agents.web.customers import Customers
    from agents.web.follow import Progress
    from agents.web.hooks import Webhooks
    from agents.web.tokens import Tokens
    from schemas.api.simulation import Simulation


@dataclass(frozen=True, slots=True)
class Desk:
    """What every route needs.

    Attributes:
        settings: Of the process.
        board: What the topics and the survey add up to.
        customers: One customer at a time.
        progress: How far topics have been read.
        tokens: Who may ask, and who may manage.
        webhooks: What those who may manage can change.
        simulation: What another policy would do; None where nothing was simulated.
    """

    settings: Settings
    board: Board
    customers: Customers
    progress: Progress
    tokens: Tokens
    webhooks: Webhooks
    simulation: Simulation | None = None

    def now_ms(self) -> int:
        """Return the instant of now: in a replay, how far time has come in the records."""
        if self.settings.clock == "wall":
            return time.time_ns() // 1_000_000
        return max(self.board.newest_ms, self.board.clock_ms)


_bearer = HTTPBearer(auto_error=False, description="A token, where the server asks for one.")


def desk_of(request: Request) -> Desk:
    """Return the desk of the server that got *request*."""
    desk: Desk = request.app.state.desk
    return desk


def admitted(
    desk: Annotated[Desk, Depends(desk_of)],
    given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> None:
    """Let only those pass who have a token, where tokens are asked for.

    Raises:
        ProblemError: 401.
    """
    if desk.tokens and (given is None or desk.tokens.owner(given.credentials) is None):
        raise ProblemError(401, "a valid bearer token is needed", WWW_Authenticate="Bearer")


def manager(
    desk: Annotated[Desk, Depends(desk_of)],
    given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> str:
    """Return the name of who may manage; nobody may who has no token for that.

    Raises:
        ProblemError: 403.
    """
    name = None if given is None else desk.tokens.manager(given.credentials)
    if name is None:
        raise ProblemError(403, "a token that may manage is needed")
    return name


def ready_desk(desk: Annotated[Desk, Depends(desk_of)]) -> Desk:
    """Return the desk once the topics have been read.

    Raises:
        ProblemError: 503.
    """
    if not desk.board.caught_up:
        raise not_ready()
    return desk


def known_parameters(request: Request) -> None:
    """Let only those pass who ask for what there is: a misspelt filter is not no filter.

    Raises:
        ProblemError: 422.
    """
    known = {field.alias for field in request.scope["route"].dependant.query_params}
    asked = [name for name, _ in request.query_params.multi_items()]
    if not known.issuperset(asked) or len(set(asked)) < len(asked):
        names = ", ".join(sorted(known)) or "none"
        raise ProblemError(422, f"query: not allowed; allowed, each once: {names}")


AnyDesk = Annotated[Desk, Depends(desk_of)]
ReadyDesk = Annotated[Desk, Depends(ready_desk)]
