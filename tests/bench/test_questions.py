"""Answers of different stores are compared before anything is timed: equal ones count as equal, others don't."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pandas as pd

from bench.questions import questions, same

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


def test_the_same_rows_are_the_same_however_an_engine_writes_them() -> None:
    ours = (
        ["name", "at", "day", "rate", "more"],
        [("a", pd.Timestamp(NOW), pd.Timestamp(2026, 3, 1), 0.25, 1), ("b", pd.NaT, pd.NaT, float("nan"), 2)],
    )
    theirs = (
        ["day", "name", "at", "rate"],
        [(None, "b", None, None), (date(2026, 3, 1), "a", "2026-03-01 12:30:15.123456", Decimal("0.25"))],
    )
    assert same(ours, theirs)


def test_another_number_another_row_or_an_unknown_column_differ() -> None:
    ours = (["name", "runs"], [("a", 1)])
    assert not same(ours, (["name", "runs"], [("a", 2)]))
    assert not same(ours, (["name", "runs"], [("a", 1), ("a", 1)]))
    assert not same(ours, (["name", "sums"], [("a", 1)]))


def test_every_question_that_the_original_schema_can_answer_has_its_text_for_both_engines() -> None:
    for question in questions(NOW):
        if not question.of_jobs:
            for engine in ("sqlite", "postgres"):
                assert "SELECT" in question.original(engine)
                assert question.original_parameters(engine).keys() >= question.parameters.keys()
