"""All runs as a stream, newest first, with the archived ones.

PostgreSQL's rows go out as they come, as long as they are newer than all that is archived; what is left of them is put
together with the files' rows in the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

from core.store.archive_files import Archive
from core.store.postgres.archived import (
    Connection,
    Parameters,
    Question,
    begun,
    is_after,
    joined,
    newest_of,
    readable_files,
)
from core.store.postgres.archived_answer import streamed

EXPORT = "run_export"


@dataclass(slots=True)
class Rest:
    """What comes after the rows that are newer than all that is archived. `question` has none of them yet."""

    question: Question
    newest: datetime
    passed: int = 0
    kept: list[pa.Table] = field(default_factory=list)

    def takes(self, rows: pa.Table) -> bool:
        """Whether the next rows belong to the rest; else they can go out."""
        if not self.kept and rows.num_rows and begun(rows)[-1] > self.newest:
            self.passed += rows.num_rows
            return False
        self.kept.append(rows)
        return True

    def batches(self, archive: Archive, rows: int) -> Iterator[pa.RecordBatch]:
        """The rest, about `rows` at a time. Raises StoreUnavailable where files can't be read."""
        limit = self.question.parameters["limit"]
        left = None if limit is None else int(str(limit)) - self.passed
        if left is not None and left <= 0:
            return
        live = pa.concat_tables([self.question.live, *self.kept])
        whole = Question(
            EXPORT, self.question.parameters | {"limit": left}, live, self.question.files, self.question.tables
        )
        for batch in streamed(whole, archive, rows):
            yield batch.cast(live.schema)


def rest_of(connection: Connection, archive: Archive, parameters: Parameters, empty: pa.Table) -> Rest | None:
    """None where no archived row may belong into the export."""
    files = readable_files(connection, archive, EXPORT)
    newest = newest_of(files)
    if newest is None or is_after(parameters, newest):
        return None
    return Rest(Question(EXPORT, parameters, empty, files, joined(connection, newest)), newest)
