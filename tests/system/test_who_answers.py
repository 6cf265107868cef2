# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Something else answers where the platform should, or the configuration server: whole flows, each
from its real cause. tests/firmware/test_platform_answers.py has the many forms of each."""

import contextlib
import gzip
import re
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.system.middlemen import Middleman
from tests.system.secure import NAME, SecurePlatform, impostor
from tests.system.story import Label, Story

_PATIENCE_S = 60.0
_HTML = b"<html>Please accept our terms</html>"
Bend = Callable[[bytes], bytes | None]


@contextlib.contextmanager
def between(story: Story, address: str, port: int, bend: Bend) -> Iterator[Middleman]:
    """Stand between the boards and a server."""
    with Middleman((address, port), bend) as middle:
        story.air.on_connect = lambda board, host, to: (
            middle.address if (host, to) == (address, port) else None
        )
        yield middle
        story.air.on_connect = None


def said(status: bytes, *headers: bytes, body: bytes = b"") -> Bend:
    """Bend every reply to this one."""
    length = b"Content-Length: %d" % len(body)
    return lambda reply: b"\r\n".join([b"HTTP/1.1 " + status, *headers, length, b"", body])


def with_header(line: bytes) -> Bend:
    """Add a header to every reply."""
    return lambda reply: reply.replace(b"\r\n", b"\r\n" + line + b"\r\n", 1)


def compressed(reply: bytes) -> bytes:
    """Compress a reply as a content network does that listens to nobody."""
    head, _, body = reply.partition(b"\r\n\r\n")
    small = gzip.compress(body)
    kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
    lines = [*kept, b"Content-Encoding: gzip", b"Content-Length: %d" % len(small)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + small


# What stands in the way for a while, words of the log, and words of the portal's sentence.
CAUSES = {
    "portal 302": (
        said(b"302 Found", b"Location: http://login.hotel.example/", b"Server: gateway"),
        "something else answered there: HTTP 302, Server gateway, Location http://login.hotel",
    ),
    "portal 200": (
        said(b"200 OK", b"Content-Type: text/html", body=_HTML),
        "something else answered there: HTTP 200, Content-Type text/html",
    ),
    "proxy 404": (
        said(b"404 Not Found", b"Server: nginx"),
        "something else answered there: HTTP 404, Server nginx",
    ),
    "balancer 503": (
        said(b"503 Service Unavailable", b"Server: envoy", b"Retry-After: 2"),
        "something else answered there: HTTP 503, Server envoy",
    ),
    "compressed": (compressed, "the answer is compressed (gzip)"),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_whoever_stands_in_the_way_is_named_and_the_trial_goes_on_when_he_has_gone(
    story: Story, cause: str
) -> None:
    bend, words = CAUSES[cause]
    story.begin()
    with between(story, story.operational.gateway, 8422, bend):
        story.switch_on()
        story.board.expect(re.escape(words).encode(), _PATIENCE_S)
    story.committed(_PATIENCE_S)
    assert b"platform_refused" not in story.board.output
    assert b"platform_conflict" not in story.board.output


def test_a_trial_that_a_stranger_outlasts_is_told_without_advice_to_change_the_account(
    story: Story,
) -> None:
    """The stranger says that it lasts longer than the trial may."""
    label = story.begin()
    bend = said(b"503 Down", b"Server: cloudfront", b"Retry-After: 900")
    with between(story, story.operational.gateway, 8422, bend):
        story.switch_on()
        device = story.wait_for(label, lambda device: device["last"] is not None, _PATIENCE_S)
    last = device["last"]
    assert (last["step"], last["code"]) == (9, "platform_unreachable")
    assert "cloudfront" in last["detail"]
    assert "Something else than the platform" in last["sentence"]
    assert "account" not in last["sentence"]


@pytest.mark.parametrize(
    "line",
    [
        b"Content-Security-Policy: default-src 'none'; " + b"img-src https://cdn.example; " * 48,
        b"Set-Cookie: lb=" + b"x" * 4000,
        b"\r\n".join(b"X-Envoy-%d: %s" % (n, b"y" * 60) for n in range(90)),
    ],
    ids=["policy", "cookie", "many"],
)
def test_headers_that_nobody_needs_cost_no_second_try(story: Story, line: bytes) -> None:
    label = story.begin()
    with between(story, story.operational.gateway, 8422, with_header(line)):
        story.switch_on()
        story.committed(_PATIENCE_S)
        story.first_reading(label, _PATIENCE_S)
    assert b" W trial" not in story.board.output


def limits(*, first: int, seconds: int, times: list[float]) -> Bend:
    """Say 429 from the nth reply on, for so long; keep when it did."""

    def bend(reply: bytes) -> bytes:
        now = time.monotonic()
        count.append(0)
        if len(count) < first or (times and now - times[0] >= seconds):
            return reply
        times.append(now)
        return b"HTTP/1.1 429 -\r\nRetry-After: %d\r\nContent-Length: 0\r\n\r\n" % seconds

    count: list[int] = []
    return bend


def test_too_many_requests_is_obeyed_at_registration(story: Story) -> None:
    times: list[float] = []
    story.begin()
    bend = limits(first=1, seconds=4, times=times)
    with between(story, story.operational.gateway, 8422, bend):
        story.switch_on()
        story.committed(_PATIENCE_S)
    assert len(times) == 1


def test_too_many_requests_is_obeyed_at_work(story: Story) -> None:
    """The application would publish every second."""
    times: list[float] = []
    label = story.begin(app={"interval_s": 1})
    bend = limits(first=6, seconds=5, times=times)  # after registration and timeline
    with between(story, story.operational.gateway, 8422, bend) as middle:
        story.switch_on()
        story.committed(_PATIENCE_S)
        deadline = time.monotonic() + _PATIENCE_S
        while not times or middle.count < 8:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        story.first_reading(label, _PATIENCE_S)
    assert len(times) == 1


def test_a_stranger_in_the_configuration_server_s_place_is_none(story: Story) -> None:
    """The device finds the true one afterwards, and its portal hears of the other."""
    label = story.begin()
    bend = said(b"200 OK", b"Server: hotspot", b"Content-Type: text/html", body=_HTML)
    with between(story, story.onboarding.gateway, 8421, bend):
        story.switch_on()
        story.board.expect(rb"step 5 server_unreachable [^\r]*something else answered", 30)
    story.press()
    story.committed(_PATIENCE_S)
    first = story.timeline(label)["first_cause"]
    assert first["code"] == "server_unreachable"
    assert "Something else than the configuration server" in first["sentence"]


@pytest.fixture
def secure_story(tmp_path: Path, deployed_flash: Path) -> Iterator[Story]:
    with Story(tmp_path, flash=deployed_flash, platform=SecurePlatform) as story:
        yield story


def test_a_name_without_an_address_is_named_and_found_when_it_has_one(secure_story: Story) -> None:
    story = secure_story
    story.begin()
    story.switch_on()
    story.board.expect(rb"m2m.example:8422: this name has no address here", _PATIENCE_S)
    story.operational.names[NAME] = story.operational.gateway
    story.committed(_PATIENCE_S)


def test_a_certificate_of_another_name_ends_the_trial_at_once(
    secure_story: Story, tmp_path: Path
) -> None:
    """Signed by the right authority, it stays as it is until a person changes it."""
    story = secure_story
    platform = story.servers.platform
    assert isinstance(platform, SecurePlatform)
    story.operational.names[NAME] = story.operational.gateway
    label: Label = story.begin()
    now, hour = datetime.now(UTC), timedelta(hours=1)
    trusted = Authority(platform.certificates)
    files = trusted.issue(tmp_path, "other.example", now - hour, now + hour)
    with impostor(*files) as address:
        story.air.on_connect = lambda board, host, port: address if port == 8422 else None
        began = time.monotonic()
        story.switch_on()
        device = story.wait_for(label, lambda device: device["last"] is not None, 30)
    assert "is for another name" in device["last"]["sentence"]
    assert "tries" not in device["last"]["detail"]
    assert time.monotonic() - began < 25


def test_tls_1_3_only_is_named(secure_story: Story, tmp_path: Path) -> None:
    story = secure_story
    platform = story.servers.platform
    assert isinstance(platform, SecurePlatform)
    story.operational.names[NAME] = story.operational.gateway
    story.begin()
    certificates = platform.certificates
    files = certificates / "server.pem", certificates / "server.key"
    with impostor(*files, lowest=ssl.TLSVersion.TLSv1_3) as address:
        story.air.on_connect = lambda board, host, port: address if port == 8422 else None
        story.switch_on()
        story.board.expect(rb"platform_tls: m2m.example:8422: no common version", _PATIENCE_S)
        story.air.on_connect = None
    story.committed(_PATIENCE_S)
