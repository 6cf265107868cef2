# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`make demo`: the story of the nine steps, told while it happens.

`make demo FAULT=wifi_auth` tells the other half of the promise: the profile has a wrong Wi-Fi
password, the device comes home and says so, the password is corrected, the device registers.

`make demo PLATFORM=acme` has the same firmware register at ACME CSE, a oneM2M platform of others;
the first time installs it.

`make demo KEEP=1` goes on until Ctrl-C, with things to try.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.system import acme, playground
from tests.system.servers import MakePlatform, OwnPlatform
from tests.system.story import PASSWORD, Label, Step, Story

NAMES = {
    1: "Register the device at the portal",
    2: "Prepare its setting",
    3: "Look for a network",
    4: "Find the configuration server",
    5: "Report",
    6: "Receive the configuration",
    7: "Leave the onboarding network",
    8: "Join the operational network",
    9: "Register at the platform",
}
_WRONG_PASSWORD = "incorrect horse battery"
_FAULTS = ("wifi_auth",)
_PLATFORMS: dict[str, MakePlatform] = {"muster": OwnPlatform, "acme": acme.Acme}


class Teller:
    """Prints one line a step, as it ends."""

    def __init__(self) -> None:
        self._colour = sys.stdout.isatty()
        self._width = max(shutil.get_terminal_size((100, 24)).columns, 60)
        self._began = time.monotonic()

    def step(self, number: int, code: str, duration_s: float, detail: str) -> None:
        mark = self._paint("ok", "32") if code == "ok" else self._paint(code, "31;1")
        line = f"{number}  {NAMES[number]:<34}{duration_s:6.2f} s  {mark}  "
        room = self._width - len(f"{number}  {NAMES[number]:<34}{duration_s:6.2f} s  {code}  ")
        print(line + (detail if len(detail) <= room else detail[: room - 1] + "…"), flush=True)

    def device_step(self, step: Step) -> None:
        self.step(step.number, step.code, step.duration_s, step.detail)

    def say(self, text: str = "") -> None:
        print(self._paint(text, "2") if text else "", flush=True)

    def elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def _paint(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colour else text


def tell(
    directory: Path, fault: str | None, platform: str = "muster", is_kept: bool = False
) -> None:
    teller = Teller()
    teller.say("Three servers, two Wi-Fi networks and an emulated ESP32, all on this machine.")
    if platform == "acme":
        teller.say("The platform is ACME CSE, a oneM2M platform that nobody here wrote.")
    with Story(directory, platform=_PLATFORMS[platform]) as story:
        story.deploy()
        teller.say(f"   firmware deployed over {story.board.port}")
        story.servers.wait_ready()
        label = story.make_label()
        story.write_label(label)
        teller.say(f"   label {label.device_id} written to the board; servers are up")
        teller.say()
        prepare(story, teller, label, fault)
        story.switch_on()
        story.press()
        follow(story, teller)
        if fault:
            recover(story, teller, label)
        show(story, teller, label)
        if is_kept:
            playground.keep(story, teller, label)


def prepare(story: Story, teller: Teller, label: Label, fault: str | None) -> None:
    password = _WRONG_PASSWORD if fault == "wifi_auth" else PASSWORD
    story.add_profile(
        networks=[{"ssid": "factory", "psk": password, "hidden": False, "ip": "dhcp"}]
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


def follow(story: Story, teller: Teller) -> None:
    """Shows steps 3 to 9, or as many as there are before one fails."""
    wanted = 3
    while wanted <= 9:
        step = story.next_step()
        if step.number != wanted:
            raise RuntimeError(f"wanted step {wanted}, the device is at {step}")
        teller.device_step(step)
        if step.code != "ok":
            return
        wanted += 1


def recover(story: Story, teller: Teller, label: Label) -> None:
    device = story.wait_for(label, lambda device: device["last"] is not None)
    teller.say()
    teller.say(f"   the portal says: {device['last']['sentence']}")
    story.change_profile()
    teller.say("   the password is corrected at the portal, and the button is pressed")
    teller.say()
    story.press()
    story.step(6)  # the report that brought the news of the failure home
    follow_again(story, teller)


def follow_again(story: Story, teller: Teller) -> None:
    while True:
        step = story.next_step()
        teller.device_step(step)
        if step.number == 9 and step.code == "ok":
            return


def show(story: Story, teller: Teller, label: Label) -> None:
    story.committed()
    reading = story.first_reading(label)
    entity = story.application_entity(label)
    teller.say()
    print("The device as the platform shows it:")
    print(indented(entity))
    print("Its container:")
    print(indented(story.container(label)))
    print("Its first reading:")
    print(indented({"con": json.loads(reading["con"]), "ct": reading["ct"]}))
    print(f"Done in {teller.elapsed_s():.1f} s.")


def indented(document: Any) -> str:
    return "   " + json.dumps(document, indent=2, ensure_ascii=False).replace("\n", "\n   ")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--fault", choices=_FAULTS, help="make it fail like this, and recover")
    parser.add_argument("--platform", choices=_PLATFORMS, default="muster", help="register there")
    parser.add_argument("--keep", action="store_true", help="go on until Ctrl-C")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))  # and end the servers
    directory = Path(tempfile.mkdtemp(prefix="muster-demo-"))
    try:
        if arguments.platform == "acme":
            acme.install(lambda text: print(text, flush=True))
        tell(directory, arguments.fault, arguments.platform, arguments.keep)
    except acme.Missing as error:
        print(error, file=sys.stderr)
        return 1
    except (KeyboardInterrupt, SystemExit):
        shutil.rmtree(directory)
        raise
    except Exception as error:
        print(
            f"The demo stopped: {error}\nLogs of board and servers: {directory}", file=sys.stderr
        )
        raise
    shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
