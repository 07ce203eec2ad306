"""The store on PostgreSQL: connections, reading, writing, migrations. The SQL is that of DuckDB, translated."""
