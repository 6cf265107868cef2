# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What is promised of requests to a CSE that may answer anything, late or never?"""

from collections.abc import Mapping
from typing import Any

import pytest

from muster_server.config_server.cse import Cse, over_http
from muster_server.errors import NoAnswer

HIDDEN = "C-hidden-originator"


class Platform:
    """Answers as it is told, and takes its time."""

    def __init__(self, content: bytes = b"", rsc: str = "2000", takes_s: float = 0.0) -> None:
        self.content, self.rsc, self.takes_s = content, rsc, takes_s
        self.now, self.timeouts = 0.0, list[float]()

    def __call__(
        self, method: str, path: str, headers: dict[str, str], body: Any, timeout_s: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        self.timeouts.append(timeout_s)
        self.now += self.takes_s
        return 200, {"X-M2M-RSC": self.rsc}, self.content

    def cse(self, **more: Any) -> Cse:
        return Cse(self, "cse-in", HIDDEN, seconds=10, monotonic=lambda: self.now, **more)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"x":5}', b"[" * 100_000])
def test_what_is_no_resource_is_an_empty_one(content: bytes) -> None:
    assert Platform(content).cse().get("/x").resource == {}


@pytest.mark.parametrize("rsc", ["", "no", "20000", "²²²²"])
def test_what_is_no_response_status_code_is_none(rsc: str) -> None:
    assert Platform(rsc=rsc).cse().get("/x").rsc == 0


def test_slow_platform_has_a_deadline_for_all_that_it_is_asked() -> None:
    platform = Platform(takes_s=2.5)
    cse = platform.cse()
    for _ in range(4):
        cse.get("/x")
    assert platform.timeouts == [3.0, 3.0, 3.0, 2.5]
    with pytest.raises(NoAnswer, match="too slowly"):
        cse.get("/x")


def test_nothing_is_asked_while_the_server_stops() -> None:
    platform = Platform()
    with pytest.raises(NoAnswer, match="stops"):
        platform.cse(is_stopping=lambda: True).get("/x")
    assert platform.timeouts == []


def test_dead_platforms_error_tells_no_originator() -> None:
    cse = Cse(over_http("http://127.0.0.1:9", None, None), "cse-in", HIDDEN, seconds=5)
    with pytest.raises(NoAnswer, match="http://127.0.0.1:9 did not answer") as caught:
        cse.get(f"/{HIDDEN}?rcn=4")
    assert HIDDEN not in str(caught.value)
