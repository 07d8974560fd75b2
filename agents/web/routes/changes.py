"""Tier changes: by pages, and as they come (server-sent events)."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from starlette.responses import Response, StreamingResponse

from agents.web.desk import Desk, ReadyDesk
from agents.web.problems import ProblemError, documented
from schemas.api.log import CURSOR, Changes
from stream.projection.recent import GoneError, Kept, cursor_text, parse_cursor

router = APIRouter(prefix="/changes", tags=["changes"], responses=documented(410, 422, 503))

_MOST_CHANGES = 1_000
_MOST_FOLLOWERS = 200
_HEARTBEAT_S = 15.0
_TOGETHER = 500

After = Annotated[
    str | None,
    Query(pattern=CURSOR, max_length=8192, description="`next` of the page before."),
]
LastEventId = Annotated[
    str | None,
    Header(pattern=CURSOR, max_length=8192, description="Id of the last event that was seen."),
]
OneGrading = Annotated[
    str | None, Query(min_length=1, max_length=64, description="Only this grading.")
]
Direction = Annotated[
    Literal["first", "up", "down", "lateral"] | None, Query(description="Only this direction.")
]


@router.get("", summary="Tier changes by pages", response_model=Changes)
async def changes(
    desk: ReadyDesk,
    after: After = None,
    limit: Annotated[int, Query(ge=1, le=_MOST_CHANGES)] = 100,
    grading: OneGrading = None,
    direction: Direction = None,
) -> Response:
    """Return changes after a cursor; without one, the newest. As published, oldest first.

    410 where what comes after the cursor is not kept any more: begin again without one.
    """
    recent, wanted = desk.board.recent, _filter(grading, direction)
    if after is None:
        return _page(recent.newest(limit, wanted), recent.next, more=False)
    offsets = _offsets(desk, after)
    found: list[Kept] = []
    more = False
    for kept in recent.after(offsets):
        if wanted(kept):
            if len(found) == limit:
                more = True
                break
            found.append(kept)
        offsets[kept.partition] = kept.offset + 1
    return _page(found, offsets, more=more)


@router.get(
    "/stream",
    summary="Tier changes as they come",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events: `change`, its data a tier change, its id a cursor",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def stream(
    desk: ReadyDesk,
    last_event_id: LastEventId = None,
    after: After = None,
    grading: OneGrading = None,
    direction: Direction = None,
) -> StreamingResponse:
    """Follow changes: from behind `Last-Event-ID`, else from `after`, else from now on.

    An id stays valid when the server restarts, or another one takes over.
    """
    board = desk.board
    if board.followers >= _MOST_FOLLOWERS:
        raise ProblemError(503, "too many streams are open; close some", Retry_After="10")
    cursor = last_event_id or after
    offsets = list(board.recent.next) if cursor is None else _offsets(desk, cursor)
    events = _events(desk, offsets, _filter(grading, direction))
    return StreamingResponse(
        events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def _events(
    desk: Desk, offsets: list[int], wanted: Callable[[Kept], bool]
) -> AsyncIterator[bytes]:
    board, recent = desk.board, desk.board.recent
    board.followers += 1
    serial, heard_s = 0, time.monotonic()
    try:
        yield b"retry: 2000\n\n"
        while not board.closing:
            try:
                recent.check(offsets)
            except GoneError:
                return  # too slow: the client comes again, and is told that it missed something
            lines: list[bytes] = []
            for kept in recent.after(offsets, serial):
                offsets[kept.partition] = kept.offset + 1
                serial = kept.serial + 1
                if wanted(kept):
                    lines.append(_event(kept, offsets))
                    if len(lines) == _TOGETHER:
                        break
            else:
                serial = recent.next_serial
            if lines:
                yield b"".join(lines)
            elif time.monotonic() - heard_s >= _HEARTBEAT_S:
                yield b": still here\n\n"
            if lines or time.monotonic() - heard_s >= _HEARTBEAT_S:
                heard_s = time.monotonic()
            if serial == recent.next_serial:
                await board.changed(_HEARTBEAT_S)
    finally:
        board.followers -= 1


def _event(kept: Kept, offsets: list[int]) -> bytes:
    return b"id: %s\nevent: change\ndata: %s\n\n" % (cursor_text(offsets).encode(), kept.value)


def _page(found: list[Kept], offsets: list[int], *, more: bool) -> Response:
    body = b'{"changes":[%s],"next":"%s","more":%s}' % (
        b",".join(kept.value for kept in found),
        cursor_text(offsets).encode(),
        b"true" if more else b"false",
    )
    return Response(body, media_type="application/json")


def _filter(grading: str | None, direction: str | None) -> Callable[[Kept], bool]:
    def wanted(kept: Kept) -> bool:
        return grading in {None, kept.grading} and direction in {None, kept.direction}

    return wanted


def _offsets(desk: Desk, cursor: str) -> list[int]:
    recent = desk.board.recent
    try:
        offsets = parse_cursor(cursor, len(recent.next))
        recent.check(offsets)
    except (GoneError, ValueError) as exc:
        raise ProblemError(
            410, "what comes after this cursor is not kept any more; begin without one"
        ) from exc
    return offsets
