"""The table from errors to responses."""

import importlib
import logging
import pkgutil

import pytest

import lambda_matchbox
from lambda_matchbox.errors import (
    MatchboxError,
    NotFoundError,
    StoreUnavailableError,
    UndeliverableError,
)
from lambda_matchbox.web.failures import FAILURES, error_response, failure_for


def product_errors() -> list[type[MatchboxError]]:
    """Every error of the domain and its adapters, in all modules."""
    for module in pkgutil.walk_packages(lambda_matchbox.__path__, "lambda_matchbox."):
        importlib.import_module(module.name)
    found, left = list[type[MatchboxError]](), MatchboxError.__subclasses__()
    while left:
        error = left.pop()
        left += error.__subclasses__()
        if error.__module__.startswith("lambda_matchbox."):
            found.append(error)
    return sorted(found, key=lambda error: error.__name__)


def made(error: type[MatchboxError]) -> MatchboxError:
    """An error with a reason of several lines."""
    raised = error.__new__(error)
    raised.args = ("location: a reason\r\nin two  lines",)
    return raised


def test_table_has_each_error_of_the_product() -> None:
    """And nothing else."""
    assert set(FAILURES) == {error for error in product_errors() if error.__base__ is MatchboxError}


@pytest.mark.parametrize("error", product_errors(), ids=lambda error: error.__name__)
def test_error_response(error: type[MatchboxError]) -> None:
    """It has the table's status, one line of text, its length, and never a Location."""
    response = error_response(made(error))
    assert failure_for(made(error)).status == response.status
    assert "location" not in {name.lower() for name in response.headers}
    assert "text/plain; charset=utf-8" == response.headers["content-type"]
    assert "nosniff" == response.headers["x-content-type-options"]
    assert str(len(response.body)) == response.headers["content-length"]
    assert 1 == response.body.count(b"\n")
    assert response.body.endswith(b"\n")


@pytest.mark.parametrize(
    ("error", "status", "level"),
    [
        (NotFoundError("x"), 404, logging.WARNING),
        (StoreUnavailableError("x"), 503, logging.ERROR),
        (UndeliverableError("x"), 500, logging.ERROR),
    ],
)
def test_only_errors_of_the_request_are_404(error: MatchboxError, status: int, level: int) -> None:
    """Boot clients take 404 for final."""
    assert (status, level) == failure_for(error)


def test_404_has_the_body_of_go() -> None:
    """The reason is not shown."""
    assert b"404 page not found\n" == error_response(NotFoundError("no group has secret")).body


def test_only_503_has_retry_after() -> None:
    """Between 2 and 10 seconds, and not always the same."""
    waits = {int(error_response(StoreUnavailableError("x")).headers["retry-after"]) for _ in range(300)}
    assert waits <= set(range(2, 11))
    assert len(waits) > 1
    others = [error for error in product_errors() if error_response(made(error)).status != 503]
    assert [] == [error.__name__ for error in others if "retry-after" in error_response(made(error)).headers]


def test_unknown_error_has_no_response() -> None:
    """It is a bug, not a response."""
    with pytest.raises(KeyError):
        failure_for(MatchboxError("x"))


def test_reason_may_contain_lone_surrogates() -> None:
    assert b"a \xff \xef\xbf\xbd\n" == error_response(UndeliverableError("a \udcff \ud800")).body


def test_derived_error_has_the_row_of_its_base() -> None:

    class ThrottledError(StoreUnavailableError):
        """A store's own kind."""

    assert failure_for(StoreUnavailableError("x")) == failure_for(ThrottledError("x"))
    assert "retry-after" in error_response(ThrottledError("x")).headers
