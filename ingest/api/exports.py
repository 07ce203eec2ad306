"""Runs as a file, streamed: whatever the database holds, the memory for it stays the same."""

import csv
import io
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from core.csv_cells import RUN_COLUMNS, cell
from ingest.api.dependencies import Running
from ingest.api.parameters import ExportFilter

router = APIRouter(tags=["exports"])

ROWS_AT_ONCE = 5_000


@router.get(
    "/export/runs.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    summary="Runs as CSV",
)
def runs_csv(service: Running, chosen: ExportFilter) -> StreamingResponse:
    """Latest attempts, newest first, UTF-8. A cell that a spreadsheet would run as a formula gets a leading quote."""
    batches = service.reader.batches("run_export", ROWS_AT_ONCE, **chosen)
    return _file(_csv(batches), "text/csv; charset=utf-8", "runs.csv")


@router.get(
    "/export/runs.parquet",
    response_class=Response,
    responses={
        200: {"content": {"application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}}}}
    },
    summary="Runs as Parquet",
)
def runs_parquet(service: Running, chosen: ExportFilter) -> StreamingResponse:
    """The same rows with their types, as they are (nothing is quoted)."""
    batches = service.reader.batches("run_export", ROWS_AT_ONCE, **chosen)
    return _file(_parquet(batches), "application/vnd.apache.parquet", "runs.parquet")


def _file(content: Iterator[bytes], kind: str, name: str) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(content, media_type=kind, headers=headers)


def _csv(batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    yield _lines([list(RUN_COLUMNS.values())])
    for batch in batches:
        columns = [batch.column(name).to_pylist() for name in RUN_COLUMNS]
        yield _lines([[cell(value) for value in row] for row in zip(*columns, strict=True)])


def _lines(rows: list[list[object]]) -> bytes:
    target = io.StringIO(newline="")
    csv.writer(target).writerows(rows)
    return target.getvalue().encode("utf-8", "replace")


class _Outlet(io.RawIOBase):
    """A file that only takes; what it took is handed on and forgotten."""

    def __init__(self) -> None:
        self._taken: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self._taken.append(piece)
        return len(piece)

    def drain(self) -> bytes:
        pieces, self._taken = self._taken, []
        return b"".join(pieces)


def _parquet(batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    outlet = _Outlet()
    first = next(batches)
    with pq.ParquetWriter(outlet, first.schema, compression="zstd") as writer:
        writer.write_batch(first)
        yield outlet.drain()
        for batch in batches:
            writer.write_batch(batch)
            yield outlet.drain()
    yield outlet.drain()
