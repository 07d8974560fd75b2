"""Webhooks: endpoints as they are listed, made and changed."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.api.base import NO_TEXT, Answer, Count, OutInstant, Question
from schemas.base import Id, Instant

EndpointId = Annotated[str, Field(pattern="^ep_[0-9a-f]{16}$")]
WebhookTopic = Literal["tier-changes", "tier-forecasts"]
Topics = Annotated[list[WebhookTopic], Field(min_length=1, max_length=2)]
Hours = Annotated[Annotated[int, Field(ge=0, le=24 * 30, strict=False)], NO_TEXT]
Sequence = Annotated[Annotated[int, Field(ge=0, le=9_999_999_999, strict=False)], NO_TEXT]


class Endpoint(Answer):
    """Somebody who is sent what is published. Its secret is not shown.

    Attributes:
        url: Where messages go.
        topics: What it is sent.
        created_at: What became true earlier it is sent by a replay only.
        status: disabled: nothing is sent, what was waiting waits on.
        why: Why it was disabled; "" otherwise.
        waiting: Messages in its queue.
        given_up: Messages that are not tried any more, of the first 1,000 that all have.
    """

    id: EndpointId
    url: str
    topics: Topics
    created_at: OutInstant
    status: Literal["enabled", "disabled"]
    why: str
    waiting: Count
    given_up: Count


class Endpoints(Answer):
    """Every endpoint, the oldest first."""

    endpoints: list[Endpoint]


class NewEndpoint(Question):
    """Who is to be sent what.

    Attributes:
        url: ``https://``, without user and password. Its host's addresses have to be public when
            a message is sent.
        topics: What it is sent.
    """

    url: Annotated[str, Field(min_length=1, max_length=2048)]
    topics: Topics = Field(default=["tier-changes", "tier-forecasts"])


class Secret(Answer):
    """What messages are signed with (Standard Webhooks). It is not shown again.

    Attributes:
        id: Of the endpoint.
    """

    id: EndpointId
    secret: Annotated[str, Field(pattern="^whsec_[A-Za-z0-9+/]{43}=$")]


class Rotation(Question):
    """How to change a secret.

    Attributes:
        overlap_hours: How long the old one signs as well.
    """

    overlap_hours: Hours = 24


class Replay(Question):
    """What to send again, with the ids that it had before.

    Attributes:
        since: From this instant on.
        customer_id: Events of this customer only; null: of everybody.
        from_sequence: Events with this sequence, or a later one, only.
    """

    since: Instant
    customer_id: Id | None = None
    from_sequence: Sequence = 0


class Replayed(Answer):
    """How many messages were found that are sent again."""

    messages: Count
