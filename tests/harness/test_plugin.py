# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the pytest plugin promise to projects that know nothing of this one?"""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from muster_harness.fixtures import log_name
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.tcp_port import TCPPort

pytest_plugins = ["pytester"]

BLINK = "print('hello from main')\n"
BODY = """
def test_it_greets_over_wifi(hil_unit, hil_network, hil_log):
    home = hil_network("home")
    hil_log.note("server", "GET /greeting")
    hil_unit.write_file("/name.txt", home.ssid)
    hil_unit.reset()
    hil_unit.expect(rb"hello from main")
    hil_unit.exec(
        "import network, time; w = network.WLAN(); w.active(True)\\n"
        f"w.connect({home.ssid!r}, {home.password!r})\\n"
        "while not w.isconnected(): time.sleep_ms(5)"
    )
    assert hil_unit.read_file("/name.txt") == home.ssid.encode()
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """Another project, with a firmware of its own."""
    (pytester.mkdir("firmware") / "main.py").write_text(BLINK)
    pytester.makeini("[pytest]\nhil_firmware = firmware\nhil_board = emulated\n")
    return pytester


def log_of(project: pytest.Pytester, test: str) -> str:
    return next((project.path / "hil-logs").glob(f"*{test}*.log")).read_text()


def test_all_that_happens_stands_on_one_time_line(project: pytest.Pytester) -> None:
    project.makepyfile(BODY)
    project.runpytest().assert_outcomes(passed=1)
    text = log_of(project, "greets")
    lines = text.splitlines()
    kinds = {
        "serial": r"board +< hello from main",
        "exec": r"board +\* exec from \w+\.py:\d+: \d+ characters, printed 0, \d+ ms",
        "radio": r"air +\* board join ssid=b'home'",
        "server": r"server +\* GET /greeting",
        "flash": r"board +\* flash: \d+ operations",
        "reset": r"board +\* reset: power_on",
        "size": r"board +> \d+ bytes",
    }
    for kind, pattern in kinds.items():
        assert any(re.fullmatch(rf" *[\d.]+ {pattern}.*", line) for line in lines), (kind, text)
    times = [float(line.split()[0]) for line in lines]
    assert times == sorted(times)


def test_packages_in_the_firmware_are_no_tests(project: pytest.Pytester) -> None:
    library = project.mkdir("firmware/lib")
    (library / "test_client.py").write_text("import machine\n")
    project.makepyfile("def test_it(): pass")
    project.runpytest().assert_outcomes(passed=1)


ELSEWHERE = """
import builtins, sys
real = builtins.__import__
def imported(name, names=None, *rest):
    ours = names and names["__name__"].startswith("muster_harness")
    if ours and name in ("fcntl", "termios", "tty", "pty"):
        raise ModuleNotFoundError(f"No module named {name!r}")
    return real(name, names, *rest)
builtins.__import__ = imported
import muster_harness.plugin
sys.platform = "win32"
from pathlib import Path
from muster_harness.errors import InterpreterError
from muster_harness.units.pool import UnitPool
pool = UnitPool(["emulated", "COM3"], None, "256K", Path(sys.argv[1]))
print(pool.choose(2, frozenset()))
try:
    pool.template(lambda unit: None)
except InterpreterError as e:
    print(e)
