"""What is logged, of requests and by libraries: a line of JSON each, and never what was asked or answered."""

from __future__ import annotations

import json
import logging

import pytest

from relwise.serve.observe import Lines, note


def test_a_note_is_one_line_whatever_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    note(message='two\nlines, "quoted" and \u05d0')
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == 'two\nlines, "quoted" and \u05d0'


def test_what_libraries_log_is_a_line_and_an_exception_tells_no_data(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.Logger("library")
    logger.addHandler(Lines())
    logger.warning("queue of %d", 3)
    try:
        raise KeyError("pe0 is a secret")
    except KeyError as error:
        logger.exception(error)
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["level"], first["logger"], first["message"]) == ("warning", "library", "queue of 3")
    assert second["failed"].startswith("KeyError at ")
    assert "secret" not in json.dumps(second)
