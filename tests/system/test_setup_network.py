# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The setup network of a blank device: opened by a double press, closed by itself, and bounded in
all that a guest can do to it."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from muster_harness.air.visitor import Visitor
from muster_harness.errors import AirError, ExpectTimeout, JoinRefused
from tests.system.board_time import hasty
from tests.system.carried import DEVICE_ID, SECRET, Carried, OwnNetwork
from tests.wire import bundles
from tests.wire.labels import setup_passphrase
from tests.wire.receipts import receipt

SSID = f"SETUP-{DEVICE_ID}"
PASSPHRASE = setup_passphrase(DEVICE_ID, SECRET)
_PATIENCE_S = 20.0
_ATTEMPTS = 5


def press(carried: Carried, times: int, said: bytes) -> None:
    """Presses so often, until the device says so: a busy host may keep it from noticing."""
    for attempt in range(_ATTEMPTS):
        for _ in range(times):
            carried.board.press("button", ms=120)
            time.sleep(0.1)
        try:
            carried.board.expect(said, 2)
            return
        except ExpectTimeout:
            if attempt == _ATTEMPTS - 1:
                raise


def joined(carried: Carried, name: str = "phone") -> Visitor:
    """A guest of the setup network, as soon as it is there."""
    carried.board.expect(rb"setup network SETUP-\S+, http", _PATIENCE_S)
    return carried.network.air.visit(SSID, PASSPHRASE, name=name)


def pasted(phone: Visitor, text: str) -> requests.Response:
    """Send the form as a browser does, with nothing but the text filled in."""
    form: list[tuple[str, tuple[str | None, str]]] = [("file", ("", "")), ("text", (None, text))]
    return requests.post(phone.url(path="/bundle"), files=form, timeout=20)


@pytest.fixture
def blank(own_network: OwnNetwork, tmp_path: Path, labelled_flash: Path) -> Iterator[Carried]:
    # In this heap no upload of a megabyte could be kept anywhere.
    with Carried(own_network, tmp_path / "board", labelled_flash, heap="288K") as carried:
        twice(carried)
        yield carried


@pytest.fixture
def quick(own_network: OwnNetwork, tmp_path: Path, labelled_flash: Path) -> Iterator[Carried]:
    """Give the board a clock that can be made to run faster, which takes some heap."""
    with Carried(own_network, tmp_path / "board", labelled_flash, virtual_time=True) as carried:
        twice(carried)
        yield carried


def twice(carried: Carried) -> None:
    carried.board.power_on()
    carried.board.expect(rb"step 4 wifi_no_ap", _PATIENCE_S)
    press(carried, 2, rb"button twice")


def test_a_bundle_is_pasted_applied_and_its_receipt_shown(blank: Carried) -> None:
    text = blank.network.bundle()
    with joined(blank) as phone:
        page = requests.get(phone.url(), timeout=10)
        assert page.ok and "<form" in page.text and "<script" not in page.text
        taken = pasted(phone, text + "\r\n")
        assert taken.ok and 'id="taken"' in taken.text
    assert blank.outcome(text) == (1, "ok")
    with joined(blank) as phone:
        shown = requests.get(phone.url(), timeout=10).text
    assert "Version 1 is applied" in shown
    proof = receipt(DEVICE_ID, SECRET, 1, "ok", text)
    assert f"{proof[:4]} {proof[4:]}" in shown


def test_a_failure_is_shown_and_the_next_bundle_taken(quick: Carried) -> None:
    wrong = [{"ssid": "factory", "psk": "incorrect horse", "hidden": False, "ip": "dhcp"}]
    text = quick.network.bundle(quick.network.config(1, networks=wrong))
    with joined(quick) as phone:
        assert pasted(phone, text).ok
    with hasty(quick.board):
        assert quick.outcome(text) == (1, "wifi_auth")
    with joined(quick, "laptop") as laptop:
        shown = requests.get(laptop.url(), timeout=10).text
        assert "wifi_auth" in shown and "<form" in shown
        better = quick.network.bundle(quick.network.config(2))
        answer = pasted(laptop, better)
        assert answer.ok, answer.text
    assert quick.outcome(better) == (2, "ok")


def test_it_opens_again_for_the_receipt_of_what_is_refused(blank: Carried) -> None:
    nameless = [{"ssid": "", "psk": None, "hidden": False, "ip": "dhcp"}]
    text = blank.network.bundle(blank.network.config(1, networks=nameless))
    with joined(blank) as phone:
        refused = pasted(phone, text)
        assert refused.status_code == 422 and "cannot be applied" in refused.text
    assert blank.outcome(text) == (1, "config_invalid")
    with joined(blank, "laptop") as laptop:
        proof = receipt(DEVICE_ID, SECRET, 1, "config_invalid", text)
        assert f"{proof[:4]} {proof[4:]}" in requests.get(laptop.url(), timeout=10).text


