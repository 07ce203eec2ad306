"""The archive's files in a folder and in a bucket of a real S3 server: whole, or told by name."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
import structlog

from core.errors import StoreUnavailable
from core.settings import load_settings
from core.store import archive_copies, bucket
from core.store.archive_copies import found
from core.store.archive_files import Archive, archive_of
from core.store.bucket import Bucket
from tests.ports import free_port
from tests.s3_server import S3, s3_bucket

A, B, C = (f"jobs/month=2025-0{number}/{number}.parquet" for number in (1, 2, 3))


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_bucket() as bucket:
        yield bucket


def bucket_at(s3: S3, prefix: str, **given: Any) -> Bucket:
    return Bucket(load_settings(**cast("Any", s3.settings(prefix) | given)))


def write(folder: Path, *names: str) -> Archive:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"the rows of {name}")
    return Archive(folder)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_settings_name_is_a_folder_or_a_bucket_with_copies_beside_the_database(tmp_path: Path) -> None:
    database = f"duckdb:///{tmp_path}/x/health.duckdb"
    plain = archive_of(load_settings(database_url=database))
    assert (plain.folder, plain.bucket, str(plain)) == (tmp_path / "x" / "archive", None, f"{tmp_path}/x/archive")
    far = archive_of(load_settings(database_url=database, archive_folder="s3://bucket/prefix/"))
    assert far.folder == tmp_path / "x" / "archive"
    assert str(far) == "s3://bucket/prefix"


def test_a_file_goes_into_the_bucket_and_comes_back_whole(s3: S3, tmp_path: Path) -> None:
    there = bucket_at(s3, "deep/whole")
    assert str(there) == f"s3://{s3.bucket}/deep/whole"
    assert not there.holds(A)
    there.upload(write(tmp_path / "one", A).place(A), A)
    assert there.holds(A)
    assert s3.names_under("deep/whole") == [A]
    there.fetch(A, tmp_path / "two" / A)
    assert (tmp_path / "two" / A).read_text() == f"the rows of {A}"
    assert files(tmp_path / "two") == [A]
    there.remove(A)
    there.remove(A)
    assert not there.holds(A)
    with pytest.raises(FileNotFoundError):
        there.fetch(A, tmp_path / "three" / A)
    assert files(tmp_path / "three") == []


def test_a_file_that_arrives_damaged_is_told(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = bucket.fs.copy_files

    def cut_short(source: str, *others: Any, **more: Any) -> None:
        Path(source).write_text("the rows")
        copy(source, *others, **more)
        Path(source).write_text("the rows of all")

    monkeypatch.setattr(bucket.fs, "copy_files", cut_short)
    with pytest.raises(StoreUnavailable) as caught:
        bucket_at(s3, "damaged").upload(write(tmp_path, A).place(A), A)
    assert str(caught.value) == f"s3://{s3.bucket}/damaged/{A} doesn't hold what was written to it."


@pytest.mark.parametrize("why", ["secret", "away"])
def test_a_bucket_that_refuses_or_is_away_is_told_without_secrets(s3: S3, tmp_path: Path, why: str) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    given = {"secret": {"aws_secret_access_key": "quite-another-secret"}, "away": {"aws_endpoint_url": away}}[why]
    there, source = bucket_at(s3, "refused", **given), write(tmp_path, A).place(A)
    acts = {
        f"{A} could not be stored": lambda: there.upload(source, A),
        f"{A} could not be read": lambda: there.fetch(A, tmp_path / "to" / A),
        f"{A} could not be looked for": lambda: there.holds(A),
    }
    for words, act in acts.items():
        with pytest.raises(StoreUnavailable) as caught:
            act()
        assert caught.value.message == f"{words} in {there}."
        assert caught.value.hint
        assert len(caught.value.hint) <= 300
        assert "\n" not in caught.value.hint
        assert "quite-another" not in f"{caught.value.hint} {caught.value.__cause__}"
    there.remove(A)  # what can't be removed stays
    assert files(tmp_path / "to") == []


def test_the_bucket_is_asked_with_the_key_the_token_and_the_region_of_the_settings() -> None:
    asked: list[dict[str, str]] = []

    class Listens(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Listens) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        s3 = S3(address, "the-key", "the-secret", "bucket")
        with suppress(StoreUnavailable):  # what is asked next isn't understood here
            bucket_at(s3, "x", aws_region="eu-far-7", aws_session_token="the-token").holds(A)
        server.shutdown()
    assert asked[0]["path"] == f"/bucket/x/{A}".replace("=", "%3D")
    assert asked[0]["x-amz-security-token"] == "the-token"
    assert "Credential=the-key/" in asked[0]["authorization"]
    assert "/eu-far-7/s3/" in asked[0]["authorization"]


def test_a_bucket_that_does_not_exist_is_not_made(s3: S3, tmp_path: Path) -> None:
    there = bucket_at(s3, "x", archive_folder="s3://no-such-bucket/x")
    with pytest.raises(StoreUnavailable, match="could not be stored in s3://no-such-bucket/x"):
        there.upload(write(tmp_path, A).place(A), A)
    assert [entry["Name"] for entry in s3.client.list_buckets()["Buckets"]].count("no-such-bucket") == 0


def test_new_files_are_kept_in_the_bucket_and_missing_ones_fetched_from_it(s3: S3, tmp_path: Path) -> None:
    one = Archive(write(tmp_path / "one", A, B, C).folder, bucket_at(s3, "kept"))
    one.keep([A, B])
    assert s3.names_under("kept") == [A, B]
    other = Archive(write(tmp_path / "other", A).folder, one.bucket)
    (other.place(A)).write_text("own")
    assert other.missing([A, B, C]) == [B, C]
    with pytest.raises(StoreUnavailable) as caught:
        other.fetch([A, C, B])
    assert str(caught.value).startswith(f"1 archived files are not in {other.bucket}, {C} for one.")
    assert caught.value.hint == "Bring them back: their runs aren't shown meanwhile."
    assert files(other.folder) == [A, B], "the others came all the same"
    assert other.place(A).read_text() == "own", "what is here isn't fetched"
    other.fetch([A, B])
    alone = write(tmp_path / "alone", A)
    alone.keep([A])
    alone.fetch([A, B])  # there is no bucket: nothing to fetch from
    assert files(alone.folder) == [A]


def test_what_nothing_refers_to_is_removed_here_and_there(s3: S3, tmp_path: Path) -> None:
    archive = Archive(write(tmp_path, A, B).folder, bucket_at(s3, "discarded"))
    archive.keep([A, B])
    archive.discard([A, C])
    assert files(tmp_path) == [B]
    assert [archive.bucket and archive.bucket.holds(name) for name in (A, B)] == [False, True]
    write(tmp_path / "alone", A).discard([A])
    assert files(tmp_path / "alone") == []


def test_an_archive_takes_what_it_lacks_from_another_one(s3: S3, tmp_path: Path) -> None:
    source = write(tmp_path / "source", A, B)
    folder = write(tmp_path / "folder", B)
    folder.place(B).write_text("own")
    assert list(folder.take_from(source, [A, B])) == [1, 2]
    assert files(folder.folder) == [A, B]
    assert (folder.place(A).read_text(), folder.place(B).read_text()) == (f"the rows of {A}", "own")
    taking = folder.take_from(source, [A, C, "jobs/none.parquet"])
    with pytest.raises(StoreUnavailable) as caught:
        next(taking)
    assert str(caught.value).startswith(
        f"2 archived files are neither in {source.folder} nor in {folder.folder}, {C} for one."
    )
    assert caught.value.hint == "Name the folder where they are: --archive FOLDER"

    far = Archive(tmp_path / "copies", bucket_at(s3, "taken"))
    assert list(far.take_from(source, [A])) == [1]
    assert (files(far.folder), s3.names_under("taken")) == ([A], [A])
    source.place(A).unlink()
    far.place(A).unlink()
    assert list(far.take_from(source, [A, B])) == [1, 2], "the bucket has the first"
    assert (files(far.folder), s3.names_under("taken")) == ([B], [A, B])
    far.place(B).write_text("damaged")
    assert list(far.take_from(source, [B])) == [1]
    far.place(B).unlink()
    far.fetch([B])
    assert far.place(B).read_text() == f"the rows of {B}", "what the bucket has isn't written again"


@pytest.fixture
def nothing_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_copies, "_tried", {})
    monkeypatch.setattr(archive_copies, "_told", {})
    monkeypatch.setattr(archive_copies, "WAIT_SECONDS", 60)


@pytest.mark.usefixtures("nothing_tried")
def test_what_a_question_misses_is_copied_or_named_once(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Archive(write(tmp_path / "one", A, B).folder, bucket_at(s3, "asked"))
    source.keep([A])
    here = Archive(tmp_path / "here", source.bucket)
    with structlog.testing.capture_logs() as logged:
        assert found(here, [B, A]) == [A]
        assert found(here, [A, B]) == [A], "another set of files is missing now: tried again"
        source.keep([B])
        assert found(here, [B, A]) == [A], "the same as a moment ago"
        assert found(here, [A]) == [A]
        assert found(here, [A, B]) == [A]
        monkeypatch.setattr(archive_copies, "PAUSE_SECONDS", 0)
        assert found(here, [B, A]) == [B, A]
    missing = {"event": "archived files are missing; their rows aren't shown", "folder": str(here.folder), "files": 1}
    assert [line for line in logged if line["event"] == missing["event"]] == [missing | {"log_level": "warning"}] * 2
    reasons = [line["reason"] for line in logged if line["event"] == "archived files could not be fetched"]
    assert len(reasons) == 2
    assert f"{B} for one" in reasons[0]


@pytest.mark.usefixtures("nothing_tried")
def test_without_a_bucket_what_is_missing_is_named_once(tmp_path: Path) -> None:
    archive = write(tmp_path, A)
    with structlog.testing.capture_logs() as logged:
        assert found(archive, [A]) == [A]
        assert [found(archive, [C, A, B]) for _ in range(2)] == [[A], [A]]
        assert found(archive, [C, A]) == [A]
    assert [line["files"] for line in logged] == [2, 1]
    assert not [thread for thread in threading.enumerate() if thread.name == "archive copies"]


@pytest.mark.usefixtures("nothing_tried")
def test_a_question_waits_only_a_moment_for_the_bucket(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Archive(write(tmp_path / "one", A).folder, bucket_at(s3, "slow"))
    source.keep([A])
    here, go = Archive(tmp_path / "here", source.bucket), threading.Event()
    fetch = Bucket.fetch
    monkeypatch.setattr(Bucket, "fetch", lambda *given: (go.wait(60), fetch(*given)))
    monkeypatch.setattr(archive_copies, "WAIT_SECONDS", 0.01)
    assert found(here, [A]) == []
    [thread] = [thread for thread in threading.enumerate() if thread.name == "archive copies"]
    assert thread.daemon
    go.set()
    thread.join(60)
    assert found(here, [A]) == [A]
