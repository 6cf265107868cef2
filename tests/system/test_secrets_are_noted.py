# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does the search at the end know the secrets that the servers have forgotten by then?"""

import secrets
from pathlib import Path

from tests import secrecy
from tests.system.server_secrets import issued
from tests.system.story import Story


def test_secrets_of_retired_versions_are_searched_for(
    tmp_path: Path, deployed_flash: Path
) -> None:
    with Story(tmp_path, flash=deployed_flash) as story:
        label = story.onboard()
        first = set(issued(story.servers.data, [label.device_id]))
        story.change_profile(app={"interval_s": 2})
        story.board.reset()
        assert story.committed() == 2
        story.wait_for(label, lambda device: device["version"] == 2)
    retired = first - set(issued(story.servers.data, [label.device_id]))
    assert len(retired) == 2, "wanted a key and a token that the servers have forgotten"
    assert all(secrecy.is_hidden(secret) for secret in retired)


def test_serial_output_is_searched_as_it_is(tmp_path: Path, firmware_flash: Path) -> None:
    raw = b"\r\n" + secrets.token_bytes(20)  # not noted: it is planted where it would be found
    with Story(tmp_path, flash=firmware_flash) as story:
        story.board.power_on()
        story.board.expect(rb">>> ", 5)
        story.board.write(
            b"import sys; sys.stdout.buffer.write(bytes.fromhex('%s'))\r" % (raw.hex().encode())
        )
        story.board.expect(rb">>> ", 5)
    assert any(raw in log.read_bytes() for log in secrecy.logs())
