# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The part that all demos tell in the same way: steps as they end, and resources at the
platform."""

import json
import shutil
import subprocess
import sys
import time
from typing import Any

from muster_harness.commands.follow import STEP_WIDTH, STEPS
from tests.system.story import PASSWORD, Label, Step, Story


class Teller:
    """Prints one line a step, as it ends."""

    def __init__(self) -> None:
        self._colour = sys.stdout.isatty()
        self._width = max(shutil.get_terminal_size((100, 24)).columns, 60)
        self._began = time.monotonic()

    def step(self, number: int, code: str, duration_s: float, detail: str) -> None:
        mark = self._paint("ok", "32") if code == "ok" else self._paint(code, "31;1")
        begin = f"{number}  {STEPS[number]:<{STEP_WIDTH}}{duration_s:6.2f} s  "
        room = self._width - len(f"{begin}{code}  ")
        line = f"{begin}{mark}  "
        print(line + (detail if len(detail) <= room else detail[: room - 1] + "…"), flush=True)

    def device_step(self, step: Step) -> None:
        self.step(step.number, step.code, step.duration_s, step.detail)

    def say(self, text: str = "") -> None:
        print(self._paint(text, "2") if text else "", flush=True)

    def elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def _paint(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colour else text


# Of the application: how often it publishes, and the pin of the LED that it switches.
LED_PIN = 5
SETTINGS = {"interval_s": 1, "led": LED_PIN}
_PATIENCE_S = 20.0
_LOOK_S = 0.2


def prepare(story: Story, teller: Teller, label: Label, password: str = PASSWORD) -> None:
    """Steps 1 and 2, with this password in the profile."""
    story.add_profile(
        networks=[{"ssid": "factory", "psk": password, "hidden": False, "ip": "dhcp"}],
        app=SETTINGS,
    )
    began = time.monotonic()
    device = story.register(label)
    took_s = time.monotonic() - began
    for step in device["steps"][:2]:
        code = "ok" if step["state"] == "done" else step["state"]
        own_s = step["ms"] / 1000 if step["ms"] is not None else took_s
        detail = {
            1: f"{label.device_id} as “press 4”",
            2: "profile “demo”, onboarding window open",
        }
        teller.step(step["step"], code, own_s, detail[step["step"]])


def show(story: Story, teller: Teller, label: Label) -> None:
    """The device as its platform has it."""
    reader = story.reader("dashboard") if story.servers.platform.has_accounts else None
    reading = story.first_reading(label, reader=reader)
    entity = story.application_entity(label)
    teller.say()
    print("The device as the platform shows it:")
    print(indented(entity))
    print("Its container:")
    print(indented(story.container(label)))
    who = f" as the reader {reader['originator']} sees it" if reader else ""
    print(f"Its first reading{who}:")
    print(indented({"con": json.loads(reading["con"]), "ct": reading["ct"]}))
    command = f"readings {label.device_id}"
    print(f"The same for its owner:   muster {command} [--follow]")
    print("   " + story.owner(*command.split()).rstrip().replace("\n", "\n   "))
    obey(story, teller, label)
    print(f"Done in {teller.elapsed_s():.1f} s.")


def obey(story: Story, teller: Teller, label: Label) -> None:
    """A command of the owner's, obeyed."""
    words, value = f"command {label.device_id}", json.dumps({"led": True})
    teller.say(f"And the owner tells it:   muster {words} '{value}' --wait")
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            answer = story.owner(*words.split(), value, "--wait", "--timeout", "20s")
            break
        except subprocess.CalledProcessError as error:
            if "takes no commands" not in error.stderr or time.monotonic() > deadline:
                raise RuntimeError(error.stderr) from None
            time.sleep(_LOOK_S)  # its application has just begun
    print("   " + answer.rstrip())
    if not story.board.level(LED_PIN):
        raise RuntimeError(f"the LED at pin {LED_PIN} is dark")


def indented(document: Any) -> str:
    return "   " + json.dumps(document, indent=2, ensure_ascii=False).replace("\n", "\n   ")
