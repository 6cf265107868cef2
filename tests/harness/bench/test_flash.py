# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster-unit flash` makes devices of bare boards, with the real esptool."""

import csv
import io
import json
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from muster_harness.air.air import Air
from muster_harness.bench.manufacture import Order, manufacture
from muster_harness.bench.self_test import SelfTest, self_test
from muster_harness.cli import main
from muster_harness.deploy.firmware import deploy_firmware, write_identity
from muster_harness.deploy.image_file import check_image
from muster_harness.deploy.label_book import LabelBook
from muster_harness.deploy.labels import Label, new_label, parse_label
from muster_harness.errors import ImageError, RemoteError, SelfTestFailed
from muster_harness.facts import read_facts
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL
from muster_harness.wire.rfc2217_port import RFC2217Port
from tests import secrecy
from tests.harness.bench.bare_board import BareBoard, BareBoardPort
from tests.harness.conftest import write_file
from tests.wire import bundles
from tests.wire.labels import printed
from tests.wire.receipts import receipt

# pyserial 3.5 starts its reader in an old way.
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")

ROOT = Path(__file__).resolve().parents[3]
Run = pytest.CaptureFixture[str]


@pytest.fixture
def bare(off_board: EmulatedBoard) -> BareBoard:
    return BareBoard(off_board)


