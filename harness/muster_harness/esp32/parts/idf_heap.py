# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A model of ESP-IDF's heap: MicroPython's heap, Wi-Fi, connections and TLS take from it.

Its regions are those of the chip; a piece is taken where it fits best, as the driver's TLSF does,
and neighbours that are free become one. It is a model: pieces lie where this code puts them.
"""

from dataclasses import dataclass

from muster_harness.errors import BoardError
from muster_harness.esp32.parts.idf_heap_figures import (
    FIGURES,
    MDNS,
    SOCKET,
    TLS_HANDSHAKE,
    TLS_IN,
    TLS_OUT,
    TLS_PIECE,
    WIFI_ACTIVE,
    WIFI_INIT,
    WIFI_JOINED,
    WIFI_PIECE,
    HeapFigures,
)
from muster_harness.loop import Loop

# A 64-bit interpreter's objects, and an ESP32's: docs/emulated-board.md
_SHARE_OF_64_BIT = 0.7
_PYTHON = "python"
_PYTHON_ADDED = "python, added"


@dataclass(frozen=True)
class _Piece:
    region: int
    start: int
    size: int


class _Region:
    """Free stretches of one region by their start."""

    def __init__(self, total: int, taken: int):
        self.total = total
        self.free = {taken: total - taken}
        self.lowest_free = total - taken

    @property
    def free_bytes(self) -> int:
        return sum(self.free.values())

    @property
    def largest(self) -> int:
        return max(self.free.values(), default=0)

    def best(self, size: int) -> int | None:
        """Return where the smallest stretch begins that is long enough, None if none is."""
        fitting = [(length, start) for start, length in self.free.items() if length >= size]
        return min(fitting)[1] if fitting else None

    def take(self, start: int, size: int) -> None:
        length = self.free.pop(start)
        if length > size:
            self.free[start + size] = length - size
        self.lowest_free = min(self.lowest_free, self.free_bytes)

    def give(self, start: int, size: int) -> None:
        for other, length in list(self.free.items()):
            if other + length == start:
                del self.free[other]
                start, size = other, size + length
            elif start + size == other:
                del self.free[other]
                size += length
        self.free[start] = size


class IDFHeap:
    """One chip's heap, since its last restart. Everything runs in the board's loop.

    With `is_limited` what does not fit is refused; else nothing is ever short, as with PSRAM, and
    the figures stay those of the chip after its start. Raises BoardError for a limited chip of
    which no figures are known.
    """

    def __init__(self, chip: str, is_limited: bool):
        if is_limited and chip not in FIGURES:
            known = ", ".join(FIGURES)
            raise BoardError(f"no heap of an {chip} is known; there are those of {known}")
        self.figures: HeapFigures = FIGURES.get(chip, FIGURES["esp32"])
        self.is_limited = is_limited
        self.restart()

    def restart(self) -> None:
        """Give everything back, as a restart of the chip does, and begin MicroPython's heap."""
        self._regions = [_Region(region.total, region.taken) for region in self.figures.regions]
        self._held: dict[str, list[_Piece]] = {}
        self._python = 0
        self._python_base: int | None = None
        self._take_area(self.figures.first_area)

    # -- looking

    def info(self) -> list[tuple[int, int, int, int]]:
        """Return (total, free, largest, lowest free) of each region, as esp32.idf_heap_info()."""
        return [(r.total, r.free_bytes, r.largest, r.lowest_free) for r in self._regions]

    @property
    def free_bytes(self) -> int:
        """The bytes that are free, all together."""
        return sum(region.free_bytes for region in self._regions)

    @property
    def largest(self) -> int:
        """The largest free piece, in bytes."""
        return max(region.largest for region in self._regions)

    @property
    def python_bytes(self) -> int:
        """The bytes that MicroPython's heap has taken."""
        return self._python

    # -- who takes

    def python_begins(self, used_64_bit: int) -> None:
        """A run of MicroPython begins, with so much in use of the emulator's own modules, which
        lie in flash on a chip. Areas that a run before it has added are given back."""
        self._python_base = used_64_bit
        if _PYTHON_ADDED in self._held:
            self._python -= sum(piece.size for piece in self._held[_PYTHON_ADDED])
            self.give(_PYTHON_ADDED)

    def python_uses(self, used_64_bit: int) -> None:
        """Let MicroPython's heap grow to hold so much, measured on the 64-bit interpreter."""
        if self._python_base is not None:
            self.python_holds(int((used_64_bit - self._python_base) * _SHARE_OF_64_BIT))

    def python_holds(self, size: int) -> None:
        """Let MicroPython's heap grow until it holds so many bytes: each time by its own size, or
        by all of the largest piece if that is less (py/gc.c, gc_try_add_heap)."""
        while self.is_limited and self._python < size:
            added = min(self._python, self.largest)
            if added < TLS_PIECE or not self._take_area(added, _PYTHON_ADDED):
                return

    def __str__(self) -> str:
        return (
            f"{self.free_bytes} bytes free, {self.largest} in one piece, "
            f"{self.python_bytes} are MicroPython's"
        )

    def wifi_begins(self) -> bool:
        """esp_wifi_init, once. False: there is no room."""
        return "wifi" in self._held or self.take("wifi", WIFI_INIT, WIFI_PIECE)

    def wifi_is(self, *, active: bool, joined: bool) -> None:
        """Follow what the station does; the first address starts mDNS for good."""
        for what, size, is_on in (
            ("wifi active", WIFI_ACTIVE, active),
            ("wifi joined", WIFI_JOINED, joined),
            ("mdns", MDNS, joined or "mdns" in self._held),
        ):
            if is_on and what not in self._held:
                self.take(what, size, WIFI_PIECE)
            elif not is_on:
                self.give(what)

    def connections_are(self, count: int) -> None:
        """Follow how many TCP connections there are."""
        self.give("connections")
        if count:
            self.take("connections", count * SOCKET, SOCKET // 4)

    def tls_begins(self, number: int) -> bool:
        """Take mbedTLS's two buffers, each in one piece. False: there is no room, none is
        taken."""
        if not self.take(f"tls {number}", TLS_IN) or not self.take(f"tls {number}", TLS_OUT):
            self.give(f"tls {number}")
            return False
        return True

    def handshake_fits(self) -> bool:
        """Tell whether the room is there that a handshake takes beside its buffers."""
        fits = self.take("handshake", TLS_HANDSHAKE, TLS_PIECE)
        self.give("handshake")
        return fits

    def tls_ends(self, number: int) -> None:
        """Give the two buffers back."""
        self.give(f"tls {number}")

    # -- what they take

    def take(self, who: str, size: int, piece: int | None = None) -> bool:
        """Take so many bytes in one piece, or in pieces of at most `piece`. False: they are not
        there, and none is taken."""
        if not self.is_limited and not who.startswith(_PYTHON):
            return True
        taken: list[_Piece] = []
        left = size
        while left > 0:
            part = left if piece is None else min(piece, left)
            found = self._find(part)
            if found is None:
                for back in taken:
                    self._regions[back.region].give(back.start, back.size)
                return False
            self._regions[found.region].take(found.start, found.size)
            taken.append(found)
            left -= part
        self._held.setdefault(who, []).extend(taken)
        return True

    def give(self, who: str) -> None:
        """Give back all that somebody has taken."""
        for piece in self._held.pop(who, ()):
            self._regions[piece.region].give(piece.start, piece.size)

    def _take_area(self, size: int, who: str = _PYTHON) -> bool:
        is_taken = self.take(who, size)
        if is_taken:
            self._python += size
        return is_taken

    def _find(self, size: int) -> _Piece | None:
        found = None
        for number, region in enumerate(self._regions):
            start = region.best(size)
            if start is not None and (found is None or region.free[start] < found[1]):
                found = _Piece(number, start, size), region.free[start]
        return found[0] if found else None


def left_before_tls(chip: str, python_64_bit: int) -> tuple[int, int]:
    """Return what a chip has left, all together and in one piece, when it is joined, has one
    connection, and MicroPython's heap has grown to what needs so many bytes on a 64-bit
    interpreter. Raises BoardError for a chip of which no heap is known."""
    heap = IDFHeap(chip, is_limited=True)
    heap.wifi_begins()
    heap.wifi_is(active=True, joined=True)
    heap.python_holds(int(python_64_bit * _SHARE_OF_64_BIT))
    heap.connections_are(1)
    return heap.free_bytes, heap.largest


class HeapDoor:
    """A board's `IDFHeap` for other threads, and for scripts."""

    def __init__(self, loop: Loop, heap: IDFHeap):
        self._loop = loop
        self._heap = heap

    @property
    def free_bytes(self) -> int:
        """The bytes that are free now, as far as the model has heard."""
        return self._loop.call(lambda: self._heap.free_bytes)

    @property
    def largest(self) -> int:
        """The largest free piece now, in bytes."""
        return self._loop.call(lambda: self._heap.largest)

    @property
    def python_bytes(self) -> int:
        """The bytes that MicroPython's heap has taken."""
        return self._loop.call(lambda: self._heap.python_bytes)

    @property
    def source(self) -> str:
        """The source of the chip's figures, in words."""
        return self._heap.figures.source

    def grow_python(self, size: int) -> None:
        """Let MicroPython's heap grow until it holds so many bytes, as after a spike of an
        application that the 64-bit interpreter does not show."""
        self._loop.call(lambda: self._heap.python_holds(_checked(size)))

    def take(self, who: str, size: int, piece: int | None = None) -> None:
        """Let somebody, e.g. "camera", take so many bytes, in one piece or in pieces of at most
        `piece`. Raises BoardError if they are not there, and for what is no size."""
        if not self._loop.call(
            lambda: self._heap.take(f"script {who}", _checked(size), piece and _checked(piece))
        ):
            raise BoardError(f"{size} bytes for {who!r} are not free; {self.largest} are the most")

    def give(self, who: str) -> None:
        """Let somebody give back all that `take` gave it."""
        self._loop.call(lambda: self._heap.give(f"script {who}"))


def _checked(size: int) -> int:
    if not isinstance(size, int) or size <= 0:
        raise BoardError(f"a size is so many bytes, 1 or more, not {size!r}")
    return size
