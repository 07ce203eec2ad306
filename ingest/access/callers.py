"""From the headers of a request to its caller."""

import hashlib
import hmac
import threading
import time
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from core.access import Role, role_of, shown_name, stored_roles
from core.errors import Unauthorized
from core.key_hash import is_key
from core.settings import Settings
from core.store import stored_settings
from core.store.reader import Reader
from ingest.access.tokens import Tokens
from ingest.api.frames import records

# What another process changed in the settings table is seen after this long; own changes at once.
STORED_SECONDS = 5.0
KEY_HOLDER = "api-key"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, what he may do, and how he showed it. `open`: without a credential, where none is needed."""

    name: str
    role: Role | None
    via: Literal["open", "key", "bearer"]


class Callers:
    """Knows callers by the settings of the process and by the settings table. Thread-safe."""

    def __init__(self, settings: Settings, reader: Reader) -> None:
        self._settings = settings
        self._reader = reader
        self._tokens = Tokens(settings)
        self._lock = threading.Lock()
        self._stored: dict[str, str] = {}
        self._stored_until = 0.0
        self._good_keys: set[bytes] = set()

    def forget(self) -> None:
        """The settings table was changed: read it again before the next answer."""
        with self._lock:
            self._stored_until = 0.0

    def anonymous(self) -> Caller:
        """A caller without a credential: everything passes where nothing is configured, reads where no tokens are."""
        if not self._is_configured():
            return Caller("anonymous", Role.ADMIN, "open")
        return Caller("anonymous", None if self.reads_need_token else Role.VIEWER, "open")

    @property
    def reads_need_token(self) -> bool:
        """True where tokens are accepted: then who reads must show one."""
        return self._tokens.are_accepted

    def needs_key(self) -> bool:
        """True where a write key is set."""
        return stored_settings.WRITE_KEY in self._table()

    def caller(self, authorization: str | None, key: str | None) -> Caller:
        """Who shows these; of two good ones the stronger wins. Raises Unauthorized (why) for a wrong one."""
        found: list[Caller] = []
        if authorization and self.reads_need_token:
            found.append(self._bearer(_token_in(authorization)))
        if key is not None and self.needs_key():
            if not self.is_write_key(key):
                raise Unauthorized("The header X-API-KEY is wrong.")
            found.append(Caller(KEY_HOLDER, Role.ADMIN, "key"))
        return max(found, key=lambda caller: caller.role or 0, default=None) or self.anonymous()

    def is_write_key(self, key: str) -> bool:
        """True for the write key, and for the one before it while that is still valid."""
        table = self._table()
        hashes = [table[stored_settings.WRITE_KEY]] if stored_settings.WRITE_KEY in table else []
        until = table.get(stored_settings.PREVIOUS_UNTIL)
        if until and datetime.fromisoformat(until) > datetime.now(UTC):
            hashes.append(table[stored_settings.PREVIOUS_KEY])
        return any(self._is_key(key, kept) for kept in hashes)

    def _is_key(self, key: str, kept: str) -> bool:
        """Hashing is slow on purpose; a key that was right once is known by a quick digest, of this process alone."""
        quick = hashlib.sha256(f"{kept}\0{key}".encode("utf-8", "surrogateescape")).digest()
        if any(hmac.compare_digest(quick, known) for known in self._good_keys):
            return True
        if not is_key(key, kept):
            return False
        self._good_keys = {quick, *list(self._good_keys)[:3]}
        return True

    def _bearer(self, token: str) -> Caller:
        claims = self._tokens.claims_of(token)
        return Caller(shown_name(claims), role_of(claims, self.roles(), self._settings), "bearer")

    def roles(self) -> dict[str, Role]:
        """Who has which role by the settings table; stronger than what a token claims."""
        return stored_roles(self._table())

    def _is_configured(self) -> bool:
        return self.needs_key() or self.reads_need_token

    def _table(self) -> Mapping[str, str]:
        with self._lock:
            if time.monotonic() >= self._stored_until:
                rows = records(self._reader.frame("stored_settings"))
                self._stored = {row["key"]: row["value"] for row in rows}
                self._stored_until = time.monotonic() + STORED_SECONDS
            return self._stored


def _token_in(authorization: str) -> str:
    """The token of `Bearer <token>`; or of `Basic`, as the password, for feed readers that know nothing else."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return b64decode(rest, validate=True).decode().partition(":")[2]
        except ValueError:
            raise Unauthorized("The header Authorization is malformed.") from None
    raise Unauthorized("The header Authorization must be `Bearer <token>`.")
