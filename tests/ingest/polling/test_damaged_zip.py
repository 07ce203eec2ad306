"""A zip of logs whose bytes were damaged on the way: its text is told or it is said to be unreadable, nothing else."""

import io
import zipfile

import pytest

from core.errors import ProviderUnavailable
from ingest.providers.github.logs import unpack

LOG = b"##[error]Process completed with exit code 1.\n" * 20


def zipped(compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("test/1_Set up.txt", b"begin\n")
        archive.writestr("test/2_Run.txt", LOG)
    return file.getvalue()


def result(content: bytes) -> str:
    try:
        return unpack(io.BytesIO(content), "test", lambda _: None)
    except ProviderUnavailable:
        return "unreadable"


def test_a_whole_zip_is_read() -> None:
    told: list[bytes] = []
    assert unpack(io.BytesIO(zipped()), "test", told.append) == "kept"
    assert b"".join(told) == b"begin\n" + LOG


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_no_damaged_byte_gives_another_error(compression: int) -> None:
    whole = zipped(compression)
    results = set()
    for place in range(len(whole)):
        for wrong in (0x00, 0x01, 0x7F, 0xFF, whole[place] ^ 0x80):
            results.add(result(whole[:place] + bytes([wrong]) + whole[place + 1 :]))
    assert results == {"kept", "missing", "unreadable"}


def test_no_cut_gives_another_error() -> None:
    whole = zipped()
    assert {result(whole[:end]) for end in range(len(whole))} == {"unreadable"}
    assert result(b"") == "unreadable"
