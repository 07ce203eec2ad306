"""With nothing configured, calls pass without credentials: so they may only come to a loopback address."""

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import BadSetting, Forbidden
from core.settings import settings
from ingest.errors import error_body


class Exposure:
    """Guards a service started by hand (`uvicorn --host 0.0.0.0`), which can't be refused at its start."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope.get("server"):
            try:
                settings().check_exposure(scope["server"][0])
            except BadSetting:
                message = "Without API_WRITE_KEY this service answers on loopback only. Set it, or DEMO_MODE=true."
                body = error_body(Forbidden.code, message, {}, scope.get("request_id", ""))
                await JSONResponse(body, Forbidden.status)(scope, receive, send)
                return
        await self.app(scope, receive, send)
