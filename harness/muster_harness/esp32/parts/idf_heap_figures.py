# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The public figures of ESP-IDF's heap under MicroPython, by chip, without PSRAM; in bytes.

Figures that nobody has published are estimates and say so: a measurement of yours is welcome.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Region:
    """A stretch of RAM that ESP-IDF manages, and what is taken of it before MicroPython begins."""

    total: int
    taken: int


@dataclass(frozen=True)
class HeapFigures:
    """One chip's heap. `first_area` is MicroPython's first heap; the source is in words."""

    regions: tuple[Region, ...]
    first_area: int
    source: str


_AREA_SOURCE = "first area: ports/esp32/mpconfigport.h (MICROPY_GC_INITIAL_HEAP_SIZE)"
_ESTIMATE = "estimate, nothing was measured: "

FIGURES = {
    # With 112,000 of MicroPython's heap: 94,256 bytes free, 53,248 in one piece
    "esp32": HeapFigures(
        (
            Region(7288, 7112),
            Region(16648, 11048),
            Region(101624, 28180),
            Region(15072, 36),
            Region(113840, 1624),
        ),
        57344,
        "micropython#18859 (1.27.0, IDF 5.5.1: free 94256, largest 53248, total 254472, with "
        "112000 of MicroPython); regions as in micropython#7214 and #5303; " + _AREA_SOURCE,
    ),
    "esp32s2": HeapFigures(
        (Region(8148, 8008), Region(182568, 16752), Region(14864, 36)),
        36864,
        "esp-idf#7186 (free 180644, largest 165816 before Wi-Fi, 140600 after); a third region as "
        "in micropython#7214; " + _AREA_SOURCE,
    ),
    "esp32s3": HeapFigures(
        (Region(267552, 69876), Region(22308, 736), Region(32767, 736), Region(7912, 380)),
        65536,
        "hx-esp32-cam-fpv#46 (Heap summary at start: 197676 + 21572 + 32031 + 7532 free, no "
        "MicroPython in it); " + _AREA_SOURCE,
    ),
    "esp32c3": HeapFigures(
        (Region(190000, 20000), Region(16000, 700)),
        65536,
        _ESTIMATE + "esp-idf#10162 (a C3 gives more than an S2), micropython#18859 (Wi-Fi and "
        "BLE do not fit); " + _AREA_SOURCE,
    ),
    "esp32c6": HeapFigures(
        (Region(250000, 30000), Region(15000, 700)),
        65536,
        _ESTIMATE + "112 KiB more SRAM than a C3, of which half is taken to be there; "
        "micropython#18859 (Wi-Fi and BLE do not fit); " + _AREA_SOURCE,
    ),
}

# What takes from it. Wi-Fi: micropython#8940 (28 KiB at its start, 2.5 while active, 7 joined),
# esp-idf#7186 (40,044 from off to joined on an S2), esp-idf#5938 (43,592 as an access point).
WIFI_INIT = 28672
WIFI_ACTIVE = 2560
WIFI_JOINED = 7168
WIFI_PIECE = 1696  # esp-idf#11753: its static buffers
MDNS = 7168  # esp-idf#5938 and micropython#8940: 6 to 8 KB, from the first address on
SOCKET = 4096  # micropython#8940: 4 to 7 KB for a connection
# mbedTLS (micropython#8940, #5303; sdkconfig.base): a record in and one out, each in one piece,
# and what a handshake with ECDHE and X.509 takes beside them for its time, in small pieces.
TLS_IN = 16717
TLS_OUT = 4429
TLS_HANDSHAKE = 15360
TLS_PIECE = 1024