def test_whatever_a_guest_sends_is_answered_and_nothing_grows(blank: Carried) -> None:
    good = blank.network.bundle()
    with joined(blank) as phone:
        url = phone.url(path="/bundle")
        megabyte = requests.post(url, data=b"g" * 1_000_000, timeout=20)
        assert megabyte.status_code == 413
        for text, said in (
            ("garbage", "config_invalid: bundle"),
            ("x" * 7000, "longer than"),
            (bundles.made(protected=bundles.header("PRESS-5")), "server_untrusted: kid"),
            (bundles.flipped(good, 3, 20), "server_untrusted: tag"),
            (good[:-1], "config_invalid: bundle"),
            (good + good, "config_invalid: bundle"),
            ("<script>alert(1)</script>", "config_invalid"),
        ):
            answer = pasted(phone, text)
            assert answer.status_code == 422 and said in answer.text, said
            assert "<script" not in answer.text
        assert requests.post(url, data={"text": good}, timeout=10).status_code == 422
        assert requests.get(phone.url(path="/elsewhere"), timeout=10).status_code == 404
        assert requests.put(phone.url(), timeout=10).status_code == 405
        assert requests.get(phone.url(path="/" + "x" * 2000), timeout=10).status_code == 400
        headers = {f"X-{i}": "x" for i in range(60)}
        assert requests.get(phone.url(), headers=headers, timeout=10).status_code == 400
        assert talk(phone, b"POST /bundle HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 411")
        assert talk(phone, b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400")
        assert requests.get(phone.url(), timeout=10).ok
    assert b"Traceback" not in blank.board.output and b"MemoryError" not in blank.board.output


def talk(phone: Visitor, request: bytes) -> bytes:
    with socket.create_connection(phone.endpoint(80), 10) as connection:
        connection.settimeout(10)
        connection.sendall(request)
        return connection.recv(4096)


def test_of_two_uploads_at_once_the_second_is_sent_away(blank: Carried) -> None:
    text = blank.network.bundle()
    request = f"POST /bundle HTTP/1.1\r\nContent-Length: {len(text)}\r\n\r\n".encode()
    with joined(blank) as phone, socket.create_connection(phone.endpoint(80), 10) as first:
        first.settimeout(20)
        first.sendall(request + text[:400].encode())
        blank.board.expect(rb"setup receives a bundle", 10)
        second = pasted(phone, text)
        assert second.status_code == 503 and "Retry-After" in second.headers
        first.sendall(text[400:].encode())
        assert first.recv(64).startswith(b"HTTP/1.1 200")
    assert blank.outcome(text) == (1, "ok")


def test_it_wants_its_password_and_a_press_closes_it(blank: Carried) -> None:
    air = blank.network.air
    with joined(blank):
        with pytest.raises(JoinRefused):
            air.visit(SSID, "AAAABBBBCCCCDDDD", name="stranger")
        assert air.access_point(SSID).security == 3
    press(blank, 1, rb"setup network \S+ closed")
    with pytest.raises(AirError):
        air.visit(SSID, PASSPHRASE)
    blank.board.expect(rb"step 4 wifi_no_ap", _PATIENCE_S)  # it seeks again


def test_beside_the_application_a_press_closes_it_too(blank: Carried) -> None:
    with joined(blank) as phone:
        assert pasted(phone, blank.network.bundle()).ok
    blank.board.expect(rb"life committed version 1,", _PATIENCE_S)
    with joined(blank, "laptop"):
        press(blank, 1, rb"setup network \S+ closed")
    with pytest.raises(AirError):
        blank.network.air.visit(SSID, PASSPHRASE)


def test_the_receipt_is_shown_whatever_cuts_in_before(blank: Carried) -> None:
    text = blank.network.bundle()
    with joined(blank) as phone:
        assert pasted(phone, text).ok
    blank.board.expect(rb"step 8 ok", _PATIENCE_S)
    blank.board.power_off()
    blank.board.forget_output()
    blank.board.power_on()
    assert blank.outcome(text) == (1, "ok")
    with joined(blank, "laptop") as laptop:
        assert "Version 1 is applied" in requests.get(laptop.url(), timeout=10).text


def test_a_device_at_work_opens_it_again_and_takes_the_next_bundle(blank: Carried) -> None:
    with joined(blank) as phone:
        assert pasted(phone, blank.network.bundle()).ok
    blank.board.expect(rb"life committed version 1,", _PATIENCE_S)
    blank.board.power_off()  # and with it the network that would show the receipt
    blank.board.forget_output()
    blank.board.power_on()
    blank.board.expect(rb"step 9 ok", _PATIENCE_S)
    press(blank, 2, rb"button twice")
    with joined(blank, "laptop") as laptop:
        assert "Version 1 is applied" in requests.get(laptop.url(), timeout=10).text
        better = blank.network.bundle(blank.network.config(2))
        answer = pasted(laptop, better)
        assert answer.ok, answer.text
    assert blank.outcome(better) == (2, "ok")


def test_it_closes_by_itself(
    own_network: OwnNetwork, tmp_path: Path, labelled_flash: Path
) -> None:
    with Carried(own_network, tmp_path / "board", labelled_flash, virtual_time=True) as carried:
        carried.board.power_on()
        carried.board.expect(rb"step 4 wifi_no_ap", _PATIENCE_S)
        press(carried, 2, rb"button twice")
        opened = carried.board.expect(rb"M (\d+) I setup network SETUP-\S+, http", _PATIENCE_S)
        carried.board.clock.skip_idle(shortest_s=5)
        closed = carried.board.expect(rb"M (\d+) I setup network \S+ closed", 60)
        assert 600_000 <= int(closed[1]) - int(opened[1]) < 615_000


def test_no_more_than_three_guests_at_once(blank: Carried) -> None:
    with joined(blank) as phone:
        silent = [socket.create_connection(phone.endpoint(80), 10) for _ in range(3)]
        try:
            for connection in silent:
                connection.sendall(b"GET / HT")
            deadline = time.monotonic() + 10
            while (answer := requests.get(phone.url(), timeout=10)).status_code != 503:
                assert time.monotonic() < deadline
            assert "Retry-After" in answer.headers
        finally:
            for connection in silent:
                connection.close()
        deadline = time.monotonic() + 10
        while not requests.get(phone.url(), timeout=10).ok:
            assert time.monotonic() < deadline
