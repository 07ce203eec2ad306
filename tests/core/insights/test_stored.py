"""What teams set about insights, as it is read back."""

import pytest

from core.insights.cost import DEFAULT_PRICES, PriceRule, Prices
from core.insights.dora import DEFAULT_MARKS, Marks
from core.insights.stored import DEPLOYMENTS, PRICES, marks_of, prices_of


def test_what_was_set_is_read_back_and_what_was_not_is_the_default() -> None:
    prices = Prices(currency="EUR", rules=(PriceRule(match="*", per_minute=1),))
    marks = Marks(jobs=("ship*",))
    stored = {PRICES: prices.model_dump_json(), DEPLOYMENTS: marks.model_dump_json()}
    assert (prices_of(stored), marks_of(stored)) == (prices, marks)
    assert (prices_of({}), marks_of({})) == (DEFAULT_PRICES, DEFAULT_MARKS)


@pytest.mark.parametrize("value", ["", "no JSON", "[]", '{"unheard": 1}'])
def test_what_this_version_cannot_read_counts_as_not_set(value: str) -> None:
    assert prices_of({PRICES: value}) == DEFAULT_PRICES
    assert marks_of({DEPLOYMENTS: value}) == DEFAULT_MARKS
