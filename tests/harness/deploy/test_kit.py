# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is what a portal gets for browsers the firmware that a deployment would bring?

That a browser brings it to a board is tests/system/test_prepared_board.py.
"""

import base64
import json
import stat
import zlib
from pathlib import Path
from typing import Any

import pytest

from muster_harness.cli import main
from muster_harness.deploy.inventory import digest
from muster_harness.deploy.kit import KIT, make_kit, product_boards
from muster_harness.deploy.layout import lay_out
from muster_harness.errors import DeployError, HarnessError, ImageError

FIRMWARE = Path(__file__).resolve().parents[3] / "firmware"


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kit")
    image = folder / "generic.image"
    image.write_bytes(b"\xe9 an image")
    assert (
        main(["pack", str(folder), "--image", f"ESP32_GENERIC={image}", "--model", "press"]) == 0
    )
    return folder


@pytest.fixture(scope="module")
def kit(packed: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((packed / KIT).read_text())
    return document


def test_its_files_are_those_of_a_deployment(kit: dict[str, Any], tmp_path: Path) -> None:
    lay_out(FIRMWARE, tmp_path, "mpy")
    files = {file["path"]: file for file in kit["files"]}
    del files["/.muster-files"]
    assert set(files) == {f"/{p.relative_to(tmp_path)}" for p in tmp_path.rglob("*.*")}
    for path, file in files.items():
        content = b"".join(zlib.decompress(base64.b64decode(piece)) for piece in file["pieces"])
        assert content == (tmp_path / path[1:]).read_bytes()
        assert (file["bytes"], file["digest"]) == (len(content), digest(content))


def test_the_list_for_the_board_names_every_file(kit: dict[str, Any]) -> None:
    files = {file["path"]: file for file in kit["files"]}
    (piece,) = files.pop("/.muster-files")["pieces"][:1]
    text = zlib.decompress(base64.b64decode(piece)).decode()
    for line in text.splitlines()[:-1]:
        path, _, of = line.rpartition(" ")
        assert files[path]["digest"] == of


def test_it_knows_each_board_and_has_its_image(kit: dict[str, Any], packed: Path) -> None:
    assert sorted(kit["boards"]) == product_boards()
    board = kit["boards"]["ESP32_GENERIC"]
    assert (board["mcu"], board["offset"], board["facts"]["model"]) == ("esp32", 0x1000, "press")
    assert (packed / "ESP32_GENERIC.bin").read_bytes() == b"\xe9 an image"


def test_others_do_not_read_it(packed: Path) -> None:
    assert not stat.S_IMODE((packed / KIT).stat().st_mode) & 0o007


def test_what_cannot_be_packed_is_refused(tmp_path: Path) -> None:
    no_image = tmp_path / "image.uf2"
    no_image.write_bytes(b"UF2\n")
    folder = tmp_path / "kit"
    with pytest.raises(ImageError, match="no image of an ESP32"):
        make_kit(FIRMWARE, folder, [], {"ESP32_GENERIC": no_image}, {})
    with pytest.raises(HarnessError, match="NO_BOARD"):
        make_kit(FIRMWARE, folder, ["NO_BOARD"], {}, {})
    with pytest.raises(DeployError, match="not Muster's firmware"):
        make_kit(tmp_path, folder, [], {}, {})
    assert main(["pack", str(folder), "--image", "ESP32_GENERIC"]) == 1
    assert not folder.exists()
