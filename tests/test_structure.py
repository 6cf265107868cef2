# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The direction of imports: what may know what."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
_HARDWARE = {"machine", "esp32", "esp", "network"}


def imports(path: Path) -> set[str]:
    """The absolute names that a file imports anywhere, relative ones resolved."""
    package = path.relative_to(ROOT).parent.parts
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            found.add(module)
            found.update(f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("borrow", "borrowed"):
            # modules.py of the firmware: the first word is imported, the others go with it
            found.update(f"{'.'.join(package)}.{name}" for name in _words(node.args[0]))
    return found


def _words(node: ast.expr) -> list[str]:
    assert isinstance(node, ast.Constant) and isinstance(node.value, str), ast.unparse(node)
    return node.value.split()


def offences(folder: str, forbidden: tuple[str, ...], besides: tuple[str, ...] = ()) -> list[str]:
    files = [path for path in (ROOT / folder).rglob("*.py") if path.name not in besides]
    assert files, f"{folder} has no files: this test would prove nothing"
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in sorted(imports(path))
        if any(name == root or name.startswith(root + ".") for root in forbidden)
    ]


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("firmware", ("host_server", "harness", "tests")),
        ("host_server", ("firmware", "muster", "harness", "tests", "serial", "mpremote")),
        ("harness", ("firmware", "muster", "host_server", "tests")),
        ("host_server/portal", ("host_server.config_server", "host_server.platform_server")),
        ("host_server/config_server", ("host_server.portal", "host_server.platform_server")),
        ("host_server/platform_server", ("host_server.portal", "host_server.config_server")),
    ],
)
def test_imports_point_one_way(folder: str, forbidden: tuple[str, ...]) -> None:
    assert offences(folder, forbidden) == []


def test_one_firmware_file_knows_the_hardware() -> None:
    assert offences("firmware", tuple(_HARDWARE), besides=("hardware.py",)) == []


def test_the_walk_sees_relative_late_and_borrowed_imports() -> None:
    assert "firmware.muster.hardware" in imports(ROOT / "firmware/muster/start.py")
    assert "firmware.muster.hardware.open_nvs" in imports(ROOT / "firmware/muster/identity.py")
    assert "firmware.muster.log" in imports(ROOT / "firmware/muster/start.py")


def test_what_is_borrowed_is_there() -> None:
    modules = {path.stem for path in (ROOT / "firmware/muster").glob("*.py")}
    for path in (ROOT / "firmware/muster").glob("*.py"):
        for call in re.findall(r"borrow(?:ed)?\(\s*\"([^\"]+)\"", path.read_text()):
            assert set(call.split()) <= modules, f"{path.name} borrows {call}"


def test_files_stay_rooms_one_can_see_through() -> None:
    folders = ("firmware", "host_server", "harness", "tests")
    long = [
        f"{path.relative_to(ROOT)}: {lines}"
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 400
    ]
    assert long == []