@pytest.fixture
def port(bare: BareBoard, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The port of a board that waits for its download; somebody presses reset when asked to."""
    bare.press_reset(with_boot=True)

    def hear(text: str) -> None:
        print(text, file=sys.stderr)
        if "press the board's reset button" in text:
            bare.press_reset()

    monkeypatch.setattr("muster_harness.commands.manufacturing.say", hear)
    monkeypatch.setattr("muster_harness.wire.prompt._ASK_AFTER_S", 0.1)
    with BareBoardPort(bare) as line:
        yield line.path


@pytest.fixture
def hasty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pyserial looks for each answer of an RFC 2217 server every 50 ms only."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import time, types, serial.rfc2217\n"
        "hasty = types.SimpleNamespace(**vars(time))\n"
        "hasty.sleep = lambda seconds: time.sleep(seconds / 50)\n"
        "serial.rfc2217.time = hasty\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    faster = SimpleNamespace(**vars(time))
    faster.sleep = lambda seconds: time.sleep(seconds / 50)
    monkeypatch.setattr("serial.rfc2217.time", faster)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Begins as an image for an ESP32 does; what follows is none of esptool's business."""
    path = tmp_path / "ESP32_GENERIC.bin"
    header = bytes([0xE9, 1, 2, 0x20]) + bytes(4) + bytes(4) + bytes([0, 0]) + bytes(10)
    path.write_bytes(header + bytes(range(256)) * 64)
    return path


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return tmp_path / "labels.csv"


def flash(port: str, image: Path, book: Path, *more: str) -> int:
    words = ["--board", "EMULATED", "--image", str(image), "--csv", str(book), "--json"]
    return main(["flash", "--port", port, *words, *more])


def verdict(capsys: Run) -> Any:
    [found] = json.loads(capsys.readouterr().out)
    if found["label"]:
        label = parse_label(found["label"])
        secrecy.hide_label(label.text, label.secret)
    return found


def test_a_bare_board_becomes_a_labelled_device_once(
    bare: BareBoard, port: str, image: Path, book: Path, capsys: Run
) -> None:
    assert flash(port, image, book, "--id", "press-4") == 0
    said = verdict(capsys)
    assert (said["is_good"], said["device_id"]) == (True, "PRESS-4")
    data = image.read_bytes()
    assert bare.rom.flash[0x1000 : 0x1000 + len(data)] == data
    assert stat.S_IMODE(book.stat().st_mode) == 0o600
    [row] = csv.DictReader(io.StringIO(book.read_text()))
    assert row["label"] == said["label"]
    secret = parse_label(said["label"]).secret
    log = bare.emulated.log_path.read_bytes()
    assert not any(form in log for form in secrecy.forms(secret))
    with REPL(port) as repl:
        repl.exec("from muster import hardware, identity")
        repl.exec("who = identity.read(hardware.open_nvs('muster'))")
        who = repl.eval("(who.device_id, who.secret)")
    assert who == ("PRESS-4", secret)

    bare.press_reset(with_boot=True)
    assert flash(port, image, book) == 1
    said = verdict(capsys)
    assert said["failed_at"] == "label"
    assert "is PRESS-4 already; --erase" in said["error"]
    assert len(book.read_text().splitlines()) == 2


def test_reset_lines_need_nobody_at_the_buttons(
    bare: BareBoard, hasty: None, image: Path, book: Path, capsys: Run
) -> None:
    with RFC2217Port(bare) as server:
        assert flash(server.url, image, book) == 0
    assert verdict(capsys)["is_good"]


def test_a_board_whose_boot_button_nobody_holds(
    bare: BareBoard, port: str, image: Path, book: Path, capsys: Run
) -> None:
    bare.press_reset()
    assert flash(port, image, book) == 1
    said = verdict(capsys)
    assert said["failed_at"] == "image"
    assert "hold its BOOT button" in said["error"]


def test_a_flash_that_does_not_keep_what_is_written(
    bare: BareBoard, port: str, image: Path, book: Path, capsys: Run
) -> None:
    bare.rom.is_worn = True
    assert flash(port, image, book) == 1
    assert "may be worn" in verdict(capsys)["error"]
    assert book.read_text() == ""


def test_a_missing_esptool_is_named_with_the_cure(
    port: str,
    image: Path,
    book: Path,
    tmp_path: Path,
    capsys: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr("muster_harness.bench.image.sys.executable", str(python))
    assert flash(port, image, book) == 1
    assert "pip install esptool" in verdict(capsys)["error"]


def test_another_chip_is_named(
    off_board: EmulatedBoard, image: Path, book: Path, capsys: Run
) -> None:
    other = BareBoard(off_board, chip="esp32s2")
    other.press_reset(with_boot=True)
    with BareBoardPort(other) as line:
        assert flash(line.path, image, book) == 1
    assert "This chip is ESP32-S2, not ESP32" in verdict(capsys)["error"]


def test_a_stuck_button_fails_the_self_test(board: EmulatedBoard) -> None:
    deploy_firmware(board.port, ROOT / "firmware")
    assert self_test(board.port).heap_free > 80_000
    board.drive(0, 0)
    with pytest.raises(SelfTestFailed, match="the button is pressed, or its pin is another"):
        self_test(board.port)


def test_a_board_without_firmware_fails_the_self_test(board: EmulatedBoard) -> None:
    with pytest.raises(SelfTestFailed, match=r"firmware: ImportError .*; button: OSError"):
        self_test(board.port)


def test_several_ports_get_a_verdict_each(
    tmp_path: Path, air: Air, port: str, image: Path, book: Path, capsys: Run
) -> None:
    words = ["--board", "EMULATED", "--image", str(image), "--csv", str(book)]
    with EmulatedBoard(tmp_path / "other", air=air) as other, BareBoardPort(BareBoard(other)) as e:
        assert main(["flash", "--port", port, "--port", e.path, *words]) == 1
        said = capsys.readouterr()
    [label] = csv.DictReader(io.StringIO(book.read_text()))
    parsed = parse_label(label["label"])
    secrecy.hide_label(parsed.text, parsed.secret)
    assert f"{port}  {parsed.device_id}  good (" in said.out
    assert f"{e.path}  -  FAILED at image: " in said.out
    assert f"{port}  firmware" in said.err


@pytest.fixture
def given(tmp_path: Path) -> list[str]:
    """A bundle and the label that it was sealed with, as words of the command."""
    label = printed(bundles.DEVICE_ID, bundles.SECRET)
    secrecy.hide_label(label, bundles.SECRET)
    (tmp_path / "label.txt").write_text(label)
    bundle = str(tmp_path / "PRESS-4.muster")
    Path(bundle).write_text(bundles.made())
    return ["--bundle", bundle, "--label-file", str(tmp_path / "label.txt")]


def test_a_board_with_a_bundle_opens_it_at_its_first_start(
    bare: BareBoard, port: str, image: Path, book: Path, capsys: Run, given: list[str]
) -> None:
    assert flash(port, image, book, *given) == 0
    assert verdict(capsys)["is_good"]
    board = bare.emulated
    board.forget_output()
    board.reset()
    # Nobody has put up its network; the receipt proves that it has read which one it wants.
    found = board.expect(rb"receipt (\w{4} \w{4}): version (\d+) (\w+)", timeout_s=60)
    outcome = (bundles.VERSION, "wifi_no_ap", bundles.made())
    assert (int(found[2]), found[3]) == (bundles.VERSION, b"wifi_no_ap")
    shown = found[1].decode().replace(" ", "")
    assert shown == receipt(bundles.DEVICE_ID, bundles.SECRET, *outcome)


@pytest.mark.parametrize(
    ("label", "code", "words"),
    [
        ("MUSTER:1:PRESS-5:{}", 5, "is sealed for PRESS-4, and the label is that of PRESS-5"),
        ("MUSTER:1:PRESS-4:{}", 5, "not sealed with this label of PRESS-4"),
        ("--id", 1, "a new label has a new secret; give that label with --label-file"),
        (None, 1, "give that label with --label-file"),
    ],
    ids=["another's", "re-issued", "--id", "none"],
)
def test_a_bundle_that_the_board_could_not_open_is_refused_before_anything_is_written(
    port: str,
    image: Path,
    book: Path,
    tmp_path: Path,
    capsys: Run,
    given: list[str],
    label: str | None,
    code: int,
    words: str,
) -> None:
    if label == "--id":
        given[2:] = ["--id", "PRESS-4"]
    elif label is None:
        del given[2:]
    else:
        made = new_label(label.split(":")[2])
        secrecy.hide_label(made.text, made.secret)
        (tmp_path / "label.txt").write_text(made.text)
    assert flash(port, image, book, *given) == code
    assert words in capsys.readouterr().err
    assert not book.exists()


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"UF2\n", "begins with 55, not e9"), (b"", "begins with nothing"), (None, "cannot be read")],
)
def test_a_file_that_is_no_image_is_refused_at_once(
    tmp_path: Path, data: bytes | None, words: str
) -> None:
    path = tmp_path / "image.bin"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ImageError, match=words):
        check_image(path)


