# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Firmware arrives as it was sent or not at all; an identity arrives and leaves no trace."""

import io
import json
import re
import shutil
from pathlib import Path

import pytest

from muster_harness import cli
from muster_harness.commands.progress import ProgressBar
from muster_harness.deploy.firmware import deploy_firmware, write_identity
from muster_harness.deploy.layout import lay_out
from muster_harness.errors import BoardError, BundleRefused, DeployError, HarnessError, PortError
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL
from tests import secrecy
from tests.wire import bundles

DOORBELL = Path(__file__).parents[3] / "harness" / "examples" / "doorbell" / "firmware"
SECRET = bytes(range(100, 120))


@pytest.fixture
def firmware(tmp_path: Path) -> Path:
    """A package that stores an identity, and a main that says so."""
    folder = tmp_path / "firmware"
    (folder / "muster").mkdir(parents=True)
    (folder / "boot.py").write_text("# nothing\n")
    (folder / "main.py").write_text("import muster\nprint('deployed', muster.NAME)\n")
    (folder / "muster" / "__init__.py").write_text("NAME = 'here'\n")
    (folder / "muster" / "identity.py").write_text(
        "def write(device_id, secret):\n"
        "    if len(secret) != 20: raise ValueError('wanted 20 bytes')\n"
        "    with open('identity', 'wb') as f:\n"
        "        f.write(device_id.encode() + secret)\n"
    )
    return folder


@pytest.mark.parametrize("form", ["mpy", "py"])
def test_deployed_firmware_runs(board: EmulatedBoard, firmware: Path, form: str) -> None:
    deploy_firmware(board.port, firmware, form=form, build={"model": "press"})
    board.forget_output()
    board.reset()
    board.expect(rb"deployed here\r\n")
    with REPL(board.port) as repl:
        assert repl.eval("__import__('os').listdir('/lib/muster')[0].split('.')[1]") == form
        facts = json.loads(repl.eval("open('/muster.json').read()"))
    assert (facts["board"], facts["model"]) == ("EMULATED", "press")
    assert (facts["button"], facts["led"]["pin"]) == ({"pin": 0, "active": 0}, 2)


def test_an_identity_is_written_and_appears_in_no_output(
    board: EmulatedBoard, firmware: Path
) -> None:
    deploy_firmware(board.port, firmware)
    write_identity(board.port, "A-1", SECRET)
    with REPL(board.port) as repl:
        assert repl.eval("open('identity', 'rb').read()") == b"A-1" + SECRET
    log = board.log_path.read_bytes().rpartition(b"A-1")[0]
    assert not any(form in log for form in secrecy.forms(SECRET))


def test_an_identity_that_the_firmware_refuses_is_an_error_without_it(
    board: EmulatedBoard, firmware: Path
) -> None:
    deploy_firmware(board.port, firmware)
    with pytest.raises(DeployError, match="did not take the identity") as caught:
        write_identity(board.port, "A-1", SECRET[:-1])
    assert "ValueError: wanted 20 bytes" in str(caught.value)
    assert not any(form in str(caught.value).encode() for form in secrecy.forms(SECRET[:-1]))


def test_a_bundle_of_another_device_than_the_board_is_refused_before_anything_is_sent(
    tmp_path: Path, firmware_flash: Path, firmware: Path
) -> None:
    shutil.copytree(firmware_flash, tmp_path / "unit")
    bundle = tmp_path / "PRESS-4.muster"
    bundle.write_text(bundles.made())
    with EmulatedBoard(tmp_path / "unit", heap="512K") as board:
        board.power_on()
        board.expect(rb">>> ")
        write_identity(board.port, "PRESS-5", SECRET)
        with pytest.raises(BundleRefused, match="for PRESS-4, and the board on .* is PRESS-5"):
            deploy_firmware(board.port, firmware, bundle=bundle)
        assert "PRESS-4.muster" not in board.list_files()
        assert board.exec("import muster.hardware") == ""  # the firmware that was there
        write_identity(board.port, "PRESS-4", SECRET)
        deploy_firmware(board.port, firmware, bundle=bundle, agree=lambda _: True)
        assert board.read_file("/PRESS-4.muster").decode() == bundles.made()


def test_a_board_without_firmware_is_named_so(board: EmulatedBoard) -> None:
    with pytest.raises(DeployError, match="is the firmware deployed?"):
        write_identity(board.port, "A-1", SECRET)


def test_nobody_at_the_port_is_an_error_with_the_cure(firmware: Path) -> None:
    with pytest.raises(PortError, match="is the board on"):
        deploy_firmware("/dev/pts/absent", firmware)


def test_a_silent_board_is_an_error_with_the_cure(off_board: EmulatedBoard) -> None:
    with pytest.raises(BoardError, match="is the board on"), REPL(off_board.port, timeout_s=0.2):
        pass


