"""Benchmarks that a person can run: `python -m bench` for all, `python -m bench.<name>` for one.

Each stands beside a baseline measured in the same run, because figures of two machines can't be compared.
"""
