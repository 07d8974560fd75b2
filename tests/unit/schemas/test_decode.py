"""Rejections: their reasons, and that they say nothing of the payload."""

import pytest

from schemas.decode import (
    Rejected,
    decode_control,
    decode_interaction,
    decode_order,
    decode_profile,
)
from schemas.records import Details, OrderPaid, PolicyPublished, TierPinned

PAID = (
    b'{"event_id":"e1","occurred_at":"1997-01-12T08:30:11.250+08:00","customer_id":"c1",'
    b'"kind":"order.paid","order_id":"o1","amount_minor":1299,"currency":"USD"}'
)
HEAD = b'{"event_id":"e1","occurred_at":"1997-01-12T00:00:00Z","customer_id":"c1","kind":'


@pytest.mark.parametrize(
    ("data", "reason", "detail"),
    [
        (None, "null_value", "a value is required"),
        (b"", "not_json", "one JSON object in UTF-8 is required"),
        (b"{", "not_json", "one JSON object in UTF-8 is required"),
        (PAID.replace(b"1299", b"NaN"), "not_json", "one JSON object in UTF-8 is required"),
        (PAID.replace(b"o1", b"\xff"), "not_json", "one JSON object in UTF-8 is required"),
        (b"null", "wrong_schema", "record: must be an object"),
        (b"[]", "wrong_schema", "record: must be an object"),
        (
            PAID.replace(b"1299", b'"secret"'),
            "wrong_schema",
            "amount_minor: must be a whole number",
        ),
        (PAID.replace(b"1299", b"-1"), "wrong_schema", "amount_minor: must be 0 or more"),
        (PAID.replace(b'"order_id":"o1",', b""), "wrong_schema", "order_id: is required"),
        (PAID.replace(b"USD", b"secret"), "wrong_schema", "currency: must match ^[A-Z]{3}$"),
        (
            PAID.replace(b"+08:00", b""),
            "wrong_schema",
            "occurred_at: must be an RFC 3339 instant with its zone, such as 1997-01-12T08:30:00Z",
        ),
        (
            PAID.replace(b"order.paid", b"secret"),
            "wrong_schema",
            "record: kind must be one of order.paid, order.refunded, order.cancelled",
        ),
        (
            PAID.replace(b'"order.paid"', b'{"secret":1}'),
            "wrong_schema",
            "record: kind must be one of order.paid, order.refunded, order.cancelled",
        ),
    ],
)
def test_a_bad_order_is_rejected_in_one_line(data: bytes | None, reason: str, detail: str) -> None:
    """The field and what is allowed; no value of the payload."""
    with pytest.raises(Rejected) as caught:
        decode_order(data)
    assert (caught.value.reason, caught.value.detail) == (reason, detail)
    assert "secret" not in str(caught.value)


def test_keys_that_the_sender_chose_are_not_repeated() -> None:
    """Names of attributes are payload, too."""
    data = HEAD + b'"profile.changed","attributes":{"secret":[1]}}'
    with pytest.raises(Rejected, match=r"attributes\.\*") as caught:
        decode_profile(data)
    assert "secret" not in str(caught.value)


def test_event_time_is_milliseconds_rounded_down() -> None:
    """Whatever the zone it was sent in."""
    order = decode_order(PAID)
    assert isinstance(order, OrderPaid)
    assert order.kind == "order.paid"
    assert order.occurred_ms == 853_029_011_250
    assert decode_order(PAID.replace(b".250", b".250999")).occurred_ms == 853_029_011_250


def test_a_currency_out_of_the_list_is_for_the_policy_to_judge() -> None:
    """Three capitals are well formed; whether they are money is asked elsewhere."""
    order = decode_order(PAID.replace(b"USD", b"QQQ"))
    assert isinstance(order, OrderPaid)
    assert order.currency == "QQQ"


@pytest.mark.parametrize(
    ("rest", "details"),
    [
        (b'"visit"}', Details()),
        (b'"visit","details":{}}', Details()),
        (b'"visit","details":{"score":5}}', Details()),
        (b'"survey","details":{"score":5,"days":"x"}}', Details(score=5)),
        (b'"payment.overdue","details":{"days":3}}', Details(days=3)),
        (b'"stage.changed","details":{"stage":"lost"}}', Details(stage="lost")),
        (
            b'"payment.received","details":{"amount_minor":5,"currency":"EUR"}}',
            Details(amount_minor=5, currency="EUR"),
        ),
    ],
)
def test_details_hold_what_the_kind_has_and_no_more(rest: bytes, details: Details) -> None:
    """Fields of other kinds are unknown fields: ignored."""
    assert decode_interaction(HEAD + rest).details == details


def test_an_interaction_without_its_details_is_rejected() -> None:
    """A survey has a score."""
    with pytest.raises(Rejected, match="details: is required"):
        decode_interaction(HEAD + b'"survey"}')
    with pytest.raises(Rejected, match=r"details\.score: must be 100 or less"):
        decode_interaction(HEAD + b'"survey","details":{"score":101}}')


def test_controls() -> None:
    """Some are about no customer; instants inside are read, too."""
    data = HEAD.replace(b'"customer_id":"c1",', b"") + b'"policy.published","policy":{"a":"1.5"}}'
    published = decode_control(data)
    assert isinstance(published, PolicyPublished)
    assert (published.customer_id, published.policy) == (None, {"a": "1.5"})
    pinned = decode_control(
        HEAD
        + b'"tier.pinned","grading":"g","tier":"t","author":"a","reason":"r",'
        + b'"expires_at":"1998-01-01T00:00:00Z"}'
    )
    assert isinstance(pinned, TierPinned)
    assert pinned.expires_at is not None
    with pytest.raises(Rejected, match="customer_id: is required"):
        decode_control(
            HEAD.replace(b'"customer_id":"c1",', b"") + b'"customer.erase","reason":"r"}'
        )
