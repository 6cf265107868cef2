# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Tests of set_up.py where things are not as on a developer's machine."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import set_up
from set_up import Environment, Failed

_HERE = Path(sys.prefix)


def test_a_failure_says_the_last_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Failed, match="no such index"):
        set_up.run("packages", [sys.executable, "-c", "raise SystemExit('no such index')"])
    assert "packages … failed after" in capsys.readouterr().out


def test_what_pip_is_told_of_indexes_uv_is_told_too(tmp_path: Path) -> None:
    told = {
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": "https://mirror.example/simple",
        "PIP_FIND_LINKS": f"{tmp_path} /not/there",
        "PIP_USER": "1",
    }
    variables = Environment(_HERE, told)._indexes()
    assert variables["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert variables["UV_FIND_LINKS"] == str(tmp_path)


def test_where_uv_cannot_pip_does_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[Any] = []

    def run(what: str, command: Sequence[str | Path], _: object = None) -> None:
        done.append(command)
        if Path(command[0]).name == "uv":
            raise Failed("uv: no line")

    monkeypatch.setattr(set_up, "run", run)
    Environment(_HERE, {}).install("packages", "-r", "some.lock")
    assert done[-1][1:] == ["-I", "-m", "pip", "install", "-r", "some.lock"]
    assert "uv: no line" in capsys.readouterr().out


def test_without_venv_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(Failed, match="apt-get install python3-venv"):
        Environment(tmp_path).create()
