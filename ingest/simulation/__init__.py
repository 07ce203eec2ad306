"""A simulated company for demos and trials: its history, generated from a fixed seed, through the real ingest path."""
