"""One customer. Asked by POST: an id in a URL would be written down by proxies and browsers."""

from fastapi import APIRouter

from agents.web.desk import AnyDesk
from agents.web.problems import documented
from schemas.api.base import CustomerQuestion
from schemas.api.customer import Activity, Card, CustomerForecast, ForecastQuestion, History

router = APIRouter(
    prefix="/customers", tags=["customers"], responses=documented(400, 404, 422, 503)
)


@router.post("/card", summary="Where a customer stands, why, and what would change it")
async def card(desk: AnyDesk, asked: CustomerQuestion) -> Card:
    """Return the same as `tierstream explain --json`."""
    return Card.model_validate(await desk.customers.card(asked.customer_id))


@router.post("/history", summary="A customer's last changes, with their reasons")
async def history(desk: AnyDesk, asked: CustomerQuestion) -> History:
    """Return the same as `tierstream history --json`; no changes are an empty list."""
    return History.model_validate(await desk.customers.history(asked.customer_id))


@router.post("/forecast", summary="What time alone will do to a customer")
async def forecast(desk: AnyDesk, asked: ForecastQuestion) -> CustomerForecast:
    """Return the same as `tierstream forecast --json`."""
    told = await desk.customers.forecast(asked.customer_id, asked.days)
    return CustomerForecast.model_validate(told)


@router.post("/activity", summary="What a customer did by day, as far as windows reach")
async def activity(desk: AnyDesk, asked: CustomerQuestion) -> Activity:
    """Return the day buckets that grades are computed from."""
    return Activity.model_validate(await desk.customers.activity(asked.customer_id))
