"""Every error a person can meet. Becomes HTTP in `ingest.errors`, a page message in `dashboard.parts.notices`."""


class DashboardError(Exception):
    """An expected failure, told in one sentence, with what to do about it.

    `code` is the machine-readable name, `status` the HTTP status, `details` the fields concerned.
    """

    code = "internal_error"
    status = 500

    def __init__(self, message: str, *, hint: str = "", details: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details or {}

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class BadRequest(DashboardError):
    code = "bad_request"
    status = 400


class Unauthorized(DashboardError):
    code = "unauthorized"
    status = 401


class Forbidden(DashboardError):
    code = "forbidden"
    status = 403


class NotFound(DashboardError):
    code = "not_found"
    status = 404


class Conflict(DashboardError):
    """Somebody else changed the same thing first; the details say who."""

    code = "conflict"
    status = 409


class BadPayload(DashboardError):
    """A delivery that is authentic but can't be understood: kept as failed, replayed later."""

    code = "bad_payload"
    status = 422


class TooManyRequests(DashboardError):
    code = "too_many_requests"
    status = 429


class UnknownParameter(DashboardError):
    code = "unknown_parameter"
    status = 422


class BadSetting(DashboardError):
    code = "bad_setting"


class StoreUnavailable(DashboardError):
    """The database can't be opened or read: locked, unreadable, newer than this program, or its server is away."""

    code = "store_unavailable"
    status = 503


class Gone(DashboardError):
    """It existed, but the CI system no longer has it."""

    code = "gone"
    status = 410


class ProviderUnavailable(DashboardError):
    """A CI system can't be reached, refuses us, or answers with something that isn't an answer."""

    code = "provider_unavailable"
    status = 502


def first_line(error: Exception) -> str:
    """What an error of a library says first; databases write hints for programmers below."""
    return str(error).strip().partition("\n")[0]
