"""A person's own SELECT over the documented views, answered within bounds."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from core.store import asking
from core.store.database import OwnedFile
from core.store.postgres import asking as postgres_asking
from ingest.api.dependencies import Running
from ingest.api.models import ErrorBody

router = APIRouter(tags=["sql"])


class Column(BaseModel):
    name: str = Field(examples=["repository"])
    type: str = Field(examples=["VARCHAR"], description="DuckDB's word for it.")


class SqlAnswer(BaseModel):
    columns: list[Column]
    rows: list[list[Any]] = Field(examples=[[["acme/web", 12]]], description="Times as ISO 8601; long texts are cut.")
    is_cut: bool = Field(description="Whether there are more rows than were asked for.")


@router.get("/sql", response_model=SqlAnswer, responses={400: {"model": ErrorBody}}, summary="Ask in SQL")
def sql(
    service: Running,
    query: Annotated[
        str, Query(min_length=1, max_length=10_000, examples=["SELECT repository, count(*) FROM runs GROUP BY ALL"])
    ],
    limit: Annotated[int, Query(ge=1, le=asking.MOST_ROWS, description="Rows at most.")] = 1000,
) -> SqlAnswer:
    """One SELECT in DuckDB's dialect (translated for PostgreSQL) over the documented views. It is stopped after
    `SQL_TIMEOUT_SECONDS`."""
    seconds = service.settings.sql_timeout_seconds
    if isinstance(service.database, OwnedFile):
        answer = asking.ask(service.database.connection, query, limit=limit, seconds=seconds)
    else:
        answer = postgres_asking.ask(service.database.reader, query, limit=limit, seconds=seconds)
    columns = [Column(name=name, type=kind) for name, kind in zip(answer.columns, answer.types, strict=True)]
    return SqlAnswer(columns=columns, rows=answer.rows, is_cut=answer.is_cut)
