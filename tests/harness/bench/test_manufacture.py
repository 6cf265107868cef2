# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""One verdict for each board, whatever befalls one of them or all; without any board."""

import errno
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from muster_harness import compiler
from muster_harness.bench import manufacture
from muster_harness.bench.manufacture import Order, Verdict
from muster_harness.bench.self_test import SelfTest
from muster_harness.cli import INTERRUPTED, main
from muster_harness.deploy.label_book import LabelBook
from muster_harness.errors import HarnessError, Interrupted
from muster_harness.facts import read_facts
from tests import secrecy


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Every step is done at once; a test may replace one by another function of the port."""
    steps = SimpleNamespace(deploy=lambda port: None)
    info = SimpleNamespace(device_id=None)
    nothing = lambda *_, **__: None  # noqa: E731
    monkeypatch.setattr(manufacture, "check_image", nothing)
    monkeypatch.setattr(manufacture, "write_image", nothing)
    monkeypatch.setattr(manufacture, "_answering", lambda again, say: again())
    monkeypatch.setattr(manufacture, "deploy_firmware", lambda port, *_, **__: steps.deploy(port))
    monkeypatch.setattr(manufacture, "look", lambda port: info)
    monkeypatch.setattr(
        manufacture, "write_label", lambda port, info, label, *, note, replaces: note(label)
    )
    monkeypatch.setattr(manufacture, "self_test", lambda port: SelfTest("0.1.0", 1, 1, 1))
    return steps


def make(tmp_path: Path, say: Any = None) -> list[Verdict]:
    order = Order(read_facts("EMULATED"), tmp_path / "image.bin", tmp_path)
    with LabelBook(tmp_path / "labels.csv") as book:
        verdicts = manufacture.manufacture(["one", "two"], order, book, say=say)
    for verdict in verdicts:
        if verdict.label:
            secrecy.hide_label(verdict.label.text, verdict.label.secret)
    return verdicts


def test_an_odd_exception_of_one_board_stops_no_other(bench: Any, tmp_path: Path) -> None:
    def deploy(port: str) -> None:
        if port == "one":
            raise OSError(errno.ENOSPC, "No space left on device")

    bench.deploy = deploy
    one, two = make(tmp_path)
    assert (one.failed_at, one.label) == ("firmware", None)
    assert "No space left on device" in str(one.error)
    assert two.is_good


def test_ctrl_c_lets_every_board_finish_its_step_and_gives_the_verdicts(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_deploy, stopped = threading.Barrier(3), threading.Event()

    def deploy(port: str) -> None:
        both_deploy.wait(30)
        assert stopped.wait(30)

    def press_ctrl_c(running: object) -> None:
        both_deploy.wait(30)
        raise KeyboardInterrupt

    bench.deploy = deploy
    monkeypatch.setattr(manufacture, "wait", press_ctrl_c)
    verdicts = make(tmp_path, say=lambda text: stopped.set())
    assert [verdict.failed_at for verdict in verdicts] == ["label", "label"]
    assert all(isinstance(verdict.error, Interrupted) for verdict in verdicts)
    assert (tmp_path / "labels.csv").read_text() == ""


def test_a_stopped_run_shows_its_verdicts_and_has_the_exit_code_of_ctrl_c(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict = Verdict("/dev/one", 1.0, failed_at="label", error=Interrupted("stopped before"))
    monkeypatch.setattr("muster_harness.commands.manufacturing.manufacture", lambda *_: [verdict])
    words = ["--port", "/dev/one", "--board", "EMULATED", "--image", "x.bin"]
    assert main(["flash", *words, "--csv", str(tmp_path / "labels.csv")]) == INTERRUPTED
    assert "/dev/one  -  FAILED at label: stopped before" in capsys.readouterr().out


def test_a_compiler_that_does_not_end_is_an_error_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(command: list[str], **_: Any) -> None:
        raise subprocess.TimeoutExpired(command, 60)

    monkeypatch.setattr("muster_harness.compiler.subprocess.run", hang)
    source = tmp_path / "slow.py"
    source.write_text(f"# {tmp_path}\n")  # that nobody has compiled before
    with pytest.raises(HarnessError, match=r"did not finish .*slow\.py within 60 s"):
        compiler.compile_mpy(source, tmp_path / "slow.mpy", "slow")
