"""Where the data lives: opening and migrating the DuckDB file, the one writer, and the readers."""
