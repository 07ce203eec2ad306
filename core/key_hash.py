"""Keys as they are kept: salted and hashed, because people with read-only SQL can see the settings table."""

import hashlib
import hmac
import os

# About 15 ms and 8 MB: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#scrypt
COST, BLOCK, LANES = 2**13, 8, 1


def hashed(key: str) -> str:
    """`scrypt$<salt>$<hash>`; another salt each time."""
    salt = os.urandom(16)
    return f"scrypt${salt.hex()}${_scrypt(key, salt).hex()}"


def is_key(key: str, kept: str) -> bool:
    """True if `kept` is the hash of `key`; compared in constant time."""
    kind, salt, digest = kept.split("$")
    return kind == "scrypt" and hmac.compare_digest(_scrypt(key, bytes.fromhex(salt)), bytes.fromhex(digest))


def _scrypt(key: str, salt: bytes) -> bytes:
    return hashlib.scrypt(key.encode("utf-8", "surrogateescape"), salt=salt, n=COST, r=BLOCK, p=LANES)
