"""Files in an S3-compatible bucket (Amazon S3, MinIO, Ceph and others), through Arrow's client.

The database itself never reads from it and knows none of its keys: files are copied whole.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import file_digest
from pathlib import Path
from typing import Any

import structlog
from pyarrow import fs

from core.errors import StoreUnavailable, first_line
from core.settings import Settings

log = structlog.get_logger()

CONNECT_SECONDS, REQUEST_SECONDS, TRIES = 5, 60, 3
COPIED_AT_ONCE = 1 << 20


class Bucket:
    """The bucket and prefix of `ARCHIVE_FOLDER`. Calls raise StoreUnavailable where the bucket refuses or is away."""

    def __init__(self, settings: Settings) -> None:
        assert settings.archive_folder
        self.address = settings.archive_folder.rstrip("/")
        self._settings = settings
        self._client: fs.S3FileSystem | None = None

    def upload(self, source: Path, name: str) -> None:
        """Store a file under a name, and read it back: it must hold the very same bytes."""
        with self._told(f"{name} could not be stored"):
            fs.copy_files(str(source), self._key(name), fs.LocalFileSystem(), self._connected(), use_threads=False)
            with self._connected().open_input_stream(self._key(name)) as stored:
                found = _digest(stored)
        with source.open("rb") as file:
            if _digest(file) != found:
                raise StoreUnavailable(f"{self.address}/{name} doesn't hold what was written to it.")

    def fetch(self, name: str, target: Path) -> None:
        """Copy a file to this machine: whole or not at all. Raises FileNotFoundError for one that isn't there."""
        part = target.with_name(f"{uuid.uuid4().hex}.part")  # several processes may fetch it at once
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._told(f"{name} could not be read"):
                fs.copy_files(self._key(name), str(part), self._connected(), fs.LocalFileSystem(), use_threads=False)
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def holds(self, name: str) -> bool:
        """Whether the bucket has a file of this name."""
        with self._told(f"{name} could not be looked for"):
            return bool(self._connected().get_file_info(self._key(name)).type == fs.FileType.File)

    def remove(self, name: str) -> None:
        with suppress(OSError):
            self._connected().delete_file(self._key(name))

    def __str__(self) -> str:
        return self.address

    def _key(self, name: str) -> str:
        return f"{self.address.removeprefix('s3://')}/{name}"

    def _connected(self) -> fs.S3FileSystem:
        """Made when first used: looking for credentials may already ask the network."""
        if self._client is None:
            settings = self._settings
            secret, token = settings.aws_secret_access_key, settings.aws_session_token
            scheme, _, host = (settings.aws_endpoint_url or "https://").partition("://")
            self._client = fs.S3FileSystem(
                access_key=settings.aws_access_key_id,
                secret_key=secret.get_secret_value() if secret else None,
                session_token=token.get_secret_value() if token else None,
                region=settings.aws_region,
                scheme=scheme,
                endpoint_override=host or None,
                connect_timeout=CONNECT_SECONDS,
                request_timeout=REQUEST_SECONDS,
                retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=TRIES),
            )
        return self._client

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreUnavailable(f"{what} in {self.address}.", hint=first_line(error)[:300]) from None


def _digest(file: Any) -> str:
    return file_digest(file, "sha256").hexdigest()
