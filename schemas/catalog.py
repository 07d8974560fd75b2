"""Every topic with its contract, and the JSON Schemas published for them.

`python -m schemas.catalog --write` renews the committed files, `--check` fails if they are old.
"""

import json
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from schemas import committed
from schemas.controls import ControlEvent
from schemas.customer_tiers import CustomerTiers
from schemas.dead_letters import DeadLetterHeaders
from schemas.erasure_receipts import ErasureReceipt
from schemas.interactions import InteractionEvent
from schemas.orders import OrderEvent
from schemas.policy.document import PolicyDocument
from schemas.profiles import ProfileEvent
from schemas.tier_changes import TierChange
from schemas.tier_differences import TierDifferences
from schemas.tier_forecasts import TierForecast

Direction = Literal["in", "out"]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
FOLDER: Final = Path(__file__).parent / "json"
RELEASED: Final = FOLDER / "released"
POLICY: Final = "policy"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as the outside sees it.

    Attributes:
        name: Without any prefix of the installation.
        direction: in: others write, we read; out: we write, others read.
        contract: Validates one record's value (of dead letters: its headers).
        key: Field whose UTF-8 text is the key of the record.
        compacted: Whether the broker keeps only the newest record of each key.
    """

    name: str
    direction: Direction
    contract: TypeAdapter[Any]
    key: str = "customer_id"
    compacted: bool = False


TOPICS: Final[dict[str, Topic]] = {
    topic.name: topic
    for topic in (
        Topic("orders", "in", TypeAdapter(OrderEvent)),
        Topic("interactions", "in", TypeAdapter(InteractionEvent)),
        Topic("profiles", "in", TypeAdapter(ProfileEvent)),
        Topic("controls", "in", TypeAdapter(ControlEvent)),
        Topic("tier-changes", "out", TypeAdapter(TierChange)),
        Topic("customer-tiers", "out", TypeAdapter(CustomerTiers), compacted=True),
        Topic("tier-forecasts", "out", TypeAdapter(TierForecast)),
        Topic("tier-differences", "out", TypeAdapter(TierDifferences), compacted=True),
        Topic("dead-letters", "out", TypeAdapter(DeadLetterHeaders), key="the original key"),
        Topic("erasure-receipts", "out", TypeAdapter(ErasureReceipt), key="id", compacted=True),
    )
}

DIRECTIONS: Final[dict[str, Direction]] = {
    **{name: topic.direction for name, topic in TOPICS.items()},
    POLICY: "in",
}
"""Of every published schema; a policy file is written by others and read by us."""


def file_name(name: str) -> str:
    """Return the file that the schema called *name* is published as."""
    return f"{name}.v1.schema.json"


def published_schemas() -> dict[str, dict[str, Any]]:
    """Return every JSON Schema by name, generated from the models."""
    schemas = {name: topic.contract.json_schema() for name, topic in TOPICS.items()}
    schemas[POLICY] = PolicyDocument.model_json_schema()
    return {
        name: schema | {"$schema": DIALECT, "$id": file_name(name)}
        for name, schema in schemas.items()
    }


def as_text(schema: dict[str, Any]) -> str:
    """Return *schema* as it is committed: the same text for the same schema."""
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def files(folder: Path) -> dict[Path, str | None]:
    """Return what the models say each file of *folder* is to hold; no other has a place there."""
    others: dict[Path, str | None] = dict.fromkeys(folder.glob("*.json"))
    schemas = published_schemas()
    return others | {folder / file_name(name): as_text(one) for name, one in schemas.items()}


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    return committed.run("schemas.catalog", partial(files, FOLDER), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
