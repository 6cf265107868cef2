# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Do both commands speak sensibly on terminals of every kind, and to scripts?"""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from muster_server import cli
from muster_server.command_table import COMMANDS
from muster_server.label import parse_label
from tests.children import AtTerminal

PROGRAMS = ("muster_server", "muster_harness")
LOCALES = {
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "Latin-1": {"PYTHONIOENCODING": "latin-1"},
    "40 columns": {"COLUMNS": "40"},
    "no home": {"HOME": "/nonexistent", "TERM": "dumb"},
}


def run(program: str, *words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", program, *words],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], **environment},
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    "words",
    [
        ("muster_server", "label", "new"),
        ("muster_server", "label", "new", "--id", "süß"),
        ("muster_server", "device", "add", "--help"),
        ("muster_server", "device", "list"),
        ("muster_harness", "--help"),
        ("muster_harness", "flash", "--help"),
        ("muster_harness", "info", "--port", "/dev/ü…"),
    ],
    ids=" ".join,
)
def test_no_locale_and_no_width_ends_in_a_traceback(words: tuple[str, ...], locale: str) -> None:
    done = run(*words, **LOCALES[locale])
    assert b"Traceback" not in done.stderr
    assert done.stdout or done.stderr.count(b"\n") <= 3
    assert max(done.stdout + done.stderr) < 0x80 or locale != "C"


def test_json_stays_json_where_the_locale_has_no_umlauts(tmp_path: Path) -> None:
    done = run("muster_harness", "info", "--json", "--port", str(tmp_path / "ü"), **LOCALES["C"])
    assert "port" in json.loads(done.stderr)["error"]["detail"]


def test_terminal_that_cannot_print_a_code_says_so_and_prints_the_label() -> None:
    done = run("muster_server", "label", "new", PYTHONIOENCODING="latin-1")
    assert done.returncode == 0
    assert b"has no blocks for a QR code; try: muster label new --svg" in done.stderr
    assert parse_label(done.stdout.split()[-1].decode()).device_id.startswith("M-")


@pytest.mark.parametrize("program", PROGRAMS)
def test_version_is_told(program: str) -> None:
    name, number = run(program, "--version").stdout.decode().split()
    assert (name, number[0].isdigit()) == (program.replace("_harness", "-unit").replace(
        "_server", ""), True)  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("words", [(), ("label",)], ids=["nothing", "a group"])
def test_help_is_shown_when_no_command_is_named(program: str, words: tuple[str, ...]) -> None:
    done = run(program, *words)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"\n") > 8


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_knows_the_commands(program: str, shell: str) -> None:
    done = run(program, "completion", shell)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"timeline" in done.stdout
    assert b"timeline" in done.stdout
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=done.stdout, check=True)


def test_every_command_but_those_that_go_on_can_be_parsed_and_completed() -> None:
    script = run("muster_server", "completion", "bash").stdout.decode()
    assert [c.words for c in COMMANDS if "_".join(c.words).replace("-", "_") not in script] == []


@pytest.mark.parametrize("is_plain", [False, True])
def test_colours_are_for_terminals_that_want_them(is_plain: bool) -> None:
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm"}
    command = [sys.executable, "-m", "muster_server", "device", "lst"]
    environment |= {"NO_COLOR": "1"} if is_plain else {}
    with AtTerminal(command, environment, keeps_styles=True) as terminal:
        assert terminal.ends() == 2
    assert (b"\x1b[" in terminal.said) is not is_plain
    assert b'did you mean "list"' in terminal.said


def test_secret_that_is_asked_for_is_not_shown() -> None:
    """A label that is typed at a terminal does not stand on the screen."""
    command = [sys.executable, "-m", "muster_server", "device", "add", "--profile", "press"]
    environment = {"PATH": os.environ["PATH"], "TERM": "dumb", "MUSTER_TOKEN": "t" * 40}
    environment["MUSTER_PORTAL_URL"] = "http://127.0.0.1:9"
    with AtTerminal(command, environment) as terminal:
        terminal.expect(r"\(not shown\): ")
        terminal.sendline("MUSTER:1:PRESS-4:GEHEIM")
        terminal.ends()
    assert b"GEHEIM" not in terminal.said
    assert b"did not answer" in terminal.said


def test_labels_come_as_a_table_that_other_commands_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["label", "new", "-n", "5"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    labels = [parse_label(row["label"]) for row in rows]
    assert [label.device_id for label in labels] == [row["device_id"] for row in rows]
    assert len({label.secret for label in labels}) == 5


@pytest.mark.parametrize(("kind", "begins"), [("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_code_is_drawn_for_its_owner_alone(
    kind: str, begins: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / f"label.{kind}"
    assert cli.main(["label", "new", f"--{kind}", str(file)]) == 0
    assert file.read_bytes().startswith(begins)
    assert file.stat().st_mode & 0o777 == 0o600
    assert str(file) in capsys.readouterr().out
