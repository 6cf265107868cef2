# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What reaches a terminal or a log of what came from outside?"""

import io
import json
import logging
import sys

import pytest

from muster_server.escaping import (
    EscapingFormatter,
    escaped,
    escaped_lines,
    output_escaped,
    own_output,
)

# Clears the screen; the same in C1; rings; turns the direction; breaks the line in four ways.
HOSTILE = "a\x1b[2Jb\x9b2Jc\x07d\u202ee\x7ff\rg\x85h\u2028i\ud800"
CONTROLS = ("\x1b", "\x9b", "\x07", "\u202e", "\x7f", "\r", "\x85", "\u2028", "\ud800")


def test_no_control_character_is_left() -> None:
    for text in (escaped(HOSTILE), escaped_lines(HOSTILE)):
        assert not any(control in text for control in CONTROLS)
        assert text.encode("utf-8")
    assert escaped(HOSTILE).startswith(r"a\u001b[2Jb\u009b2Jc")
    assert escaped("one\ntwo\tthree") == r"one\u000atwo\u0009three"


def test_ordinary_text_stays_as_it_is() -> None:
    text = "Prüfstand 4 – 工場 😀"
    assert escaped(text) == escaped_lines(text) == text


def test_json_stays_the_same_document() -> None:
    document = {"name": HOSTILE, "lines": "one\ntwo"}
    text = json.dumps(document, ensure_ascii=False)
    assert json.loads(escaped_lines(text)) == document


def test_output_of_a_command_is_escaped_but_for_what_it_draws() -> None:
    out, kept = io.StringIO(), sys.stdout
    sys.stdout = out
    try:
        with output_escaped():
            print("\x1b[31mred")
            own_output().write("\x1b[7m \x1b[0m")
        assert sys.stdout is out
    finally:
        sys.stdout = kept
    assert out.getvalue() == "\\u001b[31mred\n\x1b[7m \x1b[0m"


def logged(message: str, *arguments: object, is_exception: bool = False) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(EscapingFormatter("%(levelname)s %(message)s"))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    logger.error(message, *arguments, exc_info=is_exception)
    return stream.getvalue()


def test_a_record_is_one_line_whatever_is_in_it() -> None:
    assert (
        logged("GET %s", "/\x1b[2J\nERROR forged") == "ERROR GET /\\u001b[2J\\u000aERROR forged\n"
    )


def test_a_traceback_forges_no_record() -> None:
    try:
        raise ValueError("\x1b[2J\nERROR forged")
    except ValueError:
        text = logged("failed", is_exception=True)
    first, *others = text.splitlines()
    assert first == "ERROR failed"
    assert all(line.startswith("    ") for line in others)
    assert "\x1b" not in text
    assert "forged" in text


def test_every_command_runs_behind_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from muster_server import cli

    monkeypatch.setattr(cli, "_run", lambda options: print("\x1b[2Jname") or 0)
    assert cli.main(["profile", "list"]) == 0
    assert capsys.readouterr().out == "\\u001b[2Jname\n"
