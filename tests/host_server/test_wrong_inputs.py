# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is each wrong input of docs/wrong-inputs.md told in the sentence that stands there?"""

import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import muster_harness.cli
from muster_server import cli
from muster_server.label import new_label
from tests import secrecy
from tests.host_server import wrong_inputs
from tests.host_server.processes import Servers

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "wrong-inputs.md"
_ROW = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \|$", re.MULTILINE)
_SETTING = re.compile(r"([A-Z_]+)=(\S*)")
_PROGRAMS = {"muster": cli.main, "muster-unit": muster_harness.cli.main}
_ROWS = _ROW.findall(DOCUMENT.read_text())
_DONE_ALL_THE_SAME = (
    "PYTHONIOENCODING=latin-1 muster label new",
    "muster profile check press.json",
)


@pytest.fixture(scope="module")
def names(
    servers: tuple[Servers, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Fill a folder; the words that stand for addresses in the document, and the folder."""
    running, place = servers
    folder = Path(tmp_path_factory.mktemp("wrong"))
    label, other, used = new_label(), new_label(), new_label("PRESS-4")
    for one in (label, other, used):
        secrecy.hide_label(one.qr_text, one.secret)
    wrong_inputs.fill(folder, label.qr_text, other.qr_text, running.urls["platform"])
    token = (place / "token").read_text().strip()
    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as taken:
        patch.setenv("MUSTER_PORTAL_URL", running.urls["portal"])
        patch.setenv("MUSTER_TOKEN", token)
        patch.delenv("VISUAL", raising=False)
        patch.chdir(folder)
        (folder / "used.txt").write_text(used.qr_text)
        assert cli.main(["profile", "add", "press.json", "--replace"]) == 0
        with (folder / "used.txt").open() as text:
            patch.setattr("sys.stdin", text)
            assert cli.main(["device", "add", "-", "--profile", "press"]) == 0
        yield {
            "$INIT": wrong_inputs.INIT,
            "$PORTAL": running.urls["portal"],
            "$PLATFORM": running.urls["platform"],
            "$TAKEN": "{}:{}".format(*taken.getsockname()),
        }
        assert cli.main(["device", "release", "PRESS-4"]) == 0


def in_a_process(words: list[str], environment: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "muster_server", *words],
        env={"PATH": os.environ["PATH"], **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("typed", "said"), _ROWS, ids=[row[0] for row in _ROWS])
def test_wrong_input_is_told_in_this_sentence(
    typed: str,
    said: str,
    names: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = typed
    for name, text in names.items():
        line = line.replace(name, text)
    line, _, source = line.partition(" < ")
    words = shlex.split(line)
    environment = {}
    while setting := _SETTING.fullmatch(words[0]):
        environment[setting[1]] = setting[2]
        del words[0]
    program, *arguments = words
    before = state(capsys)
    if arguments[0] == "serve" or "PYTHONIOENCODING" in environment:
        code, told = in_a_process(arguments, environment)
    else:
        for name, text in environment.items():
            monkeypatch.setenv(name, text)
        with Path(source or os.devnull).open() as given:
            monkeypatch.setattr("sys.stdin", given)
            try:
                code = _PROGRAMS[program](arguments)
            except SystemExit as ended:
                code = int(ended.code or 0)
        told = "".join(capsys.readouterr())
        monkeypatch.undo()
    pattern = ".*".join(map(re.escape, re.split(r"\s*…\s*", said)))
    assert re.search(pattern, " ".join(told.split())), told
    assert "Traceback" not in told and "None" not in told
    assert (code == 0) is (typed in _DONE_ALL_THE_SAME)
    assert state(capsys) == before


def state(capsys: pytest.CaptureFixture[str]) -> tuple[str, str, list[Path]]:
    """Return all that must not be lost: profile, devices, and the files of others."""
    capsys.readouterr()
    for command in (["profile", "show", "press"], ["device", "list", "--json"]):
        assert cli.main(command) == 0
    kept = [path for path in Path().rglob("*") if path.name in ("settings.toml", "press.json")]
    return capsys.readouterr().out, Path("set-up/settings.toml").read_text(), sorted(kept)


def test_there_are_forty_and_more() -> None:
    assert len(_ROWS) >= 40
    assert len({typed for typed, _ in _ROWS}) == len(_ROWS)
    assert len(_ROWS) == DOCUMENT.read_text().count("\n| `")
