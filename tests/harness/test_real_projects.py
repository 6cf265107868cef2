# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Projects of others on the emulated board, as docs/real-projects.md tells it."""

import importlib.util
import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
_PAGE = Path(__file__).parents[2] / "docs" / "real-projects.md"
_SECTION = re.compile(r"^## (\S+\.py)\n.*?^```python\n(.*?)^```", re.S | re.M)
# Those that a package index has; the others are a stranger's to fetch.
_HERE = {"test_microdot.py": "microdot", "test_websocket_client.py": "async_websocket_client"}
_LONGEST = 30


def told() -> dict[str, str]:
    return dict(_SECTION.findall(_PAGE.read_text()))


def test_each_test_is_short_and_python() -> None:
    files = told()
    assert len(files) > 6
    for name, code in files.items():
        compile(code, name, "exec")
        assert len([line for line in code.splitlines() if line.strip()]) < _LONGEST, name


def test_those_of_the_package_index_pass(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makeini("[pytest]\nhil_board = emulated\n")
    library = pytester.mkdir("lib")  # as `pip install --target lib` makes it
    files = told()
    for name, package in _HERE.items():
        found = importlib.util.find_spec(package)
        assert found is not None and found.submodule_search_locations
        (library / package).symlink_to(found.submodule_search_locations[0])
        (pytester.path / name).write_text(files[name])
    (pytester.path / "conftest.py").write_text(files["conftest.py"])
    pytester.runpytest_subprocess(*_HERE).assert_outcomes(passed=len(_HERE))
