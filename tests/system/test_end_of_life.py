# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Can a secret that a device was ever given be found in it after it was to forget it?"""

import time

import pytest

from tests import secrecy
from tests.system import server_secrets
from tests.system.board_time import hold
from tests.system.story import Label, Story

pytestmark = pytest.mark.hil_needs("clock")

_PATIENCE_S = 90.0
_OVERWRITTEN = rb"store overwrote \d+ free blocks"


def given(story: Story, label: Label) -> set[bytes]:
    """Return the secrets in the device's versions, as far as the server still knows them."""
    issued = server_secrets.issued(story.servers.data, [label.device_id])
    return {secret.encode() if isinstance(secret, str) else secret for secret in issued}


def kept(story: Story) -> bytes:
    """Return everything that the board keeps without, and with, power."""
    rtc = story.board._supervisor.rtc.memory
    story.board.power_off()
    content = story.board.read_flash()
    return content.image + content.nvs + rtc


def found(secrets: set[bytes], content: bytes) -> set[bytes]:
    """Return the secrets that are in the content, raw or in any form that JSON may have."""
    return {secret for secret in secrets if any(f in content for f in secrecy.forms(secret))}


def at_work(story: Story) -> tuple[Label, set[bytes]]:
    label = story.onboard()
    story.wait_for(label, lambda device: device["state"] == "registered")
    secrets = given(story, label)
    assert len(secrets) >= 4  # key, adoption, token, password
    return label, secrets


def test_what_a_device_runs_on_is_in_its_flash(story: Story) -> None:
    """The search finds what is there."""
    _, secrets = at_work(story)
    assert found(secrets, kept(story)) == secrets


def test_after_a_factory_reset_nothing_is_found_but_the_identity(story: Story) -> None:
    label, secrets = at_work(story)
    story.change_profile(
        networks=[{"ssid": "factory", "psk": story.password, "hidden": False, "ip": "dhcp"}],
        app={"interval_s": 2},
    )
    story.press()
    assert story.committed() == 2
    secrets |= given(story, label)
    story.board.expect(_OVERWRITTEN, _PATIENCE_S)  # what the second version has superseded
    hold(story.board, 20)
    story.board.expect(rb"configuration forgotten", 5)
    story.board.expect(_OVERWRITTEN, _PATIENCE_S)
    content = kept(story)
    assert found(secrets, content) == set()
    assert found({label.secret}, content) == {label.secret}


def test_after_forget_nothing_is_found(story: Story) -> None:
    label, secrets = at_work(story)
    story.portal("DELETE", f"/v1/devices/{label.device_id}")
    story.press()
    story.board.expect(rb"configuration forgotten", _PATIENCE_S)
    story.board.expect(_OVERWRITTEN, _PATIENCE_S)
    assert found(secrets, kept(story)) == set()


def test_what_a_new_version_supersedes_is_not_found_any_more(story: Story) -> None:
    label, secrets = at_work(story)
    story.change_profile(app={"interval_s": 2})
    story.press()
    assert story.committed() == 2
    story.wait_for(label, lambda device: device["version"] == 2)
    newer = given(story, label)
    story.board.expect(_OVERWRITTEN, _PATIENCE_S)
    content = kept(story)
    assert found(secrets - newer, content) == set()
    assert found(newer, content) == newer


def test_a_power_cut_while_free_space_is_overwritten_is_made_good(story: Story) -> None:
    _, secrets = at_work(story)
    # Overwriting takes some 22,000 operations, all that comes before it less than a hundred.
    story.board.cut_power_at_flash_op(2000)
    hold(story.board, 20)
    end = time.monotonic() + _PATIENCE_S
    while story.board.is_on and time.monotonic() < end:
        time.sleep(0.05)
    assert not story.board.is_on
    assert b"configuration forgotten" in story.board.output
    assert b"overwrote" not in story.board.output
    story.switch_on()
    story.board.expect(_OVERWRITTEN, _PATIENCE_S)
    assert found(secrets, kept(story)) == set()


def test_an_applied_bundle_is_not_found_any_more(story: Story) -> None:
    label = story.begin()
    story.onboarding.remove()
    file = story.directory / f"{label.device_id}.muster"
    story.muster(
        *("bundle", "make", label.device_id, "--out", str(file)),
        *("--portal", story.servers.portal_url),
        *("--token-file", str(story.servers.token_file)),
    )
    text = file.read_text().strip()
    secrecy.hide(text)
    story.switch_on()
    story.board.expect(rb"step 4 wifi_no_ap", _PATIENCE_S)
    story.board.write(b"\x03")
    story.board.expect(rb">>> ", _PATIENCE_S)
    with story.board.repl() as repl:
        repl.exec(f"with open('/{file.name}', 'w') as f:\n    f.write({text!r})")
    story.board.reset()
    story.committed(_PATIENCE_S)
    story.board.expect(_OVERWRITTEN, _PATIENCE_S)
    content = kept(story)
    pieces = {text[at : at + 32].encode() for at in range(100, len(text) - 32, 64)}
    assert len(pieces) > 8
    assert {piece for piece in pieces if piece in content} == set()
