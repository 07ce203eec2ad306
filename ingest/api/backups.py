"""A consistent copy of the database, made while it serves."""

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel

from core.access import Role
from core.errors import BadRequest
from core.store.copies import backup_serving
from core.store.database import OwnedFile
from ingest.api.dependencies import Running, needs
from ingest.service import backup_folder

router = APIRouter(tags=["operations"])


class Backup(BaseModel):
    path: str
    bytes: int


@router.post("/backup", response_model=Backup, dependencies=[needs(Role.ADMIN)], summary="Make a backup on the server")
async def backup(service: Running) -> Backup:
    """Writes `backups/health-<time>.duckdb` beside the database; reads and writes go on meanwhile."""
    if not isinstance(service.database, OwnedFile):
        raise BadRequest("The data lives in PostgreSQL.", hint="Make backups with pg_dump.")
    path = await asyncio.to_thread(backup_serving, service.database.connection, backup_folder(service.settings))
    return Backup(path=str(path.resolve()), bytes=path.stat().st_size)
