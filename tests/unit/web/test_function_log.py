"""The functions' log has the form of Powertools' Logger."""

import io
import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from lambda_matchbox.log_levels import LEVELS
from lambda_matchbox.web.access_log import Log
from lambda_matchbox.web.function_log import FunctionLog

FIELDS = {"status": 200, "labels": ["ü", '"'], "reason": "a\nb", "other": object}


@pytest.fixture(params=["", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"])
def trace(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", request.param)


def write(log: Log) -> None:
    for method in (log.info, log.warning, log.error):
        method("request %s", 1, extra=FIELDS)
        method("no fields")


def records(written: io.StringIO) -> list[list[tuple[str, Any]]]:
    """The fields in their order, but for the time."""
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert len({line["timestamp"][10::13] for line in lines}) == 1
    return [[(name, "" if name == "timestamp" else value) for name, value in line.items()] for line in lines]


@pytest.mark.usefixtures("trace")
def test_records_are_as_those_of_powertools(request: pytest.FixtureRequest) -> None:
    theirs, ours = io.StringIO(), io.StringIO()
    # Powertools writes all records of a name to the first one's stream.
    name = request.node.name
    write(Logger(service=name, level="INFO", use_rfc3339=True, stream=theirs))
    write(FunctionLog("INFO", name, ours))
    assert records(theirs) == records(ours)


@pytest.mark.parametrize("level", sorted({name.upper() for name in LEVELS.values()}))
@pytest.mark.parametrize("of_lambda", ["", "DEBUG", "WARN", "FATAL"])
def test_level_of_lambda_comes_first(level: str, of_lambda: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", of_lambda)
    written = io.StringIO()
    write(FunctionLog(level, "function", written))
    expected = getattr(logging, of_lambda or level)
    assert [number >= expected for number in (logging.INFO, logging.WARNING, logging.ERROR)] == [
        f'"level":"{name}"' in written.getvalue() for name in ("INFO", "WARNING", "ERROR")
    ]


def test_exceptions_are_as_those_of_powertools(request: pytest.FixtureRequest) -> None:
    """But for tokens."""
    theirs, ours = io.StringIO(), io.StringIO()
    name = request.node.name

    def fail(fields: Mapping[str, object]) -> object:
        return fields["missing?token=SECRET&x=1"]

    for log in (Logger(service=name, level="INFO", use_rfc3339=True, stream=theirs), FunctionLog("INFO", name, ours)):
        try:
            fail({})
        except KeyError as error:
            log.exception("unexpected %s", 1)
            log.error("expected", extra={"route": "/ipxe"}, exc_info=error)
        log.error("never raised", exc_info=ValueError("no"))
    assert "SECRET" not in ours.getvalue()
    expected = io.StringIO(theirs.getvalue().replace("token=SECRET", "token=***"))
    assert [dict(each) for each in records(expected)] == [dict(each) for each in records(ours)]
