# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Do programs that others wrote read the reports, and find in them what was counted?"""

from pathlib import Path

import pytest
from lcov_cobertura import LcovCobertura
from pycobertura import Cobertura

from muster_harness.coverage.reports import cobertura, lcov, table
from muster_harness.coverage.sources import Coverage

MAIN = (
    b"import bell\nif bell.is_quiet:\n    ring = 1\n    ring = 2\nelse:\n    ring = 3\nbell.go()\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in {"main.py": MAIN, "lib/bell.py": b"def go():\n    pass\n"}.items():
        path = tmp_path / "firmware" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    (tmp_path / "marked").mkdir()
    return tmp_path


@pytest.fixture
def coverage(root: Path) -> Coverage:
    """Two runs of main.py that came to line 7, with line 6 in one of them."""
    made = Coverage(sorted((root / "firmware").rglob("*.py")), root / "marked")
    digest = next(digest for digest, counts in made.counts().items() if len(counts) == 5)
    made.add(digest, bytes([1, 1, 0, 0, 1]))
    made.add(digest, bytes([1, 1, 0, 1, 1]))
    return made


def test_readers_of_both_formats_find_the_same_lines(
    root: Path, coverage: Coverage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)  # from where one of them reads paths
    files = coverage.files()
    (root / "coverage.xml").write_text(cobertura(files, root))
    converted = LcovCobertura(lcov(files, root), str(root)).convert()
    (root / "converted.xml").write_text(converted)
    for name in ("coverage.xml", "converted.xml"):
        read = Cobertura(str(root / name))
        assert sorted(read.files()) == ["firmware/lib/bell.py", "firmware/main.py"]
        assert read.missed_statements("firmware/main.py") == [3, 4]
        assert read.total_statements() == 8
        assert read.total_misses() == 4


def test_counts_of_several_processes_are_added(root: Path, coverage: Coverage) -> None:
    other = Coverage(sorted((root / "firmware").rglob("*.py")), root / "marked")
    other.merge(coverage.counts())
    other.merge(coverage.counts())
    assert next(f for f in other.files() if f.path.name == "main.py").hits == {
        **{1: 4, 2: 4, 3: 0, 4: 0},
        **{6: 2, 7: 4},
    }


def test_the_table_names_what_did_not_run(root: Path, coverage: Coverage) -> None:
    assert table(coverage.files(), root)[1:] == [
        "firmware/lib/bell.py      2        2    0 %  1-2",
        "firmware/main.py          6        2   66 %  3-4",
        "all                       8        4   50 %",
    ]
