"""Fill an empty service with a simulated history, to look around in."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header
from pydantic import BaseModel

from core.access import Role
from core.errors import Unauthorized
from ingest.api.dependencies import Calling, Running
from ingest.simulation.fill import seed

router = APIRouter(tags=["operations"])

DAYS = 30


class Seeded(BaseModel):
    status: Literal["seeded"] = "seeded"
    count: int


@router.post("/seed", response_model=Seeded, summary="Fill an empty database with a simulated history")
def seed_once(
    service: Running, caller: Calling, x_seed_key: Annotated[str | None, Header(description="The write key.")] = None
) -> Seeded:
    """`count` is how many attempts are there. Repeating changes nothing; a database with real runs gets 409."""
    if x_seed_key is not None and service.callers.needs_key():
        if not service.callers.is_write_key(x_seed_key):
            raise Unauthorized("The header X-Seed-Key is wrong.")
    elif caller.role is not Role.ADMIN:
        raise Unauthorized("The header X-Seed-Key is missing; it is the write key.")
    return Seeded(count=seed(service.writer, service.reader, days=DAYS))
