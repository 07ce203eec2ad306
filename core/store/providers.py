"""The descriptions of the CI systems, as pages read them: written by whoever serves, each time that it starts."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

from core.store.cursor import Cursor


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """A row of the table `providers`; see its migration."""

    provider: str
    name: str
    icon: str
    place: int
    settings: str
    steps: str
    polling_settings: str | None
    polling_steps: str | None
    is_secured: bool
    is_polled: bool


def put(cursor: Cursor, rows: Sequence[ProviderRow]) -> None:
    """Write all descriptions; several processes may do so at once. One that has no folder any more stays, unused."""
    names = [field.name for field in fields(ProviderRow)]
    marks = ", ".join("?" for _ in names)
    changes = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
    cursor.executemany(
        f"INSERT INTO providers ({', '.join(names)}) VALUES ({marks}) "  # noqa: S608 - our own column names
        f"ON CONFLICT (provider) DO UPDATE SET {changes}",
        [list(astuple(row)) for row in sorted(rows, key=lambda row: row.provider)],
    )
