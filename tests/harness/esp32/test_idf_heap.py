# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""RAM of a chip without PSRAM, that MicroPython's heap, Wi-Fi, connections and TLS share."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from muster_harness.air.air import Air
from muster_harness.errors import BoardError
from muster_harness.esp32.parts.idf_heap import IDFHeap
from muster_harness.esp32.parts.idf_heap_figures import FIGURES
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL
from tests.certificates import Authority
from tests.harness.air.on_board import SOCKETS

PROGRAM = (
    SOCKETS
    + """
import esp32, gc, io, tls
class Stub(io.IOBase):
    def readinto(self, buf): return None
    def write(self, buf): return None
    def ioctl(self, request, arg): return 0
def free():
    regions = esp32.idf_heap_info(esp32.HEAP_DATA)
    return sum([r[1] for r in regions]), max([r[2] for r in regions])
def reserve():
    return tls.SSLContext(tls.PROTOCOL_TLS_SERVER).wrap_socket(
        Stub(), server_side=True, do_handshake_on_connect=False)
def talk(host, port):
    s = socket.socket()
    s.settimeout(5)
    s.connect((host, port))
    try:
        context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        context.verify_mode = tls.CERT_NONE
        wrapped = context.wrap_socket(s, do_handshake_on_connect=False)
        wrapped.write(b'x')
        return wrapped.read(1)
    finally:
        s.close()
"""
)


@pytest.fixture
def small(tmp_path: Path, air: Air) -> Iterator[EmulatedBoard]:
    """A plain ESP32 whose heap has an end."""
    with EmulatedBoard(tmp_path / "small", air=air, limits_idf_heap=True) as board:
        board.power_on()
        board.expect(rb">>> ")
        yield board


@pytest.fixture
def on_small(small: EmulatedBoard, air: Air) -> Iterator[REPL]:
    air.add_access_point("home")
    with REPL(small.port) as repl:
        repl.exec(PROGRAM + "join('home')")
        yield repl


@pytest.fixture
def port(on_small: REPL, air: Air, tmp_path: Path) -> Iterator[int]:
    """An echo of one byte behind TLS."""
    now = datetime.now(UTC)
    day = timedelta(days=1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*Authority().issue(tmp_path, "m2m.example", now - day, now + day))
    listener = socket.create_server((air.access_point("home").gateway, 0))

    def serve() -> None:
        while True:
            try:
                stream, _ = listener.accept()
            except OSError:
                return
            with stream:
                stream.settimeout(5)
                try:
                    with context.wrap_socket(stream, server_side=True) as wrapped:
                        wrapped.send(wrapped.recv(1))
                except OSError:
                    continue

    thread = threading.Thread(target=serve)
    thread.start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)


def test_the_model_meets_what_was_measured_on_an_esp32() -> None:
    heap = IDFHeap("esp32", is_limited=True)
    heap.python_holds(112_000)
    assert abs(heap.free_bytes - 94_256) < 4096  # micropython#18859
    assert abs(heap.largest - 53_248) < 4096
    heap.wifi_begins()
    heap.wifi_is(active=True, joined=True)
    heap.python_holds(140_000)  # grows by all of the largest piece
    assert heap.largest < 4096  # micropython#13797: 1,856 after an HTTP request


def test_wifi_takes_what_was_measured_on_an_esp32_s2() -> None:
    heap = IDFHeap("esp32s2", is_limited=True)
    assert abs(heap.free_bytes + heap.python_bytes - 180_644) < 512  # esp-idf#7186
    before = heap.free_bytes
    heap.wifi_begins()
    heap.wifi_is(active=True, joined=True)
    assert abs(before - heap.free_bytes - 40_044) < 6000


@pytest.mark.parametrize("chip", FIGURES)
def test_what_is_taken_comes_back_in_one_piece(chip: str) -> None:
    heap = IDFHeap(chip, is_limited=True)
    before = heap.info()
    assert heap.tls_begins(1)
    assert heap.take("camera", 5000, 700)
    heap.tls_ends(1)
    heap.give("camera")
    assert [region[:3] for region in heap.info()] == [region[:3] for region in before]
    assert not heap.take("camera", 1 << 20)
    assert "#" in heap.figures.source