"""


def test_the_plugin_loads_where_there_is_no_emulated_board(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ELSEWHERE, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.stdout.startswith("['COM3', 'emulated']\nthe emulated board needs Linux"), done


def test_no_two_tests_share_a_log() -> None:
    assert log_name("tests/test_bell.py::test_press") == "tests-test_bell.py-test_press"
    alike = [f"test_x.py::test_x[{word}]" for word in ("a b", "a-b", "a/b", "a::b", "x" * 200)]
    alike += ["a-b/test_x.py::test_y", "a/b/test_x.py::test_y", f"{'y' * 200}.py::test_x[a-b]"]
    alike += [f"z{alike[-1]}", "test_x.py::test_x[" + "x" * 201 + "]"]
    names = [log_name(nodeid) for nodeid in alike]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) < 200


def test_the_same_body_runs_on_a_board_behind_a_socket(
    project: pytest.Pytester, board: EmulatedBoard
) -> None:
    home = board.air.add_access_point("home", password="correct horse")
    project.makepyfile(BODY)
    with TCPPort(board.port) as tcp:
        (project.path / "rig.toml").write_text(
            f'[unit.desk]\nport = "{tcp.url}"\n[network.home]\nssid = "home"\n'
            f'password = "correct horse"\naddress = "{home.gateway}"\n'
        )
        project.runpytest("--hil-board", "desk").assert_outcomes(passed=1)
    text = log_of(project, "greets")
    assert re.search(r"desk +< hello from main", text)
    assert "correct horse" not in text


def test_without_a_board_tests_are_skipped_and_say_what_to_do(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(BODY)
    result = pytester.runpytest("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*no board: run with --hil-board emulated, or * port*rig.toml*"])


def test_what_a_board_cannot_do_skips_with_the_cure(
    project: pytest.Pytester, board: EmulatedBoard
) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.hil_needs("button")
        def test_press(hil_unit): pass

        def test_play(hil_air): pass

        @pytest.mark.hil_units(2)
        def test_both(hil_units): pass

        def test_network(hil_network): hil_network("home")
        """
    )
    result = project.runpytest("-rs", f"--hil-board={board.port}")
    result.assert_outcomes(skipped=4)
    result.stdout.fnmatch_lines_random(
        [
            "*needs 'button'*rig file: button =*",
            "*needs 'air'*run with --hil-board emulated",
            "*wants 2 boards, and there are 1*name more with --hil-board*",
            "*no network 'home': describe it in rig.toml*",
        ]
    )


def test_a_type_of_board_without_an_led_skips_what_needs_one(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.hil_needs("led")
        def test_light(hil_unit): pass

        def test_anything(hil_unit): assert hil_unit.can("button") and not hil_unit.can("led")
        """
    )
    result = project.runpytest("-rs", "--hil-board=emulated:ESP32_GENERIC_C3")
    result.assert_outcomes(skipped=1, passed=1)
    result.stdout.fnmatch_lines(["*needs 'led'*ESP32_GENERIC_C3 has it not; wire it*"])


@pytest.mark.parametrize("boards", [("desk", "desk"), ("desk", "socket://127.0.0.1:1")])
def test_one_board_cannot_be_two(project: pytest.Pytester, boards: tuple[str, str]) -> None:
    (project.path / "rig.toml").write_text('[unit.desk]\nport = "socket://127.0.0.1:1"\n')
    result = project.runpytest(*(f"--hil-board={board}" for board in boards))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--hil-board: desk and {boards[1]} are one board*"])


def test_a_board_that_several_processes_would_share_is_refused_with_the_cure(
    project: pytest.Pytester, board: EmulatedBoard
) -> None:
    project.makepyfile("def test_one(hil_unit): hil_unit.eval('1')\n")
    # As in a process of pytest-xdist.
    project.makeconftest("def pytest_configure(config): config.workerinput = {'workercount': 2}\n")
    result = project.runpytest(f"--hil-board={board.port}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*2 processes of pytest-xdist cannot share /dev/*-n 0*"])
    project.runpytest("--hil-board=emulated").assert_outcomes(passed=1)


def test_a_port_that_pytest_takes_for_a_path_is_explained(
    project: pytest.Pytester, board: EmulatedBoard
) -> None:
    result = project.runpytest("--hil-board", board.port)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*write --hil-board=/dev/*with an equals sign*"])


def test_several_boards_take_part_in_one_test(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.hil_units(3)
        def test_three(hil_units, hil_air):
            macs = {unit.eval("__import__('machine').unique_id()") for unit in hil_units}
            assert len(macs) == 3
            assert {unit.air for unit in hil_units} == {hil_air}

        @pytest.mark.hil_needs("clock")
        def test_time(hil_unit):
            hil_unit.clock.jump(3600)
            assert hil_unit.time() > 3600
        """
    )
    project.runpytest().assert_outcomes(passed=2)
    assert re.search(r"board-3 +< hello from main", log_of(project, "three")) is None


