# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The shims carry the names, numbers and signatures that micropython-esp32-stubs give an ESP32."""

import re
from pathlib import Path

import pytest

from muster_harness.contract import oracle
from muster_harness.contract.suite import ask_stubs
from muster_harness.contract.wire import Wire
from muster_harness.errors import RemoteError
from muster_harness.units.emulated import EmulatedBoard

OMISSIONS = oracle.read_omissions()


@pytest.mark.parametrize("module", oracle.MODULES)
def test_names_and_values_are_the_stubs(board: EmulatedBoard, module: str) -> None:
    with Wire(board.port) as wire:
        assert ask_stubs(wire, OMISSIONS, module).differences == ""


@pytest.mark.parametrize("module", oracle.MODULES)
def test_calls_that_the_stubs_allow_are_taken(module: str) -> None:
    refused = [d for d in oracle.signature_differences(module) if not OMISSIONS.covers(d)]
    assert refused == []


def test_nothing_is_left_out_that_is_there(board: EmulatedBoard) -> None:
    """An omission that has been made good is to leave the list, and so is a misspelt one."""
    named = {f"{m}.{n}" for m in oracle.MODULES for n in oracle.callables(m)}
    named |= {f"{m}.{n}" for m in oracle.MODULES for n in oracle.constants(m)}
    named |= {d for m in oracle.MODULES for d in oracle.signature_differences(m)}
    # test_names.py looks at the other modules
    told = [n for n in OMISSIONS.reasons if n.partition(".")[0] in oracle.MODULES]
    unknown = {name for name in told if name not in named}
    with Wire(board.port) as wire:
        wire.exec("import " + ", ".join(oracle.MODULES))
        plain = sorted(name for name in told if "(" not in name)
        present = [name for name in plain if wire.eval(_HAS.format(*name.rpartition(".")[::2]))]
    assert (unknown, present) == (set(), [])


_HAS = "hasattr({0}, '{1}')"


def test_a_narrower_signature_is_noticed(tmp_path: Path) -> None:
    for path in oracle.SHIMS.rglob("*.py"):
        text = path.read_text()
        if path.name == "pwm.py":
            text = text.replace("duty_ns=-1, invert=None", "invert=None")
        copy = tmp_path / path.relative_to(oracle.SHIMS)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(text)
    found = oracle.signature_differences("machine", tmp_path)
    assert "machine.PWM.init(duty_ns)" in found


@pytest.mark.parametrize("module", ["network", "socket"])
def test_no_number_is_there_that_an_esp32_has_not(board: EmulatedBoard, module: str) -> None:
    here = f"[n for n in dir({module}) if n[0] != '_' and isinstance({module}.__dict__[n], int)]"
    with Wire(board.port) as wire:
        wire.exec(f"import {module}")
        found = wire.eval(here)
    assert set(found) - set(oracle.constants(module)) == set()


def test_a_traceback_shows_the_program_s_frames_and_none_of_the_shims(
    board: EmulatedBoard,
) -> None:
    board.write_file("/main.py", "import machine\ndef go():\n    machine.Pin(99)\ngo()\n")
    board.forget_output()
    board.reset()
    said = board.expect(rb"Traceback.*?(\r\n[^ ].*?)\r\n>>> ")[0].decode()
    assert 'File "main.py", line 3, in go\r\nValueError: invalid pin' in said
    assert "<board>" not in said
    with pytest.raises(RemoteError, match="line 1, in <module>\r?\nValueError: invalid pin"):
        board.exec("__import__('machine').Pin(99)")
    board.exec("from machine import Timer, Pin")
    said = board.exec(
        "import time; Timer(-1, mode=0, period=1, callback=lambda t: Pin(99)); time.sleep_ms(50)"
    )
    assert "in <lambda>\nValueError: invalid pin\n" in said and "<board>" not in said


def test_what_the_readme_says_is_not_there_is_not(board: EmulatedBoard) -> None:
    readme = (oracle.HERE.parents[1] / "README.md").read_text()
    told = [line for line in readme.splitlines() if re.match(r"- Modules .*not there", line)]
    named = [name for line in told for name in re.findall(r"`([\w.]+)`", line)]
    assert {"umqtt.robust", "umqtt.simple"} <= set(named)
    code = f"for n in {named!r}:\n try:\n  __import__(n)\n  print(n)\n except ImportError: pass"
    assert board.exec(code) == ""
