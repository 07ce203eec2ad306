"""Secrets never leave: the one place that takes them out of logs, errors, pages and notifications.

What is taken out: every secret of the settings wherever it stands in a text, and what looks like a credential of
somebody else (an Authorization header, a token by its vendor's prefix, the password in an address).
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from pydantic import SecretStr

from core.settings import Settings, settings

SHORTEST_WITH_END = 12

# Left of the secret is kept, so that a reader sees what stood there.
_LOOKS = re.compile(
    r"""(?xi)
    (\b(?:bearer|basic)\s+)[A-Za-z0-9+/=._~-]{8,}
    | (\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/@]+(?=@)
    | (\b(?:gh[pousr]_|github_pat_|glpat-|gldt-|whsec_|xox[abpors]-))[A-Za-z0-9_-]{8,}
    | (hooks\.slack\.com/services/)[A-Za-z0-9/]+
    | ()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*
    """
)
_SECRET_NAMES = re.compile(r"(?i)authorization|api[_-]?key|seed[_-]?key|password|secret|(?<!-)token$|cookie")


def masked(secret: str) -> str:
    """`***abcd`: enough to tell two secrets apart; nothing of a short one."""
    return "***" + (secret[-4:] if len(secret) >= SHORTEST_WITH_END else "")


def secrets_of(settings: Settings) -> frozenset[str]:
    """Every secret that the settings hold, the passwords in their addresses too, also as it looks within an address."""
    held = [one for _, value in settings for one in (value.values() if isinstance(value, dict) else [value])]
    plain = {one.get_secret_value() for one in held if isinstance(one, SecretStr)}
    # Several addresses stand in one setting; each may go wrong, and be shown, alone.
    plain |= {part.strip() for secret in plain if "://" in secret for part in secret.split(",")}
    addresses = plain | {value for _, value in settings if isinstance(value, str)}
    plain |= {password for address in addresses if (password := _password_in(address))}
    return frozenset(form for secret in plain if secret for form in (secret, unquote(secret), quote(secret, safe="")))


def _password_in(address: str) -> str | None:
    try:
        return urlsplit(address).password if "://" in address else None
    except ValueError:  # no address after all
        return None


def redactor() -> "Redactor":
    """The one of this process, by its settings. Raises BadSetting."""
    return _redactor_for(settings())


@lru_cache(maxsize=2)
def _redactor_for(chosen: Settings) -> "Redactor":
    return Redactor(secrets_of(chosen))


class Redactor:
    """Takes known secrets and what looks like one out of texts, and out of everything within mappings and lists."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        longest_first = sorted(secrets, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, value: str) -> str:
        if self._known:
            value = self._known.sub(lambda found: masked(found.group()), value)
        return _LOOKS.sub(lambda found: "".join(group or "" for group in found.groups()) + "***", value)

    def anything(self, value: Any) -> Any:
        """The same value without secrets; what is neither text, number, mapping nor list becomes text."""
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, SecretStr):
            return masked(value.get_secret_value())
        if isinstance(value, Mapping):
            return {self.text(str(name)): self._named(str(name), entry) for name, entry in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.anything(entry) for entry in value]
        return self.text(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))

    def _named(self, name: str, value: Any) -> Any:
        """A value whose name says that it is a secret is masked whatever it looks like."""
        if isinstance(value, str) and _SECRET_NAMES.search(name) and not value.startswith("***"):
            return masked(value)
        return self.anything(value)
