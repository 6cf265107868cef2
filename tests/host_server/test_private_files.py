# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do files for their owner alone promise?"""

from collections.abc import Callable
from pathlib import Path

import pytest

from muster_server.errors import SettingsError
from muster_server.private_files import (
    FOR_ALL,
    check_place,
    read_private,
    write_once,
    write_private,
)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: write_private(path, b"secret"),
        lambda path: write_private(path, b"no secret", FOR_ALL),
        check_place,
    ],
)
def test_file_that_cannot_be_put_in_its_place_leaves_nothing_behind(
    tmp_path: Path, write: Callable[[Path], None]
) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match=r"directory|something else is there"):
        write(tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_first_one_wins_and_the_second_leaves_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "token"
    assert write_once(file, "first")
    assert not write_once(file, "second")
    assert read_private(file) == "first"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_file_that_is_not_text_is_said_so(tmp_path: Path) -> None:
    file = tmp_path / "token"
    write_private(file, b"\xff\xfe")
    with pytest.raises(SettingsError, match="not text"):
        read_private(file)
