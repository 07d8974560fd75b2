"""Customer lifetime value in the policy language: a model by name, and its parameters."""

from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from schemas.policy.labels import Named
from schemas.policy.part import Part, refuse
from schemas.policy.quantities import Days, Rate, Unit, Weight

LARGEST_SHAPE: Final = 1_000
LARGEST_SCALE: Final = 10**12
_UNIT_DAYS: Final = {"days": 1, "weeks": 7}


def _shape(value: Decimal) -> Decimal:
    if value > LARGEST_SHAPE:
        refuse(f'a decimal number above 0 and at most {LARGEST_SHAPE}, in quotes, such as "0.243"')
    return value


def _shape_above_one(value: Decimal) -> Decimal:
    if not 1 < value <= LARGEST_SHAPE:
        refuse(
            f'a decimal number above 1 and at most {LARGEST_SHAPE}, in quotes, such as "3.74": '
            "at 1 and below, customers have no mean spend"
        )
    return value


def _scale(value: Decimal) -> Decimal:
    if value > LARGEST_SCALE:
        refuse('a decimal number above 0 and at most a million million, in quotes, such as "4.414"')
    return value


Shape = Annotated[Rate, AfterValidator(_shape)]
ShapeAboveOne = Annotated[Rate, AfterValidator(_shape_above_one)]
Scale = Annotated[Rate, AfterValidator(_scale)]


class Bgnbd(Part):
    """How often customers buy and when they stop: the parameters of BG/NBD.

    Attributes:
        r: Shape of the rates of purchase.
        alpha: Their inverse scale, in `time_unit`.
        a: Of the chance to stop after a purchase.
        b: The same, second parameter.
        time_unit: The unit of time they were fitted in.
    """

    r: Shape = Field(description='a decimal number above 0, in quotes, such as "0.243"')
    alpha: Scale = Field(description='a decimal number above 0, in quotes, such as "4.414"')
    a: Shape = Field(description='a decimal number above 0, in quotes, such as "0.793"')
    b: Shape = Field(description='a decimal number above 0, in quotes, such as "2.426"')
    time_unit: Literal["days", "weeks"] = Field(description="days or weeks")

    @property
    def unit_days(self) -> int:
        """Days in the unit of time."""
        return _UNIT_DAYS[self.time_unit]


class GammaGamma(Part):
    """What a purchase is worth: the parameters of Gamma-Gamma.

    Attributes:
        p: Shape of one customer's spend.
        q: Shape of the means over customers.
        gamma: Their scale, in major units of the reporting currency.
    """

    p: Shape = Field(description='a decimal number above 0, in quotes, such as "6.25"')
    q: ShapeAboveOne = Field(description='a decimal number above 1, in quotes, such as "3.74"')
    gamma: Scale = Field(description='a decimal number above 0, in quotes, such as "15.44"')


class CltvMeasure(Named):
    """What a customer is expected to bring in yet; unknown without a surviving order.

    Attributes:
        cltv: The model: BG/NBD for how often, Gamma-Gamma for how much.
        purchases: Parameters of the former; ``tierstream fit cltv`` estimates both.
        spend: Parameters of the latter.
        horizon: How far ahead purchases count.
        yearly_discount: What money loses in a year; None for nothing.
        margin: Share of revenue that stays after the cost of sales; None for all.
        referral_uplift: What each referral adds to the value; None for nothing.
    """

    cltv: Literal["bgnbd_gamma_gamma"] = Field(description="bgnbd_gamma_gamma")
    purchases: Bgnbd = Field(description="a mapping with r, alpha, a, b and time_unit")
    spend: GammaGamma = Field(description="a mapping with p, q and gamma")
    horizon: Days = Field(description="days such as 365d")
    yearly_discount: Weight | None = Field(default=None, description='a percent such as "10%"')
    margin: Weight | None = Field(default=None, description='a percent such as "30%"')
    referral_uplift: Weight | None = Field(default=None, description='a percent such as "5%"')

    @property
    def unit(self) -> Unit:
        """Minor units of the reporting currency."""
        return "money"
