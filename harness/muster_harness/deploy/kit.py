# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Packs a firmware for a portal, whose page puts it onto boards from a browser.

A kit is a folder: firmware.json, and for each board for which there is one MicroPython's image, as
BOARD.bin. firmware.json holds the files as a board takes them, their digests, what `muster-unit
deploy` would run on the board, and what is known of each type of board. So a board that one of
them has prepared is the same to the other.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from muster_harness.deploy.firmware import facts_of
from muster_harness.deploy.image_file import check_image
from muster_harness.deploy.inventory import (
    FACTORY_BOOT,
    FACTS,
    LIST,
    MARK,
    STAGE,
    digest,
    digests,
    listing,
    question,
)
from muster_harness.deploy.layout import is_muster, lay_out
from muster_harness.deploy.sending import PUT, as_text, pieces
from muster_harness.deploy.transfer import (
    EXCHANGE,
    STAGED,
    files_of,
    hiding,
    roots_of,
    staged_name,
)
from muster_harness.errors import DeployError, HarnessError
from muster_harness.facts import BOARDS, BoardFacts, read_facts
from muster_harness.wire.probe import MPY_VERSION

KIT = "firmware.json"

_FORMAT = 1
_NO_PRODUCT = "EMULATED"


def product_boards() -> list[str]:
    """Return the names of the boards that one can buy."""
    return sorted(path.stem for path in BOARDS.glob("*.toml") if path.stem != _NO_PRODUCT)


def make_kit(
    source: Path,
    folder: Path,
    boards: Iterable[str],
    images: Mapping[str, Path],
    build: Mapping[str, Any],
) -> dict[str, Any]:
    """Write the kit of a Muster firmware for these boards, and return what is in firmware.json.

    `images` are MicroPython's, by board. `build` may set "model" and "onboarding". Raises
    DeployError for another firmware, ImageError for a file that is no image, HarnessError for a
    board that is not known, or a folder that cannot be written.
    """
    if not is_muster(source):
        raise DeployError(f"{source} is not Muster's firmware: it has no package muster")
    known = {name: read_facts(name) for name in sorted({*boards, *images})}
    for image in images.values():
        check_image(image)
    with tempfile.TemporaryDirectory(prefix="muster-kit-") as made:
        tree = Path(made)
        lay_out(source, tree, "mpy")
        kit = _described(files_of(tree))
    kit["boards"] = {name: _board(facts, dict(build)) for name, facts in known.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, image in images.items():
            shutil.copy(image, folder / f"{name}.bin")
        # It may hold the passphrase of the onboarding network.
        with open(folder / KIT, "w", encoding="utf-8", opener=_private) as file:
            json.dump(kit, file, indent=1)
    except OSError as e:
        raise HarnessError(f"the kit cannot be written to {folder}: {e.strerror}") from None
    return kit


def _described(files: Mapping[str, Path]) -> dict[str, Any]:
    content = {path: file.read_bytes() for path, file in files.items()}
    known = digests(files)
    content[LIST] = listing(known).encode()
    known[LIST] = digest(content[LIST])
    return {
        "muster_firmware": _FORMAT,
        "mpy": MPY_VERSION,
        "files": [
            {
                "path": path,
                "digest": known[path],
                "staged": staged_name(path, known[path]),
                "bytes": len(data),
                "pieces": [as_text(piece, packs=True) for _, piece in pieces(data)],
            }
            for path, data in content.items()
        ],
        "facts": FACTS,
        "list": LIST,
        "stage": STAGE,
        "mark": MARK,
        "hiding": sorted(hiding(files)),
        "replaced": {"/boot.py": digest(FACTORY_BOOT)},
        "put": PUT,
        # The type of board and its digests, as those of a deployment: see inventory.look.
        "look": question(roots_of(files), known),
        "staged": STAGED.format(stage=STAGE),
        # The two names in quotes give way to lists.
        "exchange": EXCHANGE.format(mark=MARK, stage=STAGE, files="FILES", gone="GONE"),
    }


def _board(facts: BoardFacts, build: dict[str, Any]) -> dict[str, Any]:
    return {
        "mcu": facts.mcu,
        "machine": facts.machine,
        "offset": facts.image_offset,
        "facts": facts_of(facts, build),
    }


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o640)
