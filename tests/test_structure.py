# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The direction of imports: what may know what, and no circle anywhere."""

from pathlib import Path

import pytest

from tests import imports

ROOT = Path(__file__).resolve().parents[1]
HARNESS, SERVER = ROOT / "harness/muster_harness", ROOT / "host_server/muster_server"
FIRMWARE = ROOT / "firmware/muster"
_HARDWARE = {"machine", "esp32", "esp", "network"}
_OLD = ("harness.", "host_server.")

# The rooms of the harness, from the ground up: each may import from itself and from those before
# it. What is no folder is a file in the package itself; those all others stand on are one room.
GROUND = ("errors", "log", "loop", "cache", "compiler", "control", "facts", "terminal")
ROOMS = (
    GROUND,
    ("wire", "air", "coverage"),
    ("deploy", "esp32.parts"),
    ("esp32.radio",),
    ("esp32",),
    ("esp32.seldom",),
    ("units", "bench", "fleet"),
    ("contract", "fixtures", "patience"),
    ("commands", "plugin", "evidence", "options"),
    ("cli",),
    ("__main__",),
)
FLOORS = {room: floor for floor, rooms in enumerate(ROOMS) for room in rooms}


def room_of(module: str) -> str:
    """The room of a module of the harness, e.g. "esp32.parts" of "esp32.parts.pins"."""
    if module in GROUND:
        return GROUND[0]
    parts = module.split(".")
    return next(room for i in range(len(parts), 0, -1) if (room := ".".join(parts[:i])) in FLOORS)


def offences(folder: str, forbidden: tuple[str, ...], besides: tuple[str, ...] = ()) -> list[str]:
    files = [path for path in imports.files(ROOT / folder) if path.name not in besides]
    assert files, f"{folder} has no files: this test would prove nothing"
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in sorted(imports.of(path, ROOT / folder))
        if any(name == root or name.startswith(root + ".") for root in forbidden)
    ]


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("firmware", ("muster_server", "muster_harness", "tests")),
        ("host_server", ("muster", "muster_harness", "tests", "serial", "mpremote")),
        ("harness/muster_harness", ("muster", "muster_server", "tests")),
        (
            "host_server/muster_server/portal",
            ("muster_server.config_server", "muster_server.platform_server"),
        ),
        (
            "host_server/muster_server/config_server",
            ("muster_server.portal", "muster_server.platform_server"),
        ),
        (
            "host_server/muster_server/platform_server",
            ("muster_server.portal", "muster_server.config_server"),
        ),
    ],
)
def test_imports_point_one_way(folder: str, forbidden: tuple[str, ...]) -> None:
    assert offences(folder, forbidden) == []


def test_no_room_of_the_harness_imports_upward() -> None:
    graph = imports.graph(HARNESS)
    assert {room_of(module) for module in graph if module} | set(GROUND) == set(FLOORS)
    upward = [
        f"{module} imports {other}"
        for module, others in graph.items()
        for other in others
        if module
        and other
        and room_of(module) != room_of(other)
        and FLOORS[room_of(other)] >= FLOORS[room_of(module)]
    ]
    assert upward == []


@pytest.mark.parametrize("package", [HARNESS, SERVER, FIRMWARE], ids=lambda path: path.name)
def test_nothing_imports_in_a_circle(package: Path) -> None:
    """For types only, late, or through the firmware's loader: a circle all the same."""
    assert imports.circles(imports.graph(package)) == []


def test_a_circle_is_seen() -> None:
    assert imports.circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]


def test_one_firmware_file_knows_the_hardware() -> None:
    """Besides the application, which is the owner's."""
    assert offences("firmware", tuple(_HARDWARE), besides=("hardware.py", "main.py")) == []


def test_the_walk_sees_relative_late_and_borrowed_imports() -> None:
    assert "muster.hardware" in imports.of(FIRMWARE / "start.py", FIRMWARE)
    assert "muster.hardware.open_nvs" in imports.of(FIRMWARE / "identity.py", FIRMWARE)
    assert "muster.log" in imports.of(FIRMWARE / "start.py", FIRMWARE)


def test_former_import_paths_are_used_nowhere() -> None:
    for folder in ("firmware", "host_server", "harness", "tests"):
        assert offences(folder, ("harness", "host_server")) == []


@pytest.mark.parametrize("package", [HARNESS, SERVER], ids=lambda path: path.name)
def test_tests_lie_in_folders_named_as_the_rooms_they_test(package: Path) -> None:
    home = ROOT / "tests" / package.parent.name
    rooms = {path.parent.relative_to(home) for path in home.rglob("test_*.py")}
    assert len(rooms) > 3
    assert [str(room) for room in rooms if not (package / room / "__init__.py").exists()] == []


def test_files_stay_rooms_one_can_see_through() -> None:
    folders = ("firmware", "host_server", "harness", "tests")
    long = [
        f"{path.relative_to(ROOT)}: {lines}"
        for folder in folders
        for path in imports.files(ROOT / folder)
        if (lines := len(path.read_text().splitlines())) > 400
    ]
    assert long == []
