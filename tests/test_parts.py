# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`make test` runs every test file in exactly one part, and says what it does."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import __main__ as suite
from tests.parts import PARTS, ROOT, SEARCH, UnknownPart, command, named, part_of

FILES = [str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py")]
_FAILING = "def test_it() -> None:\n    assert 'the reason' == ''\n"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_path_of_a_part_exists() -> None:
    paths = [path for own in PARTS.values() for path in own]
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert len(paths) == len(set(paths))


def test_every_file_is_run_by_one_part() -> None:
    for file in FILES:
        if "on_board" not in file and file != SEARCH:
            chosen = [name for name in PARTS if _is_run(file, command(name))]
            assert chosen == [part_of(file)], file


def _is_run(file: str, words: list[str]) -> bool:
    given = [word for word in words if word.startswith("tests") and word != SEARCH]
    ignored = [word.removeprefix("--ignore=") for word in words if word.startswith("--ignore=")]
    parents = {file, *(file.rsplit("/", n)[0] for n in range(1, file.count("/") + 1))}
    return bool(parents & set(given)) and not parents & set(ignored)


def test_parts_are_named_with_commas_and_run_in_the_tables_order() -> None:
    assert named("rest, servers,") == ["servers", "rest"]
    assert named("") == list(PARTS)
    with pytest.raises(UnknownPart, match=r"no part named severs; there are: .*servers"):
        named("severs")


def test_help_and_a_wrong_name_list_the_parts() -> None:
    for word, status in (("help", 0), ("severs", 2)):
        answer = run(word)
        assert answer.returncode == status
        assert all(name in answer.stdout for name in PARTS)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [("def test_it() -> None: pass\n", 0, "ok"), (_FAILING, 1, "FAILED (1)")],
    ids=["passes", "fails"],
)
def test_a_part_has_a_line_at_its_start_and_one_at_its_end(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    body: str,
    status: int,
    words: str,
) -> None:
    (tmp_path / "test_one.py").write_text(body)
    pytest_ = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(tmp_path)]
    monkeypatch.setattr(suite, "command", lambda name: pytest_)
    monkeypatch.setattr(suite, "BUILD", tmp_path)
    monkeypatch.setattr(suite, "_LOOK_S", 0.05)
    assert suite.main(["servers"]) == status
    said = capsys.readouterr().out.splitlines()
    ends = [line for line in said if "servers" in line]
    assert ends[0].endswith("servers     …")
    count = "1 failed" if status else "1 passed"
    assert f"servers     {words}, " in ends[1] and f"{count} in " in ends[1]
    assert any("the reason" in line for line in said) == bool(status)
    assert count in (tmp_path / "test-servers.txt").read_text()


def test_part_that_hangs_is_ended_and_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(suite, "BUILD", tmp_path)
    monkeypatch.setattr(suite, "_PART_LIMIT_S", 1)
    monkeypatch.setattr(suite, "command", lambda _: ["sleep", "60"])
    hanging = suite.Run(["contract"])
    hanging.to_its_end()
    assert hanging.failed == ["contract"]
    assert "not finished within 1 s" in capsys.readouterr().out
