"""Log lines, of this program and of its libraries: structured, without secrets, as JSON or for a terminal."""

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from io import TextIOBase
from typing import Any, TextIO, cast

import structlog

from core.redaction import Redactor, secrets_of
from core.settings import Settings


class Unfailing(TextIOBase):
    """Standard error that loses a line where its disk is full: a request must not fail because of its log."""

    def write(self, text: str) -> int:
        with suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


def configure_logs(settings: Settings) -> None:
    """Send lines of at least LOG_LEVEL to standard error; every line passes the redactor."""
    for_people = sys.stderr.isatty() if settings.log_format == "auto" else settings.log_format == "console"
    console, json = structlog.dev.ConsoleRenderer, structlog.processors.JSONRenderer
    look = console(colors=sys.stderr.isatty()) if for_people else json()
    output = cast("TextIO", Unfailing())
    redactor = Redactor(secrets_of(settings))

    def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
        cleaned: dict[str, Any] = redactor.anything(event)
        return cleaned

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, redact, look],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level)),
        logger_factory=structlog.PrintLoggerFactory(output),
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, look],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.getLogger("uvicorn.access").propagate = False  # `ingest.guards.measure` writes that line
    for name in ("httpx", "httpcore", "apscheduler"):
        logging.getLogger(name).setLevel(logging.WARNING)  # a line for each request and each timed job is noise
