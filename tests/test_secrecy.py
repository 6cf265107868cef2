# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Would the search for secrets find one, wherever it slips out?"""

import secrets
from pathlib import Path

import pytest

from muster_harness.wire.board_log import BoardLog
from tests import secrecy


def planted() -> bytes:
    """Made up, and not noted: what is planted here shall not be found at the end."""
    return b"planted-" + secrets.token_hex(8).encode()


def is_found(raw: bytes, text: bytes) -> bool:
    return any(form in text for form in secrecy.forms(raw))


@pytest.mark.parametrize(
    "raw",
    [
        bytes(range(20)).replace(b"\n", b"x"),
        bytes(range(0x78, 0x8C)),
        b"\xc3\xbc\xc2\x80\xe2\x80\xa8" + b"'\"\\\r\x7f" + b"\xff" * 8,
    ],
)
def test_raw_secret_is_found_in_the_log_of_a_board(raw: bytes, tmp_path: Path) -> None:
    log = BoardLog(tmp_path / "board.log")
    log.output(b"key " + raw[:7])
    log.event("power off")
    log.output(raw[7:] + b" of 20 bytes\n")
    log.close()
    assert is_found(raw, (tmp_path / "board.log").read_bytes())


@pytest.mark.parametrize("name", ["capsys", "capfd", "capsysbinary", "capfdbinary"])
def test_secret_is_found_in_what_a_test_reads_itself(
    name: str, request: pytest.FixtureRequest, suite_output: list[Path]
) -> None:
    capture = request.getfixturevalue(name)
    raw = planted()
    print(raw.decode())
    capture.readouterr()
    was_found = is_found(raw, suite_output[0].read_bytes())
    assert was_found
