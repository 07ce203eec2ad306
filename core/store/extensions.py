"""Quack and what it needs, loaded from installed wheels by path: nothing is downloaded at run time.

DuckDB checks the signature of each extension while loading it.
"""

from importlib.resources import as_file, files

import duckdb


def load_quack(connection: duckdb.DuckDBPyConnection) -> None:
    """Load httpfs and quack into `connection`; where no wheel exists for this platform, ask DuckDB to install them."""
    for name in ("httpfs", "quack"):
        path = _wheel_path(name)
        if path is None:
            connection.execute(f"INSTALL {name}")
        connection.execute(f"LOAD '{path or name}'")


def _wheel_path(name: str) -> str | None:
    try:
        extension = (
            files(f"duckdb_extension_{name}") / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
        )
    except ModuleNotFoundError:
        return None
    with as_file(extension) as path:
        return str(path).replace("'", "''") if path.exists() else None