def test_a_failure_says_where_capture_and_waves_lie(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        def test_it(hil_unit, hil_network):
            home = hil_network("home")
            hil_unit.exec("from machine import Pin; Pin(5, Pin.OUT)(1)")
            hil_unit.exec("import network; w = network.WLAN(); w.active(True)")
            hil_unit.exec(f"w.connect({home.ssid!r}, {home.password!r})")
            hil_unit.exec("while not w.isconnected(): pass")
            assert False
        """
    )
    result = project.runpytest()
    result.stdout.fnmatch_lines(
        ["the air, for Wireshark: *test_it.pcapng", "pins and buses, *: *test_it.board.vcd"]
    )
    project.makepyfile("def test_it(hil_unit): pass")
    project.runpytest().assert_outcomes(passed=1)
    logs = project.path / "hil-logs"
    assert [path.suffix for path in logs.glob("*test_it*")] == [".log"]


def test_a_failure_shows_pattern_last_lines_and_log(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        def test_it(hil_unit):
            hil_unit.reset()
            hil_unit.expect(rb"hello")
            hil_unit.expect(rb"goodbye", timeout_s=0.2)
        """
    )
    result = project.runpytest("--junitxml=report.xml")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*ExpectTimeout: no b'goodbye' within 0.2 s of output",
            "*| hello from main*",
            "*whole log: *hil-logs*test_it.log",
            "*hil: the last that happened*",
            "*test * call failed",
        ]
    )
    report = ElementTree.parse(project.path / "report.xml")  # noqa: S314 (our own)
    properties = {e.get("name"): e.get("value") for e in report.iter("property")}
    assert properties["hil_board"] == "emulated"
    assert Path(str(properties["hil_log"])).exists()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('@pytest.mark.hil_needs("buton")', "*no such capability. There are air, buses, *"),
        ("@pytest.mark.hil_units('two')", "*hil_units('two',) wants one number*"),
    ],
)
def test_a_mistaken_marker_ends_the_run_before_it_begins(
    project: pytest.Pytester, source: str, said: str
) -> None:
    project.makepyfile(f"import pytest\n{source}\ndef test_it(hil_unit): pass\n")
    result = project.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([said])


def test_a_malformed_board_or_rig_file_is_named(project: pytest.Pytester) -> None:
    (project.path / "BROKEN.toml").write_text('model = "x"\n')
    project.makepyfile("def test_it(hil_unit): pass\n")
    result = project.runpytest("--hil-board", f"emulated:{project.path}/BROKEN.toml")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*BROKEN.toml lacks 'pins'*"])
    (project.path / "rig.toml").write_text("[unit.press]\nbutton = 4\n")
    result = project.runpytest("--hil-board", "press")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*rig.toml: [[]unit.press[]] lacks 'port'*"])


def test_a_board_that_cannot_be_had_is_not_waited_for_again(project: pytest.Pytester) -> None:
    project.makepyfile("def test_a(hil_unit): pass\ndef test_b(hil_unit): pass\n")
    result = project.runpytest("--hil-board", "/dev/pts/absent")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines_random(
        ["*there is no port /dev/pts/absent*", "*not tried again*failed before*"]
    )


def test_modules_that_stand_in_are_found_before_those_on_the_board(
    project: pytest.Pytester,
) -> None:
    (project.mkdir("shims") / "bme280.py").write_text("temperature = 21.5\n")
    (project.path / "firmware" / "bme280.py").write_text("raise OSError('no such sensor')\n")
    project.makeini("[pytest]\nhil_firmware = firmware\nhil_board = emulated\nhil_shims = shims\n")
    project.makepyfile(
        """
        def test_it(hil_unit):
            assert hil_unit.eval("__import__('bme280').temperature") == 21.5
        """
    )
    project.runpytest().assert_outcomes(passed=1)


def test_the_firmware_folder_has_to_be_there(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\nhil_firmware = frimware\nhil_board = emulated\n")
    project.makepyfile("def test_it(hil_unit): pass\n")
    result = project.runpytest()
    result.stdout.fnmatch_lines(["*hil_firmware is 'frimware', and there is no such folder*"])


def test_help_explains_options_ini_and_markers(pytester: pytest.Pytester) -> None:
    said = pytester.runpytest("--help").stdout.str()
    for word in ("--hil-board", "--hil-rig", "--hil-log-dir", "hil_firmware", "hil_heap"):
        assert word in said
    marks = pytester.runpytest("--markers").stdout.str()
    assert "@pytest.mark.hil_needs" in marks
    assert "@pytest.mark.hil_units" in marks


def test_a_request_past_the_board_s_network_is_told_the_way(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        from urllib.request import urlopen

        def test_it(hil_unit, hil_network):
            urlopen(f"http://{hil_network('home').address}:1/", timeout=5)
        """
    )
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Ask hil_unit.url(80)*"])