def test_wifi_and_tls_show_in_idf_heap_info(on_small: REPL) -> None:
    total, _ = on_small.eval("free()")
    on_small.exec("held = reserve()")
    assert total - on_small.eval("free()")[0] == 16_717 + 4_429
    on_small.exec("held.close()")
    assert on_small.eval("free()")[0] == total
    on_small.exec("w.active(False)")
    assert on_small.eval("free()")[0] == total + 2_560 + 7_168  # what its start took stays taken


def test_a_handshake_with_room_is_made_and_gives_it_back(
    on_small: REPL, port: int, air: Air
) -> None:
    gateway = air.access_point("home").gateway
    before = on_small.eval("free()")
    assert on_small.eval(f"talk({gateway!r}, {port})") == b"x"
    assert on_small.eval("free()") == before


def test_without_one_piece_for_the_buffer_it_is_enomem(
    small: EmulatedBoard, on_small: REPL, port: int, air: Air
) -> None:
    gateway = air.access_point("home").gateway
    small.idf_heap.grow_python(130_000)
    assert small.idf_heap.largest < 16_717
    assert on_small.eval(f"errno_of(talk, {gateway!r}, {port})") == 12
    assert b"no room for the buffers of TLS" in small.log_path.read_bytes()


def test_without_the_rest_the_handshake_fails(
    small: EmulatedBoard, on_small: REPL, port: int, air: Air
) -> None:
    gateway = air.access_point("home").gateway
    small.idf_heap.take("camera", small.idf_heap.free_bytes - 32_000, 500)
    assert small.idf_heap.largest >= 21_200
    assert on_small.eval(f"errno_of(talk, {gateway!r}, {port})") == -16
    small.idf_heap.give("camera")
    assert on_small.eval(f"talk({gateway!r}, {port})") == b"x"


def test_a_reserve_keeps_its_room_while_micropythons_heap_grows(
    small: EmulatedBoard, on_small: REPL, port: int, air: Air
) -> None:
    gateway = air.access_point("home").gateway
    on_small.exec("held = [reserve(), reserve()]")
    small.idf_heap.grow_python(200_000)
    on_small.exec("for one in held: one.close()")
    assert on_small.eval(f"talk({gateway!r}, {port})") == b"x"


def test_the_programs_own_use_makes_the_heap_grow(small: EmulatedBoard, on_small: REPL) -> None:
    assert small.idf_heap.python_bytes == 57_344
    on_small.exec("big = bytearray(90000); free()")
    assert small.idf_heap.python_bytes == 2 * 57_344


def test_wifi_that_does_not_fit_is_refused(small: EmulatedBoard) -> None:
    small.idf_heap.take("camera", small.idf_heap.free_bytes - 20_000, 500)
    with REPL(small.port) as repl:
        repl.exec(
            "import network\ntry:\n    network.WLAN()\nexcept OSError as e:\n    said = str(e)"
        )
        assert repl.eval("said") == "WiFi Out of Memory"


def test_a_board_without_limits_is_never_short(board: EmulatedBoard, air: Air) -> None:
    board.idf_heap.grow_python(1 << 20)
    board.idf_heap.take("camera", 1 << 20)
    with REPL(board.port) as repl:
        repl.exec(PROGRAM)
        assert repl.eval("free()")[1] > 100_000


def test_what_is_no_size_is_refused(small: EmulatedBoard, tmp_path: Path) -> None:
    for wrong in (0, -1, "much"):
        with pytest.raises(BoardError, match="1 or more"):
            small.idf_heap.take("camera", wrong)  # type: ignore[arg-type]
    with pytest.raises(BoardError, match="are the most"):
        small.idf_heap.take("camera", 1 << 20)
