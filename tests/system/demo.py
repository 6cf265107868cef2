# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`make demo`: the story of the nine steps, told while it happens.

`make demo FAULT=wifi_auth` tells the other half of the promise: the profile has a wrong Wi-Fi
password, the device comes home and says so, the password is corrected, the device registers.

`make demo PLATFORM=acme` has the same firmware register at ACME CSE, a oneM2M platform of others;
the first time installs it.

`make demo FLOW=offline` has a person carry a bundle in place of the onboarding network.

`make demo KEEP=1` goes on until Ctrl-C, with things to try.
"""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.programs import Missing
from tests.system import acme, demo_offline, playground
from tests.system.servers import MakePlatform, OwnPlatform
from tests.system.story import PASSWORD, Label, Story
from tests.system.telling import SETTINGS, Teller, prepare, show

_WRONG_PASSWORD = "incorrect horse battery"
_FAULTS = ("wifi_auth",)
_FLOWS = ("online", "offline")
_PLATFORMS: dict[str, MakePlatform] = {"muster": OwnPlatform, "acme": acme.Acme}


_BY_HAND = """
The same by hand, with an emulated board (docs/first-ten-minutes.md has every step):
   make emulate SERVERS=1                           servers, networks, a board; says what to type
With a board on USB:
   .venv/bin/muster init                            which network, Wi-Fi, platform
   make serve                                       and in another terminal:
   make deploy                                      the firmware, onto the board
   .venv/bin/muster-unit label write                a label for it
   .venv/bin/muster device add --profile default    type or scan the label
   .venv/bin/muster-unit log                        press the button, and watch
   .venv/bin/muster readings DEVICE                 what it publishes"""


def tell(
    directory: Path, fault: str | None, platform: str = "muster", is_kept: bool = False
) -> None:
    teller = Teller()
    teller.say("Three servers, two Wi-Fi networks and an emulated ESP32, all on this machine.")
    if platform == "acme":
        teller.say("The platform is ACME CSE, a oneM2M platform that nobody here wrote.")
    made = _PLATFORMS[platform]
    with Story(directory, platform=made) as story:
        story.deploy()
        teller.say(f"   firmware deployed over {story.board.port}")
        story.servers.wait_ready()
        label = story.make_label()
        story.write_label(label)
        teller.say(f"   label {label.device_id} written to the board; servers are up")
        teller.say()
        prepare(story, teller, label, _WRONG_PASSWORD if fault == "wifi_auth" else PASSWORD)
        story.switch_on()
        story.press()
        follow(story, teller)
        if fault:
            recover(story, teller, label)
        story.committed()
        show(story, teller, label)
        if is_kept:
            playground.keep(story, teller, label)
            return
    teller.say(_BY_HAND)


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
    story.change_profile(app=SETTINGS)
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


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--fault", choices=_FAULTS, help="make it fail like this, and recover")
    parser.add_argument("--platform", choices=_PLATFORMS, default="muster", help="register there")
    parser.add_argument("--flow", choices=_FLOWS, default="online", help="how it is configured")
    parser.add_argument("--keep", action="store_true", help="go on until Ctrl-C")
    arguments = parser.parse_args()
    is_offline = arguments.flow == "offline"
    if is_offline and (arguments.fault or arguments.keep or arguments.platform != "muster"):
        parser.error("FLOW=offline is told alone, without FAULT, KEEP and PLATFORM")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))  # and end the servers
    directory = Path(tempfile.mkdtemp(prefix="muster-demo-"))
    try:
        if arguments.platform == "acme":
            acme.install()
        if is_offline:
            demo_offline.tell(directory)
        else:
            tell(directory, arguments.fault, arguments.platform, arguments.keep)
    except Missing as error:
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
