# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`make demo FLOW=offline`: the nine steps with a bundle and its receipt instead of a network."""

import time
from pathlib import Path
from typing import Any

from tests.system.offline_story import OfflineStory
from tests.system.story import Label
from tests.system.telling import Teller, prepare, show

# What a person does in place of the onboarding network.
_BY_HAND = {
    3: "the user plugs a cable in: no onboarding network is in the air",
    4: "its other end leads to the bundle, not to a network",
    5: "nothing to report: the bundle was made for this label",
}


def tell(directory: Path) -> None:
    """The story, told while it happens."""
    teller = Teller()
    teller.say("Three servers, one Wi-Fi network and an emulated ESP32 on a cable.")
    with OfflineStory(directory) as story:
        story.deploy()
        story.servers.wait_ready()
        label = story.make_label()
        story.write_label(label)
        teller.say(f"   firmware and label {label.device_id} are on the board; servers are up")
        teller.say()
        prepare(story, teller, label)
        story.switch_on()
        said = bring(story, teller, label)
        acknowledge(story, teller, label, said)
        show(story, teller, label)


def bring(story: OfflineStory, teller: Teller, label: Label) -> Any:
    """Steps 3 to 9; what the device says of the bundle."""
    began = time.monotonic()
    file = story.make_bundle(label)
    teller.say(f"   $ muster bundle make {label.device_id}    -> {file.name}")
    sending = story.begin_sending(file)
    teller.say(f"   $ muster-unit bundle send {file.name}")
    for number, detail in _BY_HAND.items():
        teller.step(number, "ok", 0.0, detail)
    teller.device_step(story.step(6))
    for number in (7, 8, 9):
        teller.device_step(story.step(number))
    said = story.outcome(sending)
    teller.say(f"   the device shows its receipt {said['receipt'][:4]} {said['receipt'][4:]}")
    teller.say(f"   {time.monotonic() - began:.2f} s from the portal to the receipt")
    return said


def acknowledge(story: OfflineStory, teller: Teller, label: Label, said: Any) -> None:
    """The receipt goes back to the portal, and the platform has seen the device."""
    teller.say(f"   $ muster receipt check {label.device_id} {said['receipt']}")
    verdict = story.enter_receipt(label, said["receipt"])
    teller.say(f"   {verdict['sentence']}")
    device = story.wait_for(label, lambda device: device["state"] == "registered")
    teller.say(f"   the portal shows {device['device_id']}: {device['state']}, nine steps done")
