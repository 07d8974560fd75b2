"""The fast decoders accept and reject exactly what the pydantic contract does."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs
from pydantic import TypeAdapter, ValidationError

from schemas import decode as decoding
from schemas.base import instant_ms, parse_instant
from schemas.currencies import EXPONENTS
from schemas.decode import (
    CONTROL_CONTRACT,
    INTERACTION_CONTRACT,
    ORDER_CONTRACT,
    PROFILE_CONTRACT,
    Rejected,
    decode_control,
    decode_interaction,
    decode_order,
    decode_profile,
)
from schemas.vocabulary import INTERACTION_KINDS, STAGES

Pair = tuple[bytes, bytes]
Decode = Callable[[bytes | None], Any]

TOPICS: Mapping[str, tuple[Decode, TypeAdapter[Any]]] = {
    "orders": (decode_order, ORDER_CONTRACT),
    "interactions": (decode_interaction, INTERACTION_CONTRACT),
    "profiles": (decode_profile, PROFILE_CONTRACT),
    "controls": (decode_control, CONTROL_CONTRACT),
}

INSTANTS = [
    "1997-01-12T08:30:11Z",
    "1997-01-12T08:30:11.250Z",
    "1997-01-12t08:30:11z",
    "1997-01-12 08:30:11Z",
    "1997-01-12_08:30:11Z",
    "1997-01-12T08:30:11+08:00",
    "1997-01-12T08:30:11+0800",
    "1997-01-12T08:30:11+08",
    "1997-01-12T08:30:11-00:00",
    "1997-01-12T08:30:11+23:59",
    "1997-01-12T08:30:11+24:00",
    "1997-01-12T08:30:11+23:60",
    "1997-01-12T08:30:11",
    "1997-01-12T08:30Z",
    "1997-01-12",
    "1997-01-12T08:30:60Z",
    "1997-01-12T24:00:00Z",
    "1997-02-29T00:00:00Z",
    "2000-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999Z",
    "9999-12-31T23:59:59.9999999Z",
    "9999-12-31T23:59:59.999999-23:59",
    "10000-01-01T00:00:00Z",
    "1997-01-12T08:30:11.Z",
    "1997-01-12T08:30:11,5Z",
    "1997-01-12T08:30:11.0009995Z",
    "1997-01-12T08:30:11.99999949999Z",
    "1997-01-12T08:30:11.9999995Z",
    "1969-12-31T23:59:59.9995Z",
    "1997-W02-7T08:30:11Z",
    "1997-01-12T08:30:11 Z",
    " 1997-01-12T08:30:11Z",
    "1997-01-12T08:30:11Z\n",
    "١٩٩٧-01-12T08:30:11Z",
    "852000000",
]
NASTY = [
    b"null",
    b"true",
    b"false",
    b"0",
    b"-0",
    b"1",
    b"2",
    b"-1",
    b"01",
    b"1.0",
    b"1e2",
    b"0.5",
    b"-0.0",
    b"100",
    b"101",
    b"36500",
    b"36501",
    b"1000000000000000",
    b"1000000000000001",
    b"-1000000000000000",
    b"-1000000000000001",
    b"9223372036854775808",
    b"1e999",
    b"1" * 400,
    b"1" * 5_000,
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b'""',
    b'"x"',
    b'"1"',
    b'"USD"',
    b'"usd"',
    b'"QQQ"',
    b'"USDX"',
    b'"USD\\n"',
    '"ＵＳＤ"'.encode(),  # noqa: RUF001 - capitals that are not ASCII are the point
    b'"lost"',
    b'"user_of"',
    b'"' + b"a" * 64 + b'"',
    b'"' + b"a" * 65 + b'"',
    b'"' + b"a" * 128 + b'"',
    b'"' + b"a" * 129 + b'"',
    '"{}"'.format("客" * 128).encode(),
    '"{}"'.format("😀" * 64).encode(),
    '"{}"'.format("😀" * 65).encode(),
    b'"' + b"\\ud83d\\ude00" * 64 + b'"',
    b'"\\ud800"',
    b'"\\udc00\\ud800"',
    b'"\\u0000"',
    b'"\\q"',
    b'"\xff"',
    b'"\xed\xa0\x80"',
    b'"\xc0\xaf"',
    b'"a\x01b"',
    b'"\x7f"',
    b"{}",
    b"[]",
    b'{"a":1,"a":"x"}',
    b'{"score":5}',
    b'{"score":5,"days":"x"}',
    b'{"score":null}',
    b'{"score":1,"score":"x"}',
    b'{"score":"x","score":1}',
    b'{"days":3,"more":[1,{"a":null}]}',
    b'{"amount_minor":5,"currency":"QQQ"}',
    b'{"amount_minor":5,"currency":"EUR"}',
    b'{"stage":"lost"}',
    b'{"' + b"k" * 65 + b'":1}',
    b'{"":1}',
    b'{"a":true,"b":null,"c":"x","d":-7}',
    b'{"a":1.0}',
    b'{"a":[1]}',
    b"[" * 90 + b"]" * 90,
    b"[" * 150 + b"]" * 150,
    b"[" * 250 + b"]" * 250,
    b"[" * 3_000 + b"]" * 3_000,
    b'{"a":' * 150 + b"1" + b"}" * 150,
    b"[1,]",
    b'{"a":1,}',
    b"'x'",
    b"tru",
    b"",
    *(json.dumps(text).encode() for text in INSTANTS),
]
KINDS_BY_TOPIC = [
    ["order.paid", "order.refunded", "order.cancelled"],
    [*INTERACTION_KINDS, "survey", "payment.received", "payment.overdue", "stage.changed"],
    ["profile.changed", "identity.linked", "consent.changed"],
    [
        "policy.published",
        "customer.erase",
        "tier.pinned",
        "review.submitted",
        "clock.advanced",
        "population.cuts",
        "shadow.started",
        "shadow.ended",
    ],
]
KINDS = [kind for kinds in KINDS_BY_TOPIC for kind in kinds] + ["order.unknown"]

texts = st.text(min_size=1, max_size=20)
words = st.text(min_size=1, max_size=64)
amounts = st.integers(0, 10**15)
currencies = st.sampled_from(sorted(EXPONENTS)) | st.sampled_from(["QQQ", "ZZZ"])
scores = st.integers(0, 100)
attributes = st.dictionaries(
    words, st.none() | st.booleans() | st.integers(-(10**15), 10**15) | texts, max_size=4
)
common = st.datetimes().map(lambda when: f"{when.isoformat()}Z")
instants = st.one_of(common, common, common, common, st.sampled_from(INSTANTS))
FIELDS: Mapping[str, Mapping[str, st.SearchStrategy[Any]]] = {
    "order.paid": {
        "order_id": texts,
        "amount_minor": amounts,
        "currency": currencies,
        "cost_minor": amounts | st.none(),
        "category": st.text(max_size=64) | st.none(),
    },
    "order.refunded": {"order_id": texts, "amount_minor": amounts, "currency": currencies},
    "order.cancelled": {"order_id": texts},
    "profile.changed": {"attributes": attributes},
    "identity.linked": {
        "relation": st.sampled_from(["user_of", "member_of"]),
        "target_id": texts,
    },
    "consent.changed": {"scoring": st.booleans()},
    "policy.published": {"policy": st.dictionaries(texts, st.none() | texts | attributes)},
    "customer.erase": {"reason": texts},
    "tier.pinned": {
        "grading": words,
        "tier": words,
        "author": words,
        "reason": texts,
        "expires_at": instants | st.none(),
    },
    "review.submitted": {
        "grading": words,
        "indicator": words,
        "score": scores,
        "author": words,
        "approved_by": words,
    },
    "clock.advanced": {},
    "population.cuts": {
        "policy": words,
        "version": st.integers(1, 9),
        "cuts": st.dictionaries(texts, st.lists(st.integers(), min_size=1, max_size=4)),
        "customers": st.dictionaries(texts, st.integers(0, 10**9)),
    },
    "shadow.started": {"policy": st.dictionaries(texts, st.none() | texts | attributes)},
    "shadow.ended": {},
    **{kind: {} for kind in INTERACTION_KINDS},
    "survey": {"details": st.fixed_dictionaries({"score": scores})},
    "payment.received": {
        "details": st.fixed_dictionaries({"amount_minor": amounts, "currency": currencies})
    },
    "payment.overdue": {"details": st.fixed_dictionaries({"days": st.integers(0, 36_500)})},
    "stage.changed": {"details": st.fixed_dictionaries({"stage": st.sampled_from(STAGES)})},
}


@st.composite
def plain_records(draw: st.DrawFn) -> list[Pair]:
    """Draw the fields of a record that is well formed, but for some instants."""
    kind = draw(st.sampled_from(KINDS_BY_TOPIC).flatmap(st.sampled_from))
    fields: dict[str, Any] = {
        "kind": kind,
        "event_id": draw(texts),
        "occurred_at": draw(instants),
        "customer_id": draw(texts),
        **{name: draw(values) for name, values in FIELDS[kind].items()},
    }
    if draw(st.booleans()):
        fields["schema_version"] = 1
    ascii_only = draw(st.booleans())
    pairs = [
        (json.dumps(name).encode(), json.dumps(value, ensure_ascii=ascii_only).encode())
        for name, value in fields.items()
    ]
    return draw(st.permutations(pairs))


@st.composite
def records(draw: st.DrawFn) -> bytes:
    """Draw the bytes of a record with up to two things done to it."""
    pairs = draw(plain_records())
    nasty = st.sampled_from(NASTY)
    kinds = st.sampled_from(KINDS).map(lambda kind: json.dumps(kind).encode())
    for what in draw(
        st.lists(st.sampled_from(["set", "drop", "twice", "more", "more"]), max_size=2)
    ):
        if not pairs:
            break
        at = draw(st.integers(0, len(pairs) - 1))
        key, _ = pairs[at]
        value = draw(nasty | kinds if key == b'"kind"' else nasty)
        if what == "drop":
            del pairs[at]
        elif what == "set":
            pairs[at] = (key, value)
        else:
            names = [b'"more"', b'"occurred_ms"', b'"details"', b'""', b'"\xff"', b'"\\u006bind"']
            name = key if what == "twice" else draw(st.sampled_from(names))
            pairs.insert(draw(st.integers(0, len(pairs))), (name, value))
    data = b"{" + b",".join(key + b":" + value for key, value in pairs) + b"}"
    return draw(
        st.sampled_from(
            [data] * 8 + [b"\xef\xbb\xbf" + data, data + b" ", data + data, b" \n" + data]
        )
        if draw(st.integers(0, 9))
        else st.integers(0, len(data)).map(lambda end: data[:end])
    )


def answer_of(decode: Decode, data: bytes) -> dict[str, Any] | None:
    """Return what *decode* makes of *data* as plain values; None when it rejects."""
    try:
        record = decode(data)
    except Rejected as refusal:
        return pytest.fail(f"not one line: {refusal}") if "\n" in refusal.detail else None
    fields = structs.asdict(record) | {"kind": record.kind}
    assert instant_ms(fields.pop("occurred_at")) == fields["occurred_ms"]
    if fields.get("expires_at"):
        fields["expires_at"] = instant_ms(fields["expires_at"])
    if "details" in fields:
        given_details = structs.asdict(fields["details"])
        fields["details"] = {k: v for k, v in given_details.items() if v is not None}
    return fields


def answer_of_contract(contract: TypeAdapter[Any], data: bytes) -> dict[str, Any] | None:
    """Return what the pydantic contract makes of *data*; None when it rejects."""
    try:
        event = contract.validate_json(data)
    except ValidationError:
        return None
    fields: dict[str, Any] = event.model_dump() | {"occurred_ms": event.occurred_ms}
    del fields["occurred_at"]
    if fields.get("expires_at"):
        fields["expires_at"] = instant_ms(parse_instant(fields["expires_at"]))
    return fields


PAID = (
    b'{"schema_version":1,"event_id":"e1","occurred_at":"1997-01-12T08:30:11Z","customer_id":"c1",'
    b'"kind":"order.paid","order_id":"o1","amount_minor":1299,"currency":"USD"'
)


@settings(max_examples=2_500, deadline=None)
@given(data=records())
@example(data=PAID + b"}")
@example(data=PAID + b',"more":"\xff"}')
@example(data=PAID + b',"more":"\xe5\xae\xa2"}')
@example(data=PAID + b',"more":' + b"9" * 5_000 + b"}")
@example(data=PAID + b',"more":' + b"[" * 150 + b"]" * 150 + b"}")
@example(data=PAID + b',"more":' + b"[" * 250 + b"]" * 250 + b"}")
@example(data=PAID + b',"more":NaN}')
@example(data=PAID + b',"kind":"order.refunded"}')
@example(data=PAID + b',"amount_minor":"x","amount_minor":5}')
@example(data=PAID + b',"amount_minor":5,"amount_minor":"x"}')
@example(data=PAID + b',"occurred_ms":"x"}')
@example(data=PAID + b',"occurred_ms":5}')
def test_decoders_answer_like_the_contract(data: bytes) -> None:
    """Same records accepted, with the same values; same records rejected."""
    for decode, contract in TOPICS.values():
        assert answer_of(decode, data) == answer_of_contract(contract, data)


@pytest.mark.parametrize("topic", TOPICS)
@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=60) | st.sampled_from(NASTY))
def test_any_bytes_are_decoded_or_rejected(topic: str, data: bytes) -> None:
    """No bytes whatever raise anything but `Rejected`."""
    decode, contract = TOPICS[topic]
    assert answer_of(decode, data) == answer_of_contract(contract, data)


@pytest.mark.parametrize("text", INSTANTS)
def test_instants_mean_the_same_on_both_roads(text: str) -> None:
    """Every spelling of an instant is read, or refused, by the fast road as by the contract."""
    data = PAID.replace(b'"1997-01-12T08:30:11Z"', json.dumps(text).encode()) + b"}"
    assert answer_of(decode_order, data) == answer_of_contract(ORDER_CONTRACT, data)


SAMPLES: Mapping[str, Mapping[str, object]] = {
    "order.paid": {
        "order_id": "o",
        "amount_minor": 1,
        "currency": "USD",
        "cost_minor": 1,
        "category": "x",
    },
    "order.refunded": {"order_id": "o", "amount_minor": 1, "currency": "USD"},
    "order.cancelled": {"order_id": "o"},
    "visit": {"details": {}},
    "survey": {"details": {"score": 1}},
    "payment.received": {"details": {"amount_minor": 1, "currency": "USD"}},
    "payment.overdue": {"details": {"days": 1}},
    "stage.changed": {"details": {"stage": "lost"}},
    "profile.changed": {"attributes": {"a": 1}},
    "identity.linked": {"relation": "user_of", "target_id": "p"},
    "consent.changed": {"scoring": True},
    "policy.published": {"policy": {"a": 1}},
    "customer.erase": {"reason": "r"},
    "tier.pinned": {
        "grading": "g",
        "tier": "t",
        "author": "a",
        "reason": "r",
        "expires_at": "2030-01-01T00:00:00Z",
    },
    "review.submitted": {
        "grading": "g",
        "indicator": "i",
        "score": 1,
        "author": "a",
        "approved_by": "b",
    },
    "clock.advanced": {},
    "population.cuts": {
        "policy": "p",
        "version": 1,
        "cuts": {"abc.measure": [1, 2]},
        "customers": {"abc.measure": 9},
    },
    "shadow.started": {"policy": {"a": 1}},
    "shadow.ended": {},
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_each_field_is_judged_alike(kind: str) -> None:
    """Every nasty value in every field, also inside details, gets the same answer."""
    sample: dict[str, object] = {
        "kind": kind,
        "schema_version": 1,
        "event_id": "e",
        "occurred_at": "1997-01-12T08:30:11Z",
        "customer_id": "c",
        **SAMPLES[kind],
    }
    decode, contract = next(
        TOPICS[topic] for topic, kinds in zip(TOPICS, KINDS_BY_TOPIC, strict=True) if kind in kinds
    )
    assert answer_of(decode, json.dumps(sample).encode()) is not None
    inner = sample.get("details") or sample.get("attributes") or {}
    assert isinstance(inner, dict)
    hole = "\x00hole"
    texts = [json.dumps({**sample, name: hole}) for name in sample]
    texts += [json.dumps({**sample, "details": {**inner, name: hole}}) for name in inner]
    texts += [json.dumps({**sample, "attributes": {**inner, name: hole}}) for name in inner]
    for text in texts:
        for value in NASTY:
            data = text.encode().replace(json.dumps(hole).encode(), value)
            assert answer_of(decode, data) == answer_of_contract(contract, data), data[:300]


def test_plain_records_take_the_fast_road(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record as producers usually write it never reaches the contract, nor with extra fields."""

    def reached(*_: object) -> None:
        pytest.fail("the contract was asked")

    monkeypatch.setattr(decoding, "_by_contract", reached)
    assert decode_order(PAID + b"}").occurred_ms == 853_057_811_000
    assert decode_order(PAID + b',"shop":{"id":7,"tags":["a"]}}').kind == "order.paid"
