# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is progress shown to whoever looks, and to nobody else?"""

import io

import pytest

from muster_server.progress import counted


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at it is a second later."""
    now = iter(range(1000))
    monkeypatch.setattr("muster_server.progress.time.monotonic", lambda: float(next(now)))


@pytest.mark.usefixtures("clock")
def test_somebody_who_looks_sees_the_count_and_what_is_left() -> None:
    screen = Screen()
    assert list(counted(range(4), "labels", screen)) == [0, 1, 2, 3]
    said = screen.getvalue().split("\r")
    assert said[1] == "0 of 4 labels, some 0 s left"
    assert said[2] == "1 of 4 labels, some 6 s left"
    assert said[-2].strip() == said[-1] == ""


@pytest.mark.usefixtures("clock")
def test_line_goes_when_it_is_cut_off() -> None:
    screen = Screen()
    with pytest.raises(KeyboardInterrupt):
        for _ in counted(range(9), "labels", screen):
            raise KeyboardInterrupt
    assert screen.getvalue().endswith("\r") or screen.getvalue() == ""


def test_short_work_and_files_get_no_line() -> None:
    for stream in (Screen(), io.StringIO()):
        assert list(counted("abc", "labels", stream)) == ["a", "b", "c"]
        assert stream.getvalue() == ""
