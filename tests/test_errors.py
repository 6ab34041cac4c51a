"""One family of errors, each with what to do next."""

from __future__ import annotations

import pytest

from optimove_analysis import errors
from optimove_analysis.errors import InputError, OptimoveAnalysisError, QuotaError, suggest


def test_all_errors_are_of_one_family_and_are_exported() -> None:
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), OptimoveAnalysisError)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (InputError, ValueError),
        (errors.SchemaError, ValueError),
        (errors.ConnectionFailedError, ConnectionError),
    ],
)
def test_who_catches_the_builtin_catches_ours(
    error: type[Exception], builtin: type[Exception]
) -> None:
    assert issubclass(error, builtin)


def test_an_api_error_carries_its_status() -> None:
    assert QuotaError("too many", status=429).status == 429
    assert QuotaError("too many").status is None
    assert isinstance(QuotaError("too many"), errors.ApiError)


@pytest.mark.parametrize(
    ("seen", "known", "answer"),
    [
        ("opend", ["opened", "clicked"], "did you mean 'opened'?"),
        ("xyz", ["opened", "clicked"], "it may be 'opened', 'clicked'."),
        ("", ["opened"], "it may be 'opened'."),
        ("opened", [], "there is none."),
        ("opened", iter(["x"]), "it may be 'x'."),
    ],
)
def test_the_nearest_known_word_is_suggested_or_all_are_listed(
    seen: str, known: list[str], answer: str
) -> None:
    assert suggest(seen, known) == answer


def test_a_wrong_option_of_any_type_is_answered_with_the_right_ones() -> None:
    assert str(InputError.option("opens", "truts", ("trust", "ignore"))) == (
        "opens='truts' is not known; did you mean 'trust'?"
    )
    assert str(InputError.option("window", 3, (7, None))) == (
        "window=3 is not known; it may be '7', 'None'."
    )
