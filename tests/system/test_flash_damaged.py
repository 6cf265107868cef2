# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A device whose flash has suffered: what heals by itself, and what a person is told."""

from dataclasses import replace

from muster_harness.deploy.firmware import deploy_firmware
from tests.system.story import ROOT, Story

_PATIENCE_S = 60.0


def test_an_erased_nvs_costs_nothing_because_the_identity_lies_in_the_filesystem_too(
    story: Story,
) -> None:
    label = story.onboard()
    story.first_reading(label)
    story.board.power_off()
    before = story.board.read_flash()
    story.board.erase_flash()
    story.board.write_flash(replace(before, nvs=story.board.read_flash().nvs))
    story.board.forget_output()  # before it had its label it may have said so
    story.switch_on()
    assert story.step(9, _PATIENCE_S).code == "ok"
    assert b"this board has no label" not in story.board.output
    # It is whole again: now the copy in the filesystem may go.
    story.board.remove_file("/identity.bin")
    story.board.reset()
    assert story.step(9, _PATIENCE_S).code == "ok"


def test_a_corrupt_filesystem_is_told_and_a_deployment_brings_the_device_back(
    story: Story,
) -> None:
    label = story.onboard()
    story.first_reading(label)
    story.board.power_off()
    content = story.board.read_flash()
    rotten = bytes(byte ^ 0x5A for byte in content.image[:16384]) + content.image[16384:]
    story.board.write_flash(replace(content, image=rotten))
    story.switch_on()
    story.board.expect(rb"The filesystem appears to be corrupted", _PATIENCE_S)

    # As the message says: the flash is erased, and MicroPython makes a new filesystem. NVS stays.
    story.board.power_off()
    story.board.erase_flash()
    story.board.write_flash(replace(story.board.read_flash(), nvs=content.nvs))
    story.switch_on()
    with story.board.released() as port:
        deploy_firmware(port, ROOT / "firmware", build=story.build())
    story.portal("POST", f"/v1/devices/{label.device_id}/window")
    story.board.reset()
    story.press()
    story.committed(_PATIENCE_S)