def test_files_of_somebody_else_are_not_replaced_unasked(
    bare: BareBoard, port: str, image: Path, book: Path, capsys: Run
) -> None:
    bare.emulated.power_on()
    bare.emulated.expect(rb">>> ")
    with REPL(bare.emulated.port) as repl:
        write_file(repl, "/main.py", "print('mine')")
    bare.emulated.power_off()
    assert flash(port, image, book) == 1
    said = verdict(capsys)
    assert (said["failed_at"], "/main.py on the board" in said["error"]) == ("firmware", True)


NOTES = "from esp32 import NVS; n = NVS('mine'); "


@pytest.fixture
def used(bare: BareBoard, port: str) -> str:
    """The port of a board that somebody has used: with a program, notes, and an identity."""
    board = bare.emulated
    board.power_on()
    board.write_file("/notes.txt", "mine too")
    board.exec(NOTES + "n.set_i32('notes', 7)")
    deploy_firmware(board.port, ROOT / "firmware")
    write_identity(board.port, "OLD", bytes(range(1, 21)))
    board.write_file("/main.py", "print('mine')")
    bare.press_reset(with_boot=True)
    return port


def test_force_gives_a_new_label_and_keeps_what_is_not_in_the_way(
    bare: BareBoard, used: str, image: Path, book: Path, capsys: Run
) -> None:
    assert flash(used, image, book, "--id", "NEW", "--force") == 0
    assert verdict(capsys)["device_id"] == "NEW"
    bare.close()  # one reader at a time
    assert bare.emulated.read_file("/notes.txt") == b"mine too"
    assert bare.emulated.exec(NOTES + "print(n.get_i32('notes'))") == "7\n"


def test_erase_empties_the_board_first(
    bare: BareBoard, used: str, image: Path, book: Path, capsys: Run
) -> None:
    assert flash(used, image, book, "--id", "NEW", "--erase") == 0
    assert verdict(capsys)["device_id"] == "NEW"
    bare.close()
    assert "notes.txt" not in bare.emulated.list_files("/")
    with pytest.raises(RemoteError, match="ESP_ERR_NVS_NOT_FOUND"):
        bare.emulated.exec(NOTES + "print(n.get_i32('notes'))")


def test_good_boards_are_made_at_the_same_time(
    image: Path, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each stays in its self-test until the other one is there."""
    together = threading.Barrier(2, timeout=30)
    written: dict[str, Label] = {}

    def test(port: str) -> SelfTest:
        together.wait()
        return SelfTest(firmware="1", heap_free=1, files_free=1, networks=2)

    def write(
        port: str, info: Any, label: Label, *, note: Callable[[Label], None], replaces: bool
    ) -> None:
        note(label)
        written[port] = label

    monkeypatch.setattr("muster_harness.bench.manufacture.write_image", lambda *_, **__: None)
    monkeypatch.setattr("muster_harness.bench.manufacture._answering", lambda where, say: where())
    monkeypatch.setattr("muster_harness.bench.manufacture.deploy_firmware", lambda *_, **__: None)
    unlabelled = SimpleNamespace(device_id=None)
    monkeypatch.setattr("muster_harness.bench.manufacture.look", lambda *_, **__: unlabelled)
    monkeypatch.setattr("muster_harness.bench.manufacture.write_label", write)
    monkeypatch.setattr("muster_harness.bench.manufacture.self_test", test)
    order = Order(read_facts("EMULATED"), image, ROOT / "firmware")
    with LabelBook(str(book)) as opened:
        first, second = manufacture(["/dev/one", "/dev/two"], order, opened)
    assert first.is_good and second.is_good
    assert [first.label, second.label] == [written["/dev/one"], written["/dev/two"]]
    noted = {row["device_id"] for row in csv.DictReader(io.StringIO(book.read_text()))}
    assert noted == {label.device_id for label in written.values()} and len(noted) == 2
    for label in written.values():
        secrecy.hide_label(label.text, label.secret)
