# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Contents of a rig file, and the answers to one that is wrong."""

import re
import sys
from pathlib import Path

import pytest

from muster_harness.errors import RigError
from muster_harness.log import Log
from muster_harness.units import rig
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.units.pool import UnitPool
from muster_harness.units.rig import Commands, Wire, read_rig

GOOD = """
[unit.press]
port = "id:0001"
button = { unit = "helper", pin = 4, active = 0, releases = true }
power = { on = ["relay", "1"], off = ["relay", "0"] }
[unit.helper]
port = "/dev/ttyACM0"
[network.factory]
ssid = "factory"
password = "correct horse"
address = "192.168.1.10"
"""


def read(folder: Path, text: str) -> rig.Rig:
    (folder / "rig.toml").write_text(text)
    return read_rig(folder / "rig.toml")


def test_units_wires_and_networks_are_read(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD)
    press = found.units["press"]
    assert press.button == Wire("helper", 4, 0, releases=True)
    assert press.power == Commands(("relay", "1"), ("relay", "0"))
    assert found.networks["factory"].address == "192.168.1.10"


def test_a_helping_board_is_not_under_test_unless_it_is_named(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD)
    assert UnitPool([], found, "256K", tmp_path).boards == ("press",)
    assert UnitPool(["helper"], found, "256K", tmp_path).boards == ("helper",)


def test_a_password_does_not_show(tmp_path: Path) -> None:
    assert "correct horse" not in repr(read(tmp_path, GOOD))


@pytest.mark.parametrize(
    "text",
    [
        "[[network]]\nssid = 'home'\npassword = 'correct horse'",
        "[[network.home]]\nssid = 'home'\npassword = 'correct horse'",
        "[network]\nhome = 'correct horse'",
        "[network.home]\nssid = ['home', 'correct horse']",
    ],
)
def test_a_password_in_a_wrong_place_is_not_in_the_message(tmp_path: Path, text: str) -> None:
    with pytest.raises(RigError, match=r"network.* not a ") as refused:
        read(tmp_path, text)
    assert "correct horse" not in str(refused.value)


def test_the_documented_rig_file_is_right(tmp_path: Path) -> None:
    shown = re.search(r"```toml\n(.*?)```", rig.__doc__ or "", re.DOTALL)
    assert shown
    found = read(tmp_path, shown[1].replace("…", "correct horse"))
    assert set(found.units) == {"press", "helper"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("unit = ", "cannot be read as TOML"),
        ("[units.press]", "no table 'units', only unit, network"),
        ("unit = 3", r"\[unit.NAME\] are tables, not a number"),
        ("[unit]\npress = 3", r"\[unit.press\] is a table, not a number"),
        ("[unit.press]", r"\[unit.press\] lacks 'port'"),
        ("[unit.press]\nport = 3", "port is a text, not a number"),
        ("[unit.press]\nport = 'x'\nbuton = 3", r"\[unit.press\] knows no 'buton', only port"),
        ("[unit.press]\nport = 'x'\nbutton = 4", r"\[unit.press.button\] is a table"),
        ("[unit.press]\nport = 'x'\nled = {unit = 'y', pin = 4}", "wired to 'y'.*none"),
        ("[unit.press]\nport = 'x'\nled = {unit = 'press', pin = 4}", "no other unit"),
        ("[unit.press]\nport = 'x'\nled = {unit = 'y', pin = -1}", "pin is a number"),
        (
            "[unit.a]\nport = 'x'\nled = {unit = 'b', pin = 1}\n"
            "[unit.b]\nport = 'x'\nled = {unit = 'a', pin = 1}",
            "which is wired itself",
        ),
        ("[unit.press]\nport = 'x'\nled = {unit = 'y', pin = 1, active = 2}", "0 or 1"),
        ("[unit.press]\nport = 'x'\npower = {on = 'relay'}", "on is a command"),
        ("[network.home]\nssid = 'home'", "lacks 'address'"),
        ("[network.home]\nssid = 'x'\naddress = '1'\npassword = 'short'", "8 to 64 characters$"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RigError, match=said.rstrip("$")) as refused:
        read(tmp_path, text)
    assert "rig.toml" in str(refused.value)
    assert "short" not in str(refused.value)


def test_an_absent_rig_file_says_where_one_is_shown(tmp_path: Path) -> None:
    with pytest.raises(RigError, match=r"no rig file .*README"):
        read_rig(tmp_path / "rig.toml")


def test_a_pin_of_another_board_presses_and_sees(board: EmulatedBoard, tmp_path: Path) -> None:
    with EmulatedBoard(tmp_path / "helper") as helper:
        helper.power_on()
        found = read(
            tmp_path,
            f'[unit.press]\nport = "{board.port}"\nbutton = {{ unit = "helper", pin = 4 }}\n'
            f'led = {{ unit = "helper", pin = 5 }}\n[unit.helper]\nport = "{helper.port}"\n',
        )
        log = Log(tmp_path / "test.log")
        pool = UnitPool(["press"], found, "256K", tmp_path)
        with pool.units(["press"], log, None, tmp_path, None) as (unit,):
            assert unit.can("button", "led", "hardware")
            unit.press(ms=20)
            assert helper.level(4) == 0
            helper.drive(5, 1)
            assert unit.is_lit
            helper.drive(5, 0)
            assert not unit.is_lit
        log.close()
        said = (tmp_path / "helper" / "board.log").read_text()
        assert said.index("pin 4 is 1") < said.index("pin 4 is 0")
        assert "button pressed" in log.path.read_text()


def test_commands_switch_the_power(board: EmulatedBoard, tmp_path: Path) -> None:
    relay = tmp_path / "relay.py"
    relay.write_text("import sys; open(sys.argv[1], 'a').write(sys.argv[2])")
    words = [sys.executable, str(relay), str(tmp_path / "said")]
    found = read(
        tmp_path,
        f'[unit.press]\nport = "{board.port}"\n'
        f"power = {{ on = {[*words, '1']!r}, off = {[*words, '0']!r} }}\n",
    )
    log = Log(tmp_path / "test.log")
    pool = UnitPool([], found, "256K", tmp_path)
    with pool.units(pool.choose(1, frozenset({"power"})), log, None, tmp_path, None) as units:
        units[0].power_off()
        assert not units[0].is_on
        units[0].power_on()
    log.close()
    assert (tmp_path / "said").read_text() == "101"


def test_a_command_that_fails_is_shown_with_its_words(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        '[unit.press]\nport = "/dev/pts/absent"\n'
        'power = { on = ["sh", "-c", "echo no such hub; exit 3"], off = ["absent-command"] }\n',
    )
    log = Log(tmp_path / "test.log")
    pool = UnitPool(["press"], found, "256K", tmp_path)
    with (
        pytest.raises(RigError, match="ended with 3: no such hub"),
        pool.units(["press"], log, None, tmp_path, None),
    ):
        pytest.fail("it has no power")
    log.close()
