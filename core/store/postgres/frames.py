"""PostgreSQL's rows as Arrow tables and pandas frames: with the very types that DuckDB gives."""

import threading
from collections.abc import Sequence
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
from psycopg import Column

# By the OIDs of https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat
_TYPES: dict[int, pa.DataType] = {
    16: pa.bool_(), 17: pa.binary(), 20: pa.int64(), 21: pa.int16(), 23: pa.int32(), 25: pa.string(), 700: pa.float32(),
    701: pa.float64(), 1043: pa.string(), 1082: pa.date32(), 1114: pa.timestamp("us"),
    1184: pa.timestamp("us", tz="UTC"), 1009: pa.list_(pa.string()), 1016: pa.list_(pa.int64()),
    1185: pa.list_(pa.timestamp("us", tz="UTC")), 1700: pa.float64(),
}  # fmt: skip
_NUMERIC = 1700

_local = threading.local()


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """The Arrow schema of a result. Raises KeyError for a type that no query of the project gives."""
    return pa.schema([(column.name, _TYPES[column.type_code]) for column in columns])


def table_of(columns: Sequence[Column], rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """A result as an Arrow table. PostgreSQL counts means and sums as `numeric`, DuckDB as 64-bit floats."""
    schema = schema_of(columns)
    arrays = []
    for place, column in enumerate(columns):
        values: list[Any] = [row[place] for row in rows]
        if column.type_code == _NUMERIC:
            values = [None if value is None else float(value) for value in values]
        arrays.append(pa.array(values, schema.field(place).type))
    return pa.Table.from_arrays(arrays, schema=schema)


def frame_of(table: pa.Table) -> pd.DataFrame:
    """A result as DuckDB itself would give it: it makes the frame from the table, so no type or NULL differs."""
    if not hasattr(_local, "connection"):
        _local.connection = duckdb.connect(config={"threads": 1, "memory_limit": "512MB"})
        _local.connection.execute("SET TimeZone = 'UTC'")
    connection: duckdb.DuckDBPyConnection = _local.connection
    connection.register("result", table)
    try:
        return connection.execute("FROM result").df()
    finally:
        connection.unregister("result")
