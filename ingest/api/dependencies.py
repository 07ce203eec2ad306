"""What endpoints ask for: the running service, and proof that the caller may write."""

import hmac
from typing import Annotated

from fastapi import Depends, Header, Request

from core.errors import Unauthorized
from ingest.service import Service


def running_service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Running = Annotated[Service, Depends(running_service)]


def check_write_key(given: str | None, service: Service) -> None:
    """Raise Unauthorized unless `given` is the write key, where one is set; compared in constant time."""
    key = service.settings.api_write_key
    if key and not hmac.compare_digest((given or "").encode(), key.get_secret_value().encode()):
        raise Unauthorized("The header X-API-KEY is missing or wrong.")


def may_write(service: Running, x_api_key: Annotated[str | None, Header()] = None) -> None:
    check_write_key(x_api_key, service)


MayWrite = Depends(may_write)
