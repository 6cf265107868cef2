# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""An owner's deeds with a running device: the prompt, an application, the button."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.board_time import hold
from tests.system.story import Story

_MPREMOTE_S = 60


def mpremote(story: Story, *arguments: str) -> str:
    command = [sys.executable, "-m", "mpremote", "connect", story.board.port, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_MPREMOTE_S, check=True)
    return done.stdout


def put_application(story: Story, directory: Path, body: str) -> None:
    """Copies a main.py of the owner's with this application onto the (running) board."""
    main = directory / "main.py"
    main.write_text(
        "import muster\n\n\nasync def app(session):\n" + body + "\n\nmuster.run(app)\n"
    )
    mpremote(story, "cp", str(main), ":main.py")


def test_a_board_without_a_label_says_so_and_stays_at_its_prompt(story: Story) -> None:
    story.switch_on()
    story.board.expect(rb"this board has no label", 5)
    story.board.expect(rb">>> ", 5)


def test_ctrl_c_leads_to_the_prompt_and_ctrl_d_back_to_work(story: Story) -> None:
    story.onboard()
    story.board.write(b"\x03")
    story.board.expect(rb"stopped; Ctrl-D starts again", 5)
    story.board.expect(rb">>> ", 5)
    story.board.write(b"\x04")
    assert story.step(9).code == "ok"


def test_mpremote_works_on_a_running_device(story: Story) -> None:
    story.onboard()
    assert mpremote(story, "exec", "print(6 * 7)").strip() == "42"


def test_the_owners_application_gets_its_settings_and_publishes(
    story: Story, tmp_path: Path
) -> None:
    label = story.begin(app={"greeting": "hello"})
    body = '    await session.publish("greeting", session.config["app"]["greeting"])'
    put_application(story_on(story), tmp_path, body)
    story.board.reset()
    story.committed()
    assert '"value":"hello"' in story.first_reading(label)["con"]


def test_an_application_that_fails_is_started_again(story: Story, tmp_path: Path) -> None:
    story.begin()
    put_application(story_on(story), tmp_path, '    raise RuntimeError("out of paper")')
    story.board.reset()
    story.board.expect(rb"RuntimeError: out of paper", 20)
    story.board.expect(rb"app failed, starts again", 5)
    story.board.expect(rb"RuntimeError: out of paper", 5)


def test_an_application_never_sees_a_secret(story: Story, tmp_path: Path) -> None:
    label = story.begin()
    body = '    await session.publish("sees", sorted(session.config))'
    put_application(story_on(story), tmp_path, body)
    story.board.reset()
    story.committed()
    assert '"value":["app","device"]' in story.first_reading(label)["con"]


@pytest.mark.hil_needs("clock")
def test_a_factory_reset_keeps_the_identity_and_nothing_else(story: Story) -> None:
    label = story.onboard()
    story.wait_for(label, lambda device: device["state"] == "registered")
    hold(story.board, 20)
    story.board.expect(rb"configuration forgotten", 5)
    assert story.step(6).detail == "wait"  # the label opens the door once
    story.portal("POST", f"/v1/devices/{label.device_id}/window")
    story.press()
    assert story.committed() == 2


def story_on(story: Story) -> Story:
    """The same story with its board switched on, so that mpremote finds it."""
    story.switch_on()
    return story