def test_wrong_sources_are_named(firmware: Path, tmp_path: Path) -> None:
    (firmware / "muster" / "broken.py").write_text("def (:\n")
    with pytest.raises(HarnessError, match=r"(?s)broken\.py.*SyntaxError"):
        lay_out(firmware, tmp_path / "a", "mpy")
    with pytest.raises(DeployError, match="not as 'exe'"):
        lay_out(firmware, tmp_path / "b", "exe")
    (firmware / "muster" / "broken.py").unlink()
    (firmware / "muster" / "identity.mpy").write_bytes(b"")
    with pytest.raises(DeployError, match=r"both become /lib/muster/identity\.mpy"):
        lay_out(firmware, tmp_path / "c", "mpy")
    (firmware / "muster.json").write_text("{}")
    with pytest.raises(DeployError, match=r"muster\.json would hide"):
        lay_out(firmware, tmp_path / "e", "mpy")
    (firmware / "main.py").unlink()
    with pytest.raises(DeployError, match="has no main.py"):
        lay_out(firmware, tmp_path / "d", "mpy")
    with pytest.raises(HarnessError, match="no board file .*boards/ has EMULATED, ESP32_GENERIC"):
        deploy_firmware("/dev/pts/absent", firmware, build={"board": "UNKNOWN"})


def test_every_file_of_any_firmware_arrives_once_and_goes_when_it_is_gone(
    board: EmulatedBoard, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The example's, with all that a firmware of several parts may have."""
    mine = tmp_path / "mine"
    shutil.copytree(DOORBELL, mine)
    files = {
        "doorbell.json": '{"ssid": "no such network", "password": null}',
        "helper.py": "from pkg import page\nimport driver\nprint(page(), driver.NAME)\n",
        "pkg/__init__.py": "def page():\n    return open('/pkg/index.html').read()\n",
        "pkg/index.html": "<h1>",
        "lib/driver.py": "NAME = 'a driver'\n",
        "README.md": "", "manifest.py": "", "package.json": "", "mypy.ini": "",
        ".cache/x": "", "pkg/__pycache__/x.pyc": "",
        "lib/driver-1.0.dist-info/RECORD": "",
    }  # fmt: skip
    for name, text in files.items():
        (mine / name).parent.mkdir(exist_ok=True, parents=True)
        (mine / name).write_text(text)
    main = (mine / "main.py").read_text()
    (mine / "main.py").write_text("import helper\n" + main)
    command = ["deploy", "--port", board.port, "--source", str(mine)]
    assert cli.main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sent"] == [
        "/doorbell.json", "/helper.mpy", "/lib/driver.mpy", "/pkg/__init__.mpy",
        "/pkg/index.html", "/main.py",
    ]  # fmt: skip
    board.forget_output()
    board.reset()
    board.expect(rb"<h1> a driver\r\nwaiting\r\n")
    assert cli.main(command) == 0
    assert f"nothing was written\nnext: muster-unit log --port {board.port}" in (
        capsys.readouterr().out
    )
    (mine / "doorbell.json").unlink()
    shutil.rmtree(mine / "lib")
    assert cli.main([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["sent"], told["removed"]) == (["/main.py"], ["/doorbell.json", "/lib/driver.mpy"])
    assert board.list_files("/") == [".muster-files", "boot.py", "helper.mpy", "main.py", "pkg"]


def test_what_only_muster_reads_goes_with_it_and_is_refused_for_others(
    board: EmulatedBoard, firmware: Path, tmp_path: Path
) -> None:
    deploy_firmware(board.port, firmware, build={"model": "press"})
    with pytest.raises(DeployError, match="not Muster's firmware .*: model, bundle"):
        deploy_firmware(board.port, DOORBELL, build={"model": "press"}, bundle=tmp_path / "absent")
    deploy_firmware(board.port, DOORBELL)
    assert board.list_files("/") == [".muster-files", "main.py"]


def test_without_a_checkout_the_firmware_has_to_be_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("muster_harness.commands.boards._FIRMWARE", tmp_path)
    assert cli.main(["deploy", "--port", "/dev/null"]) == 1
    assert "Name its folder with --source" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_it_asks_before_it_touches_files_of_others(
    board: EmulatedBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.write_file("/main.py", "print('mine')")
    command = ["deploy", "--port", board.port, "--source", str(DOORBELL)]
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr("sys.stdin", Terminal("\n"))  # the usual answer is no
    assert cli.main(command) == 5
    asked = "since:\n  /main.py\nReplace or remove them? [y/N] "
    assert screen.getvalue().count(asked) == 1
    assert board.read_file("/main.py") == b"print('mine')"
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert cli.main(command) == 0
    assert screen.getvalue().count(asked) == 2
    assert board.read_file("/main.py") == (DOORBELL / "main.py").read_bytes()
    # while it sends; and the line is clean afterwards
    shown = screen.getvalue().split("\r")
    assert any(re.fullmatch(r"deploy █{30} 100% of \d+ kB", line) for line in shown)
    assert shown[-2:] == [" " * len(shown[-3]), ""]


def test_a_progress_bar_grows_and_is_for_terminals_only() -> None:
    screen, file = Terminal(), io.StringIO()
    for stream in (screen, file):
        with ProgressBar("deploy", stream) as bar:
            bar.show(0, 4000)
            bar.show(1000, 4000)
    assert file.getvalue() == ""
    begin, empty, quarter = screen.getvalue().split("\r")[1:4]
    assert begin == "deploy …"
    assert empty == f"deploy {'·' * 30}   0% of 4 kB"
    assert quarter == f"deploy {'█' * 8}{'·' * 22}  25% of 4 kB"
