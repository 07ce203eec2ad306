"""A consistent copy of the database, made while it serves."""

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel

from core.access import Role
from core.store.copies import backup_serving
from ingest.api.dependencies import Running, needs
from ingest.service import backup_folder

router = APIRouter(tags=["operations"])


class Backup(BaseModel):
    path: str
    bytes: int


@router.post("/backup", response_model=Backup, dependencies=[needs(Role.ADMIN)], summary="Make a backup on the server")
async def backup(service: Running) -> Backup:
    """Writes `backups/health-<time>.duckdb` beside the database; reads and writes go on meanwhile."""
    path = await asyncio.to_thread(backup_serving, service.connection, backup_folder(service.settings))
    return Backup(path=str(path.resolve()), bytes=path.stat().st_size)
