# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster-unit label` replaces no identity by accident, and loses no secret."""

import csv
import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from muster_harness.cli import main
from muster_harness.deploy.labels import Label, new_label, parse_label
from muster_harness.errors import PortError
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL
from tests import secrecy
from tests.harness.commands.test_cli import Run, info


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return tmp_path / "labels.csv"


def labels(book: Path) -> list[Label]:
    """The labels in the book, noted as secrets."""
    found = [parse_label(row["label"]) for row in csv.DictReader(io.StringIO(book.read_text()))]
    for label in found:
        secrecy.hide_label(label.text, label.secret)
    return found


def test_a_label_is_written_shown_and_noted(firmware_port: str, book: Path, capsys: Run) -> None:
    write = ["label", "write", "--port", firmware_port, "--csv", str(book), "--id", "press-4"]
    assert main(write) == 0
    (label,) = labels(book)
    assert label.device_id == "PRESS-4"
    assert stat.S_IMODE(book.stat().st_mode) == 0o600
    out = capsys.readouterr().out
    assert label.text in out
    assert "█" in out or "▀" in out  # the QR code
    told = info(firmware_port, capsys)
    assert (told["device_id"], told["generation"]) == ("PRESS-4", 1)
    assert label.secret.hex() not in json.dumps(told)


def test_an_identity_is_replaced_only_if_somebody_says_so(
    firmware_board: EmulatedBoard, book: Path, capsys: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = firmware_board.port
    write = ["label", "write", "--port", port, "--csv", str(book)]
    assert main([*write, "--id", "FIRST"]) == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))  # nobody: no terminal
    assert main([*write, "--id", "SECOND"]) == 5
    assert "is FIRST already" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert main([*write, "--id", "SECOND"]) == 5
    assert info(port, capsys)["device_id"] == "FIRST"
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert main([*write, "--id", "SECOND"]) == 0
    assert main([*write, "--id", "THIRD", "--force"]) == 0
    assert [label.device_id for label in labels(book)] == ["FIRST", "SECOND", "THIRD"]
    assert info(port, capsys)["device_id"] == "THIRD"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_given_label_is_written_and_a_mistyped_one_refused(
    firmware_board: EmulatedBoard,
    tmp_path: Path,
    book: Path,
    capsys: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    label = new_label("GIVEN")
    secrecy.hide_label(label.text, label.secret)
    file = tmp_path / "label.txt"
    file.write_text(label.text + "\n")
    common = ["label", "write", "--port", firmware_board.port, "--csv", str(book)]
    assert main([*common, "--label-file", str(file)]) == 0
    assert labels(book) == [label]
    wrong = label.text[:-1] + ("A" if label.text[-1] != "A" else "B")
    monkeypatch.setattr("sys.stdin", io.StringIO(wrong))
    assert main([*common, "--label-file", "-"]) == 5
    said = capsys.readouterr().err
    assert "check characters" in said
    assert wrong[-36:] not in said


def test_reissuing_keeps_the_id_and_changes_the_secret(
    firmware_board: EmulatedBoard, book: Path, capsys: Run
) -> None:
    common = ["--port", firmware_board.port, "--csv", str(book)]
    assert main(["label", "reissue", *common]) == 7
    assert "has no identity" in capsys.readouterr().err
    assert main(["label", "write", *common, "--id", "PRESS-4"]) == 0
    assert main(["label", "reissue", *common]) == 5
    assert main(["label", "reissue", *common, "--force"]) == 0
    first, second = labels(book)
    assert first.device_id == second.device_id
    assert first.secret != second.secret
    assert info(firmware_board.port, capsys)["generation"] == 2


@pytest.mark.parametrize("words", [["write", "--id", "PRESS-4"], ["reissue", "--force"]])
def test_a_port_that_vanishes_while_a_label_is_compared_loses_no_secret(
    firmware_board: EmulatedBoard,
    book: Path,
    capsys: Run,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
) -> None:
    common = ["--port", firmware_board.port, "--csv", str(book)]
    if "reissue" in words:
        assert main(["label", "write", *common, "--id", "PRESS-4"]) == 0
    capsys.readouterr()

    def pull(port: str, **given: Any) -> REPL:
        if given.get("soft_reset"):
            return REPL(port, **given)  # the look before
        raise PortError("the port vanished")

    monkeypatch.setattr("muster_harness.deploy.labelling.REPL", pull)
    assert main(["label", *words, *common]) == 3
    said = capsys.readouterr()
    assert f"last line of {book}: write that one again with --label-file" in said.err
    assert said.out == ""
    noted = labels(book)[-1]
    with REPL(firmware_board.port) as repl:
        repl.exec("from muster import hardware, identity")
        repl.exec("who = identity.read(hardware.open_nvs('muster'))")
        assert repl.eval("(who.device_id, who.secret)") == ("PRESS-4", noted.secret)


def test_a_label_that_is_not_to_be_replaced_leaves_no_line(
    firmware_board: EmulatedBoard, book: Path
) -> None:
    write = ["label", "write", "--port", firmware_board.port, "--csv", str(book)]
    assert main([*write, "--id", "FIRST"]) == 0
    assert main([*write, "--id", "SECOND"]) == 5
    assert [label.device_id for label in labels(book)] == ["FIRST"]


def test_a_book_that_others_can_read_is_refused_before_anything_is_written(
    firmware_board: EmulatedBoard, book: Path, capsys: Run
) -> None:
    book.write_text("")
    book.chmod(0o644)
    assert main(["label", "write", "--port", firmware_board.port, "--csv", str(book)]) == 1
    assert f"chmod 600 {book}" in capsys.readouterr().err
    assert info(firmware_board.port, capsys)["device_id"] is None


def test_a_label_for_a_board_without_firmware_names_the_cure(
    board: EmulatedBoard, book: Path, capsys: Run
) -> None:
    assert main(["label", "write", "--port", board.port, "--csv", str(book)]) == 7
    assert f"muster-unit deploy --port {board.port} first" in capsys.readouterr().err
