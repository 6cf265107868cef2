# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is the folder of a firmware read, and what is none refused before the portal serves?"""

import json
from pathlib import Path
from typing import Any

import pytest

from muster_server.errors import SettingsError
from muster_server.portal.firmware_kit import read_kit

GOOD: dict[str, Any] = {
    "muster_firmware": 1,
    "boards": {"ESP32_GENERIC": {"machine": "ESP32 module"}},
    "files": [],
    **dict.fromkeys(("mpy", "put", "look", "staged", "exchange"), ""),
}


def kit_folder(folder: Path, document: object = GOOD, **images: bytes) -> Path:
    (folder / "firmware.json").write_text(json.dumps(document))
    for name, content in images.items():
        (folder / f"{name}.bin").write_bytes(content)
    return folder


def test_a_folder_is_read_with_its_images(tmp_path: Path) -> None:
    kit = read_kit(kit_folder(tmp_path, ESP32_GENERIC=b"\xe9 image"))
    assert kit is not None
    assert json.loads(kit.description) == GOOD
    assert kit.boards == {"ESP32_GENERIC": "ESP32 module"}
    assert kit.images == {"ESP32_GENERIC": b"\xe9 image"}


def test_no_folder_is_no_firmware() -> None:
    assert read_kit(None) is None


def test_an_address_changes_with_the_image_alone(tmp_path: Path) -> None:
    digests = set()
    for image in (b"\xe9 one", b"\xe9 two"):
        kit = read_kit(kit_folder(tmp_path, ESP32_GENERIC=image))
        assert kit is not None
        digests.add(kit.digest)
    assert len(digests) == 2


@pytest.mark.parametrize(
    ("document", "images", "said"),
    [
        ([], {}, "not as muster-unit pack writes it"),
        ({**GOOD, "boards": {"../x": {"machine": "ESP32 module"}}}, {}, "a strange one"),
        ({**GOOD, "boards": {}}, {}, "no boards"),
        ({**GOOD, "boards": []}, {}, "not as muster-unit pack writes it"),
        ({**GOOD, "muster_firmware": 2}, {}, "pack it anew"),
        ({name: part for name, part in GOOD.items() if name != "look"}, {}, "pack it anew"),
        (GOOD, {"OTHER": b"\xe9"}, "no board of firmware.json"),
        (GOOD, {"ESP32_GENERIC": b"PK"}, "no image"),
    ],
)
def test_what_is_no_firmware_is_refused_with_its_file(
    tmp_path: Path, document: object, images: dict[str, bytes], said: str
) -> None:
    with pytest.raises(SettingsError, match=f"--firmware: .*{said}"):
        read_kit(kit_folder(tmp_path, document, **images))


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="firmware.json: No such file"):
        read_kit(tmp_path / "nowhere")
