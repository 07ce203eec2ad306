"""Errors that people meet."""

import pytest

from core import errors
from core.errors import BadRequest, DashboardError, first_line


def test_an_error_is_its_sentence_and_what_to_do_about_it() -> None:
    error = BadRequest("That is wrong.", hint="Do this.", details={"field": "a"})
    assert (str(error), error.message, error.hint, error.details) == (
        "That is wrong. Do this.",
        "That is wrong.",
        "Do this.",
        {"field": "a"},
    )
    assert error.args == ("That is wrong.",)
    bare = BadRequest("That is wrong.")
    assert (str(bare), bare.hint, bare.details) == ("That is wrong.", "", {})


def test_of_an_error_of_a_library_its_first_line_is_told() -> None:
    assert first_line(ValueError("\nOne.\n\nLINE 1: SELECT\n  ^")) == "One."
    assert first_line(ValueError("One.")) == "One."
    assert first_line(ValueError()) == ""


@pytest.mark.parametrize("kind", [each for each in vars(errors).values() if isinstance(each, type)])
def test_every_kind_has_a_code_of_its_own_name_and_a_status_of_an_error(kind: type[DashboardError]) -> None:
    words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind.__name__).lstrip("_")
    assert kind.code == ("internal_error" if kind is DashboardError else words)
    assert 400 <= kind.status < 600
