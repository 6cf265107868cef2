# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The file of a MicroPython image for a chip."""

from pathlib import Path

from muster_harness.errors import ImageError

_MAGIC = 0xE9  # of an image: esptool documentation, "Firmware Image Format"


def check_image(image: Path) -> None:
    """Check that the file is an image that a chip could start. Raises ImageError if not."""
    try:
        with image.open("rb") as file:
            begin = file.read(1)
    except OSError as e:
        raise ImageError(f"the image {image} cannot be read: {e.strerror}") from e
    if begin != bytes([_MAGIC]):
        raise ImageError(
            f"{image} is no image of an ESP32 (it begins with {begin.hex() or 'nothing'}, not "
            "e9); take the .bin from the page that the board's file names, not .uf2 or .app-bin"
        )
