"""Everything that writes: the FastAPI service, the CI systems it understands, the scheduler and the commands."""
