"""The headers that make what we publish of customers CloudEvents 1.0 (Kafka binding, binary mode).

https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/kafka-protocol-binding.md
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from schemas.base import Contract, Id, OutInstant


class CloudEventHeaders(Contract):
    """The headers of a change, of current tiers, differences and forecasts, each as UTF-8 text.

    Attributes:
        ce_id: Unique with `ce_source`; the same for the same event, whatever is restarted.
        ce_type: What is told.
        ce_source: The policy.
        ce_time: When it became true; not when it was computed.
        ce_subject: The grading; of current tiers and differences, which are of all gradings, the
            customer.
        ce_sequence: Texts that compare as the events follow each other: per customer and
            grading the number of the change or warning in ten digits, of current tiers
            and differences the instant and the number of changes. Notices about a grace have none.
        ce_partitionkey: The customer, as in the key of the record.
        ce_traceparent: The trace context of the record that brought a tier change about, where it
            had one (W3C Trace Context).
    """

    model_config = ConfigDict(populate_by_name=True)

    ce_specversion: Literal["1.0"]
    ce_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    ce_type: Literal[
        "tierstream.tier.changed.v1",
        "tierstream.customer.tiers.v1",
        "tierstream.tier.differences.v1",
        "tierstream.tier.forecast.v1",
    ]
    ce_source: Annotated[str, Field(pattern="^/tierstream/[a-z0-9-]+$")]
    ce_time: OutInstant
    ce_subject: Id
    ce_sequence: Annotated[str, Field(pattern=r"^[0-9]{10}$|^-?[0-9]{14,15}-[0-9]{10}$")] | None = (
        Field(default=None, exclude_if=lambda told: told is None)
    )
    ce_partitionkey: Id
    ce_traceparent: (
        Annotated[str, Field(pattern="^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")] | None
    ) = Field(default=None, exclude_if=lambda told: told is None)
    content_type: Literal["application/json"] = Field(alias="content-type")
