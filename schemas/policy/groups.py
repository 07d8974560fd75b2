"""Groups: which measures count what members have as well."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field

from schemas.policy.findings import Mistake, shown
from schemas.policy.measures import AttributeMeasure
from schemas.policy.part import Items, Part
from schemas.policy.quantities import Name

if TYPE_CHECKING:
    from schemas.policy.shape import PolicyShape


class Groups(Part):
    """Customers count for the one that they are linked to, which counts for its own parent.

    Attributes:
        measures: Those that count everyone below; None for every one but attributes. The others
            look at the customer alone.
    """

    measures: Items[Name] | None = Field(
        default=None, description="a list of measures, such as [revenue_365d, orders]"
    )

    def counts(self, measure: str) -> bool:
        """Say whether *measure* counts what members have as well."""
        return self.measures is None or measure in self.measures

    def mistakes(self, policy: "PolicyShape") -> Iterator[Mistake]:
        """Yield every name that no group can add up."""
        sums = [
            name for name, spec in policy.measures.items() if not isinstance(spec, AttributeMeasure)
        ]
        allowed = "the measures " + ", ".join(sums) + " (attributes have no sum)"
        for index, name in enumerate(self.measures or ()):
            if name not in sums:
                yield Mistake(("groups", "measures", index), shown(name), allowed)
