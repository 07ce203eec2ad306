"""Settings: those of the environment (to see) and those of the settings table (to change while the service runs)."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from core.access import ROLES_KEY, Role
from core.redaction import Redactor, masked, secrets_of
from core.store import stored_settings as store
from ingest.api.dependencies import Calling, Running, needs
from ingest.api.frames import records
from ingest.service import Service

router = APIRouter(tags=["settings"])

RoleWord = Literal["viewer", "operator", "admin"]
PersonName = Annotated[str, Field(min_length=1, max_length=200)]


class WriteKey(BaseModel):
    is_set: bool
    changed_at: datetime | None
    changed_by: str | None
    previous_valid_until: datetime | None


class SettingsShown(BaseModel):
    environment: dict[str, Any] = Field(description="Read at start; secrets as `***` and their last four letters.")
    roles: dict[str, RoleWord] = Field(description="By a token's subject or verified e-mail; stronger than its claim.")
    write_key: WriteKey


class SettingsChange(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"roles": {"ana@example.org": "admin"}}]})

    roles: Annotated[dict[PersonName, RoleWord], Field(max_length=10_000)] | None = Field(
        None, description="Replaces all roles."
    )
    api_write_key: Annotated[SecretStr, Field(min_length=16, max_length=500)] | None = Field(
        None, description="The new write key; kept as a hash, valid at once."
    )
    previous_key_valid_hours: int = Field(
        0, ge=0, le=168, strict=True, description="How long the old write key stays valid."
    )


@router.get("/settings", response_model=SettingsShown, summary="See the settings")
def shown(service: Running) -> SettingsShown:
    rows = {row["key"]: row for row in records(service.reader.frame("stored_settings"))}
    key, until = rows.get(store.WRITE_KEY), rows.get(store.PREVIOUS_UNTIL)
    return SettingsShown(
        environment=_environment(service),
        roles={name: role.word for name, role in service.callers.roles().items()},
        write_key=WriteKey(
            is_set=key is not None,
            changed_at=key and key["updated_at"],
            changed_by=key and key["updated_by"],
            previous_valid_until=until and until["value"],
        ),
    )


@router.put(
    "/settings", response_model=SettingsShown, dependencies=[needs(Role.ADMIN)], summary="Change stored settings"
)
def change(service: Running, caller: Calling, change: SettingsChange) -> SettingsShown:
    """Who has which role, and the write key. Takes effect at once, without a restart."""
    now = datetime.now(UTC)
    if change.roles is not None:
        roles = orjson.dumps(change.roles).decode()
        service.writer.transact(lambda cursor: store.put(cursor, {ROLES_KEY: roles}, caller.name, now)).result()
    if change.api_write_key is not None:
        new, hours = change.api_write_key.get_secret_value(), change.previous_key_valid_hours
        until = now + timedelta(hours=hours) if hours else None
        service.writer.transact(lambda cursor: store.change_write_key(cursor, new, until, caller.name, now)).result()
    service.callers.forget()
    return shown(service)


def _environment(service: Service) -> dict[str, Any]:
    redactor = Redactor(secrets_of(service.settings))
    return {
        name.upper(): masked(value.get_secret_value()) if isinstance(value, SecretStr) else redactor.anything(value)
        for name, value in service.settings
    }
