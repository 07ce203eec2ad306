"""What to fix first: pure functions over the frames of named queries. No database, no clock, no web, no UI."""
